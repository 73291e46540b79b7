/** What the frames of an archive hold, as far as it is relied on: an archive may come from anywhere. */
import { z } from 'zod';
import { invalidInput } from '../../errors.js';
import { type LedgerAction, MODEL_NAME_PATTERN, VERSION_PATTERN } from '../../model/version.js';
import type { Frame } from './frames.js';

const digest = z.string().regex(VERSION_PATTERN);
const count = z.number().int().min(0);
const model = z.string().regex(MODEL_NAME_PATTERN);
const text = z.string().exactOptional();
const measure = z.number().or(z.nan());

const ACTIONS = {
  publish: true,
  accept: true,
  reject: true,
  promote: true,
  rollback: true,
  canary: true,
  canary_end: true,
  hold: true,
  release: true,
  retire: true,
  prune: true,
  import: true,
  contract: true,
  propose: true,
  withdraw: true,
} as const satisfies Record<LedgerAction, true>;

const verdict = z.object({
  accepted: z.boolean(),
  criteria: z.array(
    z.object({
      name: z.string(),
      bound: z.string(),
      measured: measure,
      passed: z.boolean(),
      rows: z.number(),
      intervalLow: measure.exactOptional(),
      intervalHigh: measure.exactOptional(),
      slice: text,
      compared: measure.exactOptional(),
      note: text,
    }),
  ),
  fixtureRows: z.number(),
  fixtureFingerprint: z.string(),
  contractFingerprint: z.string(),
  checksFingerprint: text,
});

const SCHEMAS = {
  archive: z.object({ models: z.array(model).min(1) }),
  model: z.object({
    model,
    epoch: z.number().int().min(1),
    aliases: z.array(
      z.object({
        aliasName: model,
        version: digest,
        canary: z.object({ version: digest, weight: z.number().gt(0).lt(1) }).exactOptional(),
        holdSequence: count.exactOptional(),
        trail: z.array(digest),
      }),
    ),
    versions: z.array(
      z.object({
        version: digest,
        sequence: count,
        modelType: z.string(),
        sizeBytes: z.number().int().min(1),
        publishedAt: count,
        metrics: z.record(z.string(), z.number()),
        typeFields: z.record(z.string(), z.string()).exactOptional(),
        runId: text,
        contractService: text,
        contractFingerprint: text,
        description: text,
        promotedAt: count.exactOptional(),
        retiredAt: count.exactOptional(),
      }),
    ),
    verdicts: z.array(z.object({ version: digest, verdict })),
    contracts: z.array(
      z.object({
        fingerprint: z.string().min(1),
        idl: z.string(),
        includes: z.record(z.string(), z.string()),
        services: z.array(z.string()),
        fixtureFingerprint: text,
        fixturesFormat: z.enum(['csv', 'jsonl', 'parquet']).exactOptional(),
      }),
    ),
    contractFingerprint: text,
    testedAs: z.array(z.string().regex(/^\S+$/)).max(100).exactOptional(),
    fixtures: z.array(digest),
    runs: z.array(z.object({ runId: z.string(), configurationJson: z.string() })),
  }),
  fixtures: z.object({ digest, sizeBytes: z.number().int().min(1) }),
  version: z.object({ digest, sizeBytes: z.number().int().min(1) }),
  bytes: z.instanceof(Uint8Array),
  ledger: z.array(
    z.object({
      sequence: z.number().int().min(1),
      at: count,
      action: z.enum(Object.keys(ACTIONS) as LedgerAction[]),
      actor: z.string(),
      aliasName: text,
      version: text,
      previousVersion: text,
      reason: text,
      canaryWeight: z.number().exactOptional(),
      contractFingerprint: text,
      previousContractFingerprint: text,
      fixtureFingerprint: text,
      proposedBy: text,
      evidenceJson: text,
      environment: text,
    }),
  ),
  'model end': z.object({ sha256: digest }),
  end: z.object({ sha256: digest }),
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
