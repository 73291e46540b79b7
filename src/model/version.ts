/** The registry's nouns, as idl/parley.thrift spells them. Times are microseconds since the Unix epoch, UTC. */

/** Lowercase hex SHA-256 of a stored envelope: 64 characters. */
export type Version = string;

export const VERSION_PATTERN = /^[0-9a-f]{64}$/;

/** What an alias is called when the caller names none. */
export const PRODUCTION = 'production';
/** The alias whose version is asked beside production's, off the callers' road, and compared. */
export const SHADOW = 'shadow';

/** Model names: what stands between the braces of a Redis hash tag, so no braces, colons or spaces. */
export const MODEL_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

export interface ModelVersion {
  readonly model: string;
  readonly version: Version;
  readonly modelType: string;
  readonly sizeBytes: number;
  readonly publishedAt: number;
  readonly runId?: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** Of the contract that it is bound to. */
  readonly contractFingerprint?: string;
  readonly accepted: boolean;
  readonly aliases: readonly string[];
  readonly description?: string;
  /** Out of reach: it can be neither promoted nor called. */
  readonly retired: boolean;
  /** The model type's own fields, as docs/redis-schema.md names them; absent in records of a release that kept none. */
  readonly typeFields?: Readonly<Record<string, string>>;
  /** Aliases beside whose version this one runs as a canary. */
  readonly canaryAliases: readonly string[];
  /** Of the aliases that point here, those that are held. */
  readonly heldAliases: readonly string[];
}

export type LedgerAction =
  | 'publish'
  | 'accept'
  | 'reject'
  | 'promote'
  | 'rollback'
  | 'canary'
  | 'canary_end'
  | 'hold'
  | 'release'
  | 'retire'
  | 'prune'
  | 'import'
  | 'contract'
  | 'propose'
  | 'withdraw';

/** One line of a model's ledger; `sequence` counts from 1 without a gap. */
export interface LedgerEntry {
  readonly sequence: number;
  readonly at: number;
  readonly action: LedgerAction;
  readonly aliasName?: string;
  readonly version?: Version;
  readonly previousVersion?: Version;
  readonly actor: string;
  readonly reason?: string;
  readonly canaryWeight?: number;
  readonly contractFingerprint?: string;
  /** Of the contract before; of a promotion, the one that the version was accepted under, where that is an earlier one. */
  readonly previousContractFingerprint?: string;
  readonly fixtureFingerprint?: string;
  /** Whose proposal was agreed to, or withdrawn. */
  readonly proposedBy?: string;
  readonly evidenceJson?: string;
  /** Of the process that wrote it, where it has a name. */
  readonly environment?: string;
}

/** A second version beside an alias's own, and its share of the alias's calls: above 0, below 1. */
export interface Canary {
  readonly version: Version;
  readonly weight: number;
}

/** Where an alias leads. */
export interface AliasPointer {
  readonly aliasName: string;
  readonly version: Version;
  readonly canary?: Canary;
  /** The ledger's line that holds the alias; absent where nobody does. */
  readonly holdSequence?: number;
}

/** All that can be said of an alias. */
export interface AliasState {
  readonly aliasName: string;
  readonly version: Version;
  readonly canary?: Canary;
  readonly held: boolean;
  /** The ledger's last line on this alias. */
  readonly lastChange?: LedgerEntry;
}

/** One line of the acceptance suite's outcome. */
export interface Criterion {
  readonly name: string;
  readonly bound: string;
  readonly measured: number;
  readonly passed: boolean;
  readonly rows: number;
  readonly intervalLow?: number;
  readonly intervalHigh?: number;
  readonly slice?: string;
  /** The baseline's or production's figure, where the bound is relative. */
  readonly compared?: number;
  /** What else to know: which rows break a check, what there was to compare with, why a figure was not taken. */
  readonly note?: string;
}

/** The acceptance suite's outcome for exactly one digest, contract, set of fixtures and, where there are some, of checks. */
export interface Verdict {
  readonly accepted: boolean;
  readonly criteria: readonly Criterion[];
  readonly fixtureRows: number;
  readonly fixtureFingerprint: string;
  readonly contractFingerprint: string;
  /** SHA-256 of checks.yaml; absent where there is none. */
  readonly checksFingerprint?: string;
}
