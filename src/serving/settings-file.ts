/** The file of `parley serve --config`: settings of models, read once, when the server starts. */
import { z } from 'zod';
import { checkValues } from '../training/check-values.js';
import { readYaml } from '../training/yaml-file.js';
import { DEFAULT_SETTINGS, type SettingsOf } from './model-settings.js';

/** YAML 1.2 takes `10_000` for text. */
const count = (most: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^\d[\d_]*$/.test(value) ? Number(value.replaceAll('_', '')) : value),
    z.int().min(0).max(most),
  );

const ofModel = z.strictObject({
  cache: count(100_000_000).optional(),
  max_delay_us: count(1_000_000).optional(),
  max_queue_ms: count(3_600_000).optional(),
});
type OfModel = z.infer<typeof ofModel>;

const settingsFile = z.strictObject({
  defaults: ofModel.default({}),
  models: z.record(z.string(), ofModel).default({}),
});

export interface FileSettings {
  readonly of: SettingsOf;
  /** Those that it names. */
  readonly models: readonly string[];
}

/** @throws ParleyError NOT_FOUND without the file; INVALID_INPUT with the place of what is wrong in it */
export function readSettings(file: string): FileSettings {
  const missing = 'write one, as docs/settings.md shows, or leave --config out';
  const { defaults, models } = checkValues(settingsFile, readYaml(file, file, {}, missing), file);
  return {
    of: (model) => resolved(defaults, Object.hasOwn(models, model) ? models[model]! : {}),
    models: Object.keys(models),
  };
}

function resolved(defaults: OfModel, own: OfModel) {
  return {
    cache: own.cache ?? defaults.cache ?? DEFAULT_SETTINGS.cache,
    maxDelayUs: own.max_delay_us ?? defaults.max_delay_us ?? DEFAULT_SETTINGS.maxDelayUs,
    maxQueueMs: own.max_queue_ms ?? defaults.max_queue_ms ?? DEFAULT_SETTINGS.maxQueueMs,
  };
}
