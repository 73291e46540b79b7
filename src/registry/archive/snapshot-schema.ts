/** What the frames of an archive hold, as far as it is relied on: an archive may come from anywhere. */
import { z } from 'zod';
import { invalidInput } from '../../errors.js';
import { MODEL_NAME_PATTERN, VERSION_PATTERN } from '../../model/version.js';
import type { Frame } from './frames.js';

const digest = z.string().regex(VERSION_PATTERN);
const count = z.number().int().min(0);
const model = z.string().regex(MODEL_NAME_PATTERN);

const verdict = z.looseObject({
  accepted: z.boolean(),
  criteria: z.array(
    z.looseObject({
      name: z.string(),
      bound: z.string(),
      measured: z.number().or(z.nan()),
      passed: z.boolean(),
      rows: z.number(),
    }),
  ),
  fixtureRows: z.number(),
  fixtureFingerprint: z.string(),
  contractFingerprint: z.string(),
});

const SCHEMAS = {
  archive: z.looseObject({ models: z.array(model).min(1) }),
  model: z.looseObject({
    model,
    epoch: z.number().int().min(1),
    aliases: z.array(
      z.looseObject({
        aliasName: model,
        version: digest,
        canary: z.looseObject({ version: digest, weight: z.number() }).exactOptional(),
        holdSequence: count.exactOptional(),
        trail: z.array(digest),
      }),
    ),
    versions: z.array(
      z.looseObject({
        version: digest,
        sequence: count,
        modelType: z.string(),
        sizeBytes: z.number().int().min(1),
        publishedAt: count,
        metrics: z.record(z.string(), z.number()),
        typeFields: z.record(z.string(), z.string()).exactOptional(),
        promotedAt: count.exactOptional(),
        retiredAt: count.exactOptional(),
      }),
    ),
    verdicts: z.array(z.looseObject({ version: digest, verdict })),
    contracts: z.array(
      z.looseObject({
        fingerprint: z.string().min(1),
        idl: z.string(),
        includes: z.record(z.string(), z.string()),
        services: z.array(z.string()),
      }),
    ),
    contractFingerprint: z.string().exactOptional(),
    fixtures: z.array(digest),
    runs: z.array(z.looseObject({ runId: z.string(), configurationJson: z.string() })),
  }),
  fixtures: z.looseObject({ digest, sizeBytes: z.number().int().min(1) }),
  version: z.looseObject({ digest, sizeBytes: z.number().int().min(1) }),
  bytes: z.instanceof(Uint8Array),
  ledger: z.array(
    z.looseObject({ sequence: z.number().int().min(1), at: count, action: z.string(), actor: z.string() }),
  ),
  'model end': z.looseObject({ sha256: digest }),
  end: z.looseObject({ sha256: digest }),
} as const;

export type ValueOf<K extends Frame['kind']> = z.infer<(typeof SCHEMAS)[K]>;

/** @throws ParleyError INVALID_INPUT where the frame is of another kind, or its value none of this kind's */
export function expectFrame<K extends Frame['kind']>(frame: Frame, kind: K): ValueOf<K> {
  if (frame.kind !== kind)
    throw invalidInput(`the archive is damaged: a piece "${frame.kind}" stands where "${kind}" is expected`);
  const parsed = SCHEMAS[kind].safeParse(frame.value);
  if (parsed.success) return parsed.data as ValueOf<K>;
  throw invalidInput(`the archive's piece "${kind}" is not one: ${z.prettifyError(parsed.error)}`);
}
