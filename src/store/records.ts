/**
 * How records stand in Redis: flat hash fields that a person can read, MessagePack where a value has a structure.
 */
import type { z } from 'zod';
import { invalidInput } from '../errors.js';
import type { CheckTypeFields, ContractRecord, ProposedContract, VersionRecord } from '../model/store-port.js';
import type { LedgerEntry, Verdict } from '../model/version.js';
import { contractFields, ledgerLine, packr, proposalFields, verdictValue, versionFields } from './record-schemas.js';
import { foreignValue } from './redis-errors.js';

/** A hash as ioredis replies it. */
export type Fields = Readonly<Record<string, Buffer>>;

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

  proposal(key: string, fingerprint: string, fields: Fields): ProposedContract {
    const { proposedBy, proposedAt, reason, allowBreaking, previousContractFingerprint, ...contract } = this.read(
      key,
      'a proposal',
      proposalFields,
      fields,
    );
    return {
      contract: { fingerprint, ...contract },
      proposedBy,
      proposedAt,
      ...(reason === undefined ? {} : { reason }),
      ...(allowBreaking === undefined ? {} : { allowBreaking }),
      ...(previousContractFingerprint === undefined ? {} : { previousContractFingerprint }),
    };
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

  /** The record with the fields that its type has. @throws INVALID_INPUT where one is not what the type allows */
  checked<R extends Pick<VersionRecord, 'version' | 'modelType' | 'typeFields'>>(model: string, record: R): R {
    if (record.typeFields === undefined) return record;
    try {
      return { ...record, typeFields: this.checkTypeFields(record.modelType, record.typeFields) };
    } catch (cause) {
      throw invalidInput(`version ${record.version} of model "${model}": ${(cause as Error).message}`, { cause });
    }
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
