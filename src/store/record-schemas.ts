/** The fields of records and of ledger entries, with what docs/redis-schema.md says of each. */
import { Packr } from 'msgpackr';
import { z } from 'zod';
import type { LedgerAction } from '../model/version.js';

export const packr = new Packr({ useRecords: false });
const text = z.instanceof(Buffer).transform((value) => value.toString('utf8'));
const wholeNumber = text.pipe(z.stringFormat('whole number', /^\d{1,16}$/)).transform(Number);
const packed = z.instanceof(Buffer).transform((value): unknown => packr.unpack(value));

/** Of every version, whatever its type. */
export const versionFields = z.object({
  modelType: text.meta({ value: 'text', description: 'The model type, whose own fields stand beside these.' }),
  sizeBytes: wholeNumber.meta({ value: 'whole number, bytes', description: "The envelope's bytes." }),
  publishedAt: wholeNumber.meta({
    value: 'whole number, microseconds since 1970, UTC',
    description: 'When it was first published.',
  }),
  metrics: packed.pipe(z.record(z.string(), z.number())).meta({
    value: 'MessagePack, name to number',
    description: 'What its training measured, `test.accuracy` and so on, by name.',
  }),
  runId: text.exactOptional().meta({ value: 'text', description: 'The first run that made it.' }),
  contractService: text
    .exactOptional()
    .meta({ value: 'text', description: 'The service of its contract that it answers.' }),
  contractFingerprint: text
    .exactOptional()
    .meta({ value: 'SHA-256, hex', description: 'The contract that it is bound to.' }),
  description: text.exactOptional().meta({ value: 'text', description: 'What its publisher said it is.' }),
  promotedAt: wholeNumber.exactOptional().meta({
    value: 'whole number, microseconds since 1970, UTC',
    description: 'When an alias first led to it; it is never pruned from then on.',
  }),
  retiredAt: wholeNumber
    .exactOptional()
    .meta({ value: 'whole number, microseconds since 1970, UTC', description: 'When it was retired.' }),
});

export const contractFields = z.object({
  idl: text.meta({ value: 'text, Thrift', description: "The contract's Thrift file." }),
  includes: packed.pipe(z.record(z.string(), z.string())).meta({
    value: 'MessagePack, file name to text',
    description: 'The text of each included file but parley.thrift, by name.',
  }),
  services: packed
    .pipe(z.array(z.string()))
    .meta({ value: 'MessagePack, list of text', description: 'The names of its services.' }),
  fixtureFingerprint: text.exactOptional().meta({ value: 'SHA-256, hex', description: 'Of its fixtures.' }),
  fixturesFormat: text
    .pipe(z.enum(['csv', 'jsonl', 'parquet']))
    .exactOptional()
    .meta({ value: '`csv`, `jsonl` or `parquet`', description: 'What the fixtures are written in.' }),
});

/** A contract, and who wants it. */
export const proposalFields = contractFields.extend({
  proposedBy: text.meta({ value: 'text', description: 'Who proposed it, and so cannot agree to it.' }),
  proposedAt: wholeNumber.meta({ value: 'whole number, microseconds since 1970, UTC', description: 'When.' }),
  reason: text.exactOptional().meta({ value: 'text', description: 'Why, in the words of who proposed it.' }),
  allowBreaking: text
    .exactOptional()
    .meta({ value: 'text', description: 'Why callers of the contract in force may break.' }),
  previousContractFingerprint: text
    .exactOptional()
    .meta({ value: 'SHA-256, hex', description: 'The contract that was in force then.' }),
});

const criterion = z.object({
  name: z.string(),
  bound: z.string(),
  measured: z.number().or(z.nan()),
  passed: z.boolean(),
  rows: z.number(),
  intervalLow: z.number().or(z.nan()).exactOptional(),
  intervalHigh: z.number().or(z.nan()).exactOptional(),
  slice: z.string().exactOptional(),
  compared: z.number().or(z.nan()).exactOptional(),
  note: z.string().exactOptional(),
});

export const verdictValue = packed.pipe(
  z.object({
    accepted: z.boolean(),
    criteria: z.array(criterion),
    fixtureRows: z.number(),
    fixtureFingerprint: z.string(),
    contractFingerprint: z.string(),
    checksFingerprint: z.string().exactOptional(),
  }),
);

const sometimes = z.string().exactOptional();

const ACTIONS = [
  'publish',
  'accept',
  'reject',
  'promote',
  'rollback',
  'canary',
  'canary_end',
  'hold',
  'release',
  'retire',
  'prune',
  'import',
  'contract',
  'propose',
  'withdraw',
] as const satisfies readonly LedgerAction[];

export const ledgerLine = z.object({
  action: z
    .enum(ACTIONS)
    .meta({ value: ACTIONS.map((name) => `\`${name}\``).join(', '), description: 'What was done.' }),
  at: z
    .stringFormat('whole number', /^\d{1,16}$/)
    .transform(Number)
    .meta({ value: 'whole number, microseconds since 1970, UTC', description: 'When, by the clock of Redis.' }),
  actor: z.string().meta({ value: 'text', description: 'Who did it.' }),
  alias: sometimes.meta({ value: 'text', description: 'The alias that was changed.' }),
  version: sometimes.meta({ value: 'SHA-256, hex', description: 'The version that it is about.' }),
  previousVersion: sometimes.meta({ value: 'SHA-256, hex', description: 'Where the alias led before.' }),
  reason: sometimes.meta({ value: 'text', description: 'Why, in the words of who did it.' }),
  canaryWeight: z
    .string()
    .transform(Number)
    .exactOptional()
    .meta({ value: 'number, 0 to 1', description: "The canary's share of the alias's calls; 0 where it ended." }),
  contractFingerprint: sometimes.meta({
    value: 'SHA-256, hex',
    description: 'The contract that was put in force, proposed, withdrawn or tested against.',
  }),
  previousContractFingerprint: sometimes.meta({
    value: 'SHA-256, hex',
    description:
      'The contract that was in force before; of a promotion, the earlier one whose verdict counted, where it was not the one in force.',
  }),
  proposedBy: sometimes.meta({ value: 'text', description: 'Whose proposal was agreed to, or withdrawn.' }),
  fixtureFingerprint: sometimes.meta({ value: 'SHA-256, hex', description: 'Its fixtures.' }),
  evidenceJson: sometimes.meta({ value: 'JSON', description: 'What an automatic act was based on.' }),
  environment: sometimes.meta({
    value: 'text',
    description: 'What the store was called that the line was written through.',
  }),
});
