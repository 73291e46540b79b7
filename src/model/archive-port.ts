/** What moving whole models between stores needs of a store. store/ implements it on Redis. */
import type { Change, ContractRecord, VersionRecord } from './store-port.js';
import type { AliasPointer, LedgerEntry, Verdict, Version } from './version.js';

/** A version's record and its place: the ledger's line that published it. */
export interface PlacedVersion extends VersionRecord {
  readonly sequence: number;
}

export interface JudgedVersion {
  readonly version: Version;
  readonly verdict: Verdict;
}

export interface RunText {
  readonly runId: string;
  readonly configurationJson: string;
}

export interface TrailedAlias extends AliasPointer {
  /** What it pointed at before, nearest first. */
  readonly trail: readonly Version[];
}

/** All of a model but its bytes and its ledger's lines, at one moment. */
export interface ModelSnapshot {
  readonly model: string;
  /** The ledger's last line. */
  readonly epoch: number;
  readonly aliases: readonly TrailedAlias[];
  /** Oldest first. */
  readonly versions: readonly PlacedVersion[];
  readonly verdicts: readonly JudgedVersion[];
  /** Those that versions or the ledger name, by fingerprint. */
  readonly contracts: readonly ContractRecord[];
  /** Of the contract in force. */
  readonly contractFingerprint?: string;
  /** Earlier contracts whose verdicts count for it. */
  readonly testedAs?: readonly string[];
  /** SHA-256 of each set of fixtures that is there. */
  readonly fixtures: readonly string[];
  readonly runs: readonly RunText[];
}

/** Bytes that are in the store and cannot be seen yet; they go by themselves after a day. */
export interface Staged {
  /** Lowercase hex SHA-256. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** The store's own name for the place. */
  readonly key: string;
}

export interface StagedLedger {
  readonly lines: number;
  readonly key: string;
}

/** A version of another store, with what was found out about it there. */
export interface ImportVersion extends Change {
  readonly model: string;
  readonly record: Omit<VersionRecord, 'publishedAt' | 'promotedAt' | 'retiredAt'>;
  /** Absent where the version is known to be there. */
  readonly staged?: Staged;
  readonly verdicts: readonly Verdict[];
  readonly runConfigurationJson?: string;
  /** Of an ensemble: NOT_FOUND where one is not there or retired. */
  readonly members?: readonly Version[];
  /** Where it comes from, for the ledger's line. */
  readonly evidenceJson: string;
}

export interface RestoreModel extends Change {
  readonly snapshot: ModelSnapshot;
  readonly versions: ReadonlyMap<Version, Staged>;
  /** Of the ensembles among them. */
  readonly members: ReadonlyMap<Version, readonly Version[]>;
  readonly fixtures: ReadonlyMap<string, Staged>;
  readonly ledger: StagedLedger;
  readonly evidenceJson: string;
}

export interface ArchiveStore {
  /** @throws ParleyError NOT_FOUND; CONFLICT where the model changes without a pause */
  snapshot(model: string): Promise<ModelSnapshot>;
  /** Oldest first, up to line `last`, in pages. */
  ledgerLines(model: string, last: number): AsyncIterable<readonly LedgerEntry[]>;
  /** The stored envelope in order, of a retired version too. @throws ParleyError NOT_FOUND, MODEL_BROKEN */
  versionBytes(model: string, version: Version): AsyncIterable<Uint8Array>;
  /** Whether the version is there with its bytes; they are not read. */
  isWhole(model: string, version: Version): Promise<boolean>;
  fixturesBytes(model: string, fingerprint: string): Promise<Uint8Array>;
  /** @throws ParleyError INVALID_INPUT where the bytes do not have this digest and size */
  stage(model: string, digest: string, sizeBytes: number, bytes: AsyncIterable<Uint8Array>): Promise<Staged>;
  /** What was staged, where it is small enough to be held. */
  stagedBytes(staged: Staged): Promise<Uint8Array>;
  stageLedger(model: string, pages: AsyncIterable<readonly LedgerEntry[]>): Promise<StagedLedger>;
  /** What was staged and is not wanted after all. Never fails. */
  discard(staged: readonly { readonly key: string }[]): Promise<void>;
  /** One step, one line. @returns what it came to; nothing changes where all of it is there already */
  importVersion(request: ImportVersion): Promise<'imported' | 'verdicts' | 'there'>;
  /** One step, one more line. CONFLICT where the store has the model already. */
  restoreModel(request: RestoreModel): Promise<void>;
}
