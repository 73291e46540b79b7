/** The registry's nouns and the structs of idl/parley.thrift that carry them, both ways. */
import Int64 from 'node-int64';
import types from '../../gen/parley_types.js';
import { internal } from '../errors.js';
import { DATA_TYPES, type DataType, type TensorSpec } from '../model/tensor.js';
import type { AliasState, Criterion, LedgerAction, LedgerEntry, ModelVersion, Verdict } from '../model/version.js';

/** Absent optional fields are null or undefined at run time, whatever the generated types say. */
export type Wire<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

/** A wire i64, exact up to 2^53. */
export const wireInt = (value: number): Int64 => new Int64(value);

/** Leaves out what is undefined, so that an optional field stays absent. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

const number = (value: Int64 | number | null | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value);
const text = (value: string | null | undefined): string | undefined => value ?? undefined;

function must<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined)
    throw internal(`the server's answer lacks ${what}; client and server may be of different releases`);
  return value;
}

/** A Thrift map arrives as a plain object. */
export const numbers = (map: unknown): Record<string, number> =>
  Object.fromEntries(Object.entries((map ?? {}) as Record<string, number>).map(([key, value]) => [key, Number(value)]));

export const texts = (map: unknown): Record<string, string> | undefined =>
  map === null || map === undefined ? undefined : { ...(map as Record<string, string>) };

export function versionToWire(version: ModelVersion): types.ModelVersion {
  return new types.ModelVersion(
    present({
      model: version.model,
      version: version.version,
      model_type: version.modelType,
      size_bytes: wireInt(version.sizeBytes),
      published_at: wireInt(version.publishedAt),
      run_id: version.runId,
      metrics: version.metrics,
      contract_fingerprint: version.contractFingerprint,
      accepted: version.accepted,
      aliases: [...version.aliases],
      description: version.description,
      retired: version.retired,
      canary_aliases: [...version.canaryAliases],
      held_aliases: [...version.heldAliases],
      type_fields: version.typeFields,
    }) as never,
  );
}

export function versionFromWire(wire: Wire<types.ModelVersion>): ModelVersion {
  return present({
    model: must(wire.model, 'version.model'),
    version: must(wire.version, 'version.version'),
    modelType: wire.model_type ?? '',
    sizeBytes: number(wire.size_bytes as never) ?? 0,
    publishedAt: number(wire.published_at as never) ?? 0,
    runId: text(wire.run_id),
    metrics: numbers(wire.metrics),
    contractFingerprint: text(wire.contract_fingerprint),
    accepted: wire.accepted === true,
    aliases: [...(wire.aliases ?? [])],
    description: text(wire.description),
    retired: wire.retired === true,
    canaryAliases: [...(wire.canary_aliases ?? [])],
    heldAliases: [...(wire.held_aliases ?? [])],
    typeFields: texts(wire.type_fields),
  }) as ModelVersion;
}

export function entryToWire(entry: LedgerEntry): types.LedgerEntry {
  return new types.LedgerEntry(
    present({
      sequence: wireInt(entry.sequence),
      at: wireInt(entry.at),
      action: entry.action,
      alias_name: entry.aliasName,
      version: entry.version,
      previous_version: entry.previousVersion,
      actor: entry.actor,
      reason: entry.reason,
      canary_weight: entry.canaryWeight,
      contract_fingerprint: entry.contractFingerprint,
      previous_contract_fingerprint: entry.previousContractFingerprint,
      proposed_by: entry.proposedBy,
      fixture_fingerprint: entry.fixtureFingerprint,
      evidence_json: entry.evidenceJson,
      environment: entry.environment,
    }) as never,
  );
}

export function entryFromWire(wire: Wire<types.LedgerEntry> | null | undefined): LedgerEntry {
  const entry = must(wire, 'the ledger entry');
  return present({
    sequence: number(entry.sequence as never) ?? 0,
    at: number(entry.at as never) ?? 0,
    action: must(entry.action, 'entry.action') as LedgerAction,
    aliasName: text(entry.alias_name),
    version: text(entry.version),
    previousVersion: text(entry.previous_version),
    actor: entry.actor ?? '',
    reason: text(entry.reason),
    canaryWeight: number(entry.canary_weight),
    contractFingerprint: text(entry.contract_fingerprint),
    previousContractFingerprint: text(entry.previous_contract_fingerprint),
    proposedBy: text(entry.proposed_by),
    fixtureFingerprint: text(entry.fixture_fingerprint),
    evidenceJson: text(entry.evidence_json),
    environment: text(entry.environment),
  }) as LedgerEntry;
}

export function verdictToWire(verdict: Verdict): types.AcceptResponse {
  return new types.AcceptResponse({
    accepted: verdict.accepted,
    criteria: verdict.criteria.map((criterion) => new types.Criterion(criterionToWire(criterion) as never)),
    fixture_rows: wireInt(verdict.fixtureRows),
    fixture_fingerprint: verdict.fixtureFingerprint,
    contract_fingerprint: verdict.contractFingerprint,
    ...(verdict.checksFingerprint === undefined ? {} : { checks_fingerprint: verdict.checksFingerprint }),
  } as never);
}

function criterionToWire(criterion: Criterion) {
  return present({
    name: criterion.name,
    bound: criterion.bound,
    measured: criterion.measured,
    passed: criterion.passed,
    interval_low: criterion.intervalLow,
    interval_high: criterion.intervalHigh,
    rows: wireInt(criterion.rows),
    slice: criterion.slice,
    compared: criterion.compared,
    note: criterion.note,
  });
}

export function verdictFromWire(wire: Wire<types.AcceptResponse>): Verdict {
  return {
    accepted: wire.accepted === true,
    criteria: ((wire.criteria ?? []) as readonly Wire<types.Criterion>[]).map(
      (criterion) =>
        present({
          name: criterion.name ?? '',
          bound: criterion.bound ?? '',
          measured: criterion.measured ?? Number.NaN,
          passed: criterion.passed === true,
          rows: number(criterion.rows as never) ?? 0,
          intervalLow: number(criterion.interval_low),
          intervalHigh: number(criterion.interval_high),
          slice: text(criterion.slice),
          compared: number(criterion.compared),
          note: text(criterion.note),
        }) as Criterion,
    ),
    fixtureRows: number(wire.fixture_rows as never) ?? 0,
    fixtureFingerprint: wire.fixture_fingerprint ?? '',
    contractFingerprint: wire.contract_fingerprint ?? '',
    ...(wire.checks_fingerprint ? { checksFingerprint: wire.checks_fingerprint } : {}),
  };
}

export const aliasToWire = (state: AliasState): types.AliasState =>
  new types.AliasState(
    present({
      alias_name: state.aliasName,
      version: state.version,
      canary_version: state.canary?.version,
      canary_weight: state.canary?.weight,
      held: state.held,
      last_change: state.lastChange && entryToWire(state.lastChange),
    }) as never,
  );

export function aliasFromWire(wire: Wire<types.AliasState>): AliasState {
  const { canary_version: version, canary_weight: weight, last_change: lastChange } = wire;
  return {
    aliasName: must(wire.alias_name, 'alias_name'),
    version: must(wire.version, 'alias.version'),
    ...(version == null || weight == null ? {} : { canary: { version, weight } }),
    held: wire.held === true,
    ...(lastChange == null ? {} : { lastChange: entryFromWire(lastChange) }),
  };
}

/** By their numbers on the wire. */
export const DATA_TYPE_NAMES = new Map(
  Object.entries(DATA_TYPES).map(([name, { number }]) => [number, name as DataType] as const),
);

export const specsFromWire = (specs: readonly Wire<types.TensorSpec>[] | null | undefined): TensorSpec[] =>
  (specs ?? []).map(({ name, data_type, shape }) => ({
    name: name ?? '',
    dataType: must(DATA_TYPE_NAMES.get(data_type ?? 0), 'an element type of this release'),
    shape: (shape ?? []).map(Number),
  }));
