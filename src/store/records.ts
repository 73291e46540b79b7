/**
 * How records stand in Redis: flat hash fields that a person can read, MessagePack where a value has a structure.
 *
 * docs/redis-schema.md is made from what the schemas say of their fields.
 */
import { Packr } from 'msgpackr';
import { z } from 'zod';
import type { CheckTypeFields, ContractRecord, VersionRecord } from '../model/store-port.js';
import type { LedgerEntry, Verdict } from '../model/version.js';
import { foreignValue } from './redis-errors.js';

/** A hash as ioredis replies it. */
export type Fields = Readonly<Record<string, Buffer>>;

const packr = new Packr({ useRecords: false });
const text = z.instanceof(Buffer).transform((value) => value.toString('utf8'));
const wholeNumber = text.pipe(z.stringFormat('whole number', /^\d{1,16}$/)).transform(Number);
const packed = z.instanceof(Buffer).transform((value): unknown => packr.unpack(value));

/** Of every version, whatever its type. */
export const versionFields = z.object({
  modelType: text.describe('The model type, whose own fields stand beside these.'),
  sizeBytes: wholeNumber.describe("The envelope's bytes."),
  publishedAt: wholeNumber.describe('When it was first published, microseconds since 1970, UTC.'),
  metrics: packed
    .pipe(z.record(z.string(), z.number()))
    .describe('MessagePack: what its training measured, `test.accuracy` and so on, by name.'),
  runId: text.exactOptional().describe('The first run that made it.'),
  contractService: text.exactOptional().describe('The service of its contract that it answers.'),
  contractFingerprint: text.exactOptional().describe('The contract that it is bound to, SHA-256.'),
  description: text.exactOptional().describe('What its publisher said it is.'),
  promotedAt: wholeNumber
    .exactOptional()
    .describe('When an alias first led to it, microseconds since 1970, UTC; it is never pruned from then on.'),
  retiredAt: wholeNumber.exactOptional().describe('When it was retired, microseconds since 1970, UTC.'),
});

export const contractFields = z.object({
  idl: text.describe("The contract's Thrift file."),
  includes: packed
    .pipe(z.record(z.string(), z.string()))
    .describe('MessagePack: the text of each included file but parley.thrift, by name.'),
  services: packed.pipe(z.array(z.string())).describe('MessagePack: the names of its services.'),
  fixtureFingerprint: text.exactOptional().describe("SHA-256 of the fixtures' bytes."),
  fixturesFormat: text
    .pipe(z.enum(['csv', 'jsonl', 'parquet']))
    .exactOptional()
    .describe('`csv`, `jsonl` or `parquet`.'),
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
});

const verdictValue = packed.pipe(
  z.object({
    accepted: z.boolean(),
    criteria: z.array(criterion),
    fixtureRows: z.number(),
    fixtureFingerprint: z.string(),
    contractFingerprint: z.string(),
  }),
);

const sometimes = z.string().exactOptional();

export const ledgerLine = z.object({
  action: z
    .enum([
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
    ])
    .describe('What was done.'),
  at: z
    .stringFormat('whole number', /^\d{1,16}$/)
    .transform(Number)
    .describe('Microseconds since 1970, UTC, by the clock of Redis.'),
  actor: z.string().describe('Who did it.'),
  alias: sometimes.describe('The alias that was changed.'),
  version: sometimes.describe('The version that it is about.'),
  previousVersion: sometimes.describe('Where the alias led before.'),
  reason: sometimes.describe('Why, in the words of who did it.'),
  canaryWeight: z
    .string()
    .transform(Number)
    .exactOptional()
    .describe("The canary's share of the alias's calls, 0 to 1; 0 where it ended."),
  contractFingerprint: sometimes.describe('The contract that was put in force or tested against, SHA-256.'),
  fixtureFingerprint: sometimes.describe('Its fixtures, SHA-256.'),
  evidenceJson: sometimes.describe('What an automatic act was based on, JSON.'),
  environment: sometimes.describe('What the store was called that the line was written through.'),
});

/** Reads values of one Redis; an unreadable one is another program's, and the error names its key. */
export class RecordReader {
  /**
   * @param address as messages name it
   * @param checkTypeFields what a version's fields beside its own must be
   */
  constructor(
    private readonly address: string,
    private readonly checkTypeFields: CheckTypeFields,
  ) {}

  version(key: string, version: string, fields: Fields): VersionRecord {
    const record = this.read(key, 'a version', versionFields, fields);
    return { version, ...record, ...this.typeFields(key, record.modelType, fields) };
  }

  contract(key: string, fingerprint: string, fields: Fields): ContractRecord {
    return { fingerprint, ...this.read(key, 'a contract', contractFields, fields) };
  }

  verdict(key: string, value: Buffer): Verdict {
    return this.read(key, 'verdicts', verdictValue, value);
  }

  ledgerEntry(key: string, id: string, flat: readonly string[]): LedgerEntry {
    const fields: Record<string, string> = {};
    for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i]!] = flat[i + 1]!;
    const { alias, environment: _, ...rest } = this.read(key, 'a ledger', ledgerLine, fields);
    return { sequence: Number(id.split('-')[0]), ...(alias === undefined ? {} : { aliasName: alias }), ...rest };
  }

  private typeFields(key: string, modelType: string, fields: Fields): Pick<VersionRecord, 'typeFields'> {
    const further = Object.entries(fields).filter(([name]) => !Object.hasOwn(versionFields.shape, name));
    if (further.length === 0) return {};
    const texts = Object.fromEntries(further.map(([name, value]) => [name, value.toString('utf8')]));
    try {
      const typeFields = this.checkTypeFields(modelType, texts);
      return Object.keys(typeFields).length === 0 ? {} : { typeFields };
    } catch (cause) {
      throw foreignValue(key, this.address, `a version, whose ${(cause as Error).message}`, cause);
    }
  }

  private read<T>(key: string, expected: string, schema: z.ZodType<T>, value: unknown): T {
    try {
      return schema.parse(value);
    } catch (cause) {
      throw foreignValue(key, this.address, expected, cause);
    }
  }
}

/** Field, value, field, value, …; what is undefined is left out. The times are added by the scripts. */
export function versionToFields(
  record: Omit<VersionRecord, 'version' | 'publishedAt' | 'promotedAt' | 'retiredAt'>,
): (string | number | Buffer)[] {
  return flatten({
    ...record.typeFields,
    modelType: record.modelType,
    sizeBytes: record.sizeBytes,
    metrics: packr.pack(record.metrics),
    runId: record.runId,
    contractService: record.contractService,
    contractFingerprint: record.contractFingerprint,
    description: record.description,
  });
}

export function contractToFields(contract: ContractRecord): (string | number | Buffer)[] {
  return flatten({
    idl: contract.idl,
    includes: packr.pack(contract.includes),
    services: packr.pack(contract.services),
    fixtureFingerprint: contract.fixtureFingerprint,
    fixturesFormat: contract.fixturesFormat,
  });
}

/** The gate reads `accepted` out of it with Redis's own cmsgpack. */
export function verdictToValue(verdict: Verdict): Buffer {
  const criteria = verdict.criteria.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)),
  );
  return packr.pack({ ...verdict, criteria });
}

function flatten(fields: Record<string, string | number | Buffer | undefined>): (string | number | Buffer)[] {
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}
