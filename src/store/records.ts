/** How records stand in Redis: flat hash fields that a person can read, MessagePack where a value has a structure. */
import { Packr } from 'msgpackr';
import { z } from 'zod';
import type { ContractRecord, VersionRecord } from '../model/store-port.js';
import type { LedgerEntry, Verdict } from '../model/version.js';
import { foreignValue } from './redis-errors.js';

/** A hash as ioredis replies it. */
export type Fields = Readonly<Record<string, Buffer>>;

const packr = new Packr({ useRecords: false });
const text = z.instanceof(Buffer).transform((value) => value.toString('utf8'));
const wholeNumber = text.pipe(z.stringFormat('whole number', /^\d{1,16}$/)).transform(Number);
const packed = z.instanceof(Buffer).transform((value): unknown => packr.unpack(value));

const versionFields = z.object({
  modelType: text,
  sizeBytes: wholeNumber,
  publishedAt: wholeNumber,
  metrics: packed.pipe(z.record(z.string(), z.number())),
  runId: text.exactOptional(),
  contractService: text.exactOptional(),
  contractFingerprint: text.exactOptional(),
  description: text.exactOptional(),
  promotedAt: wholeNumber.exactOptional(),
  retiredAt: wholeNumber.exactOptional(),
});

const contractFields = z.object({
  idl: text,
  includes: packed.pipe(z.record(z.string(), z.string())),
  services: packed.pipe(z.array(z.string())),
  fixtureFingerprint: text.exactOptional(),
  fixturesFormat: text.pipe(z.enum(['csv', 'jsonl', 'parquet'])).exactOptional(),
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

const ledgerLine = z.object({
  action: z.enum([
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
  ]),
  at: z.stringFormat('whole number', /^\d{1,16}$/).transform(Number),
  actor: z.string(),
  alias: z.string().exactOptional(),
  version: z.string().exactOptional(),
  previousVersion: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  canaryWeight: z.string().transform(Number).exactOptional(),
  contractFingerprint: z.string().exactOptional(),
  fixtureFingerprint: z.string().exactOptional(),
  evidenceJson: z.string().exactOptional(),
  environment: z.string().exactOptional(),
});

/** Reads values of one Redis; an unreadable one is another program's, and the error names its key. */
export class RecordReader {
  /** @param address as messages name it */
  constructor(private readonly address: string) {}

  version(key: string, version: string, fields: Fields): VersionRecord {
    return { version, ...this.read(key, 'a version', versionFields, fields) };
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
    const { alias, ...rest } = this.read(key, 'a ledger', ledgerLine, fields);
    return { sequence: Number(id.split('-')[0]), ...(alias === undefined ? {} : { aliasName: alias }), ...rest };
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
    modelType: record.modelType,
    sizeBytes: record.sizeBytes,
    metrics: packr.pack(record.metrics),
    runId: record.runId,
    contractService: record.contractService,
    contractFingerprint: record.contractFingerprint,
    description: record.description,
  });
}

/** All of a record, as another store had it. */
export function recordToFields(record: VersionRecord): (string | number | Buffer)[] {
  const { publishedAt, promotedAt, retiredAt } = record;
  return [...versionToFields(record), ...flatten({ publishedAt, promotedAt, retiredAt })];
}

/** A ledger's line as the scripts write it. */
export function ledgerToFields(entry: LedgerEntry): (string | number | Buffer)[] {
  const { sequence: _, action, at, aliasName, ...rest } = entry;
  return flatten({ action, at, alias: aliasName, ...rest });
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
