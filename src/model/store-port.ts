/**
 * What the services need of a store. store/ implements it on Redis; every state change is one atomic step with one
 * ledger line, and what a reader can see is always whole.
 *
 * Every method may fail with STORE_UNAVAILABLE; nothing is changed then, or repeating the call completes it.
 */
import type { ByteStream } from './byte-stream.js';
import type { AliasPointer, AliasState, LedgerAction, LedgerEntry, Verdict, Version } from './version.js';

/** Who changes something and why; both go into the ledger. */
export interface Change {
  readonly actor: string;
  readonly reason?: string;
}

/** A version's record: everything about it but its bytes. */
export interface VersionRecord {
  readonly version: Version;
  readonly modelType: string;
  readonly sizeBytes: number;
  /** Microseconds since the epoch; set by the store at the first publication. */
  readonly publishedAt: number;
  readonly runId?: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly contractService?: string;
  readonly contractFingerprint?: string;
  readonly description?: string;
  /**
   * The model type's own fields, as they stand in the store: text as it is, everything else as JSON. Absent in records of
   * a release that kept none, and of types that this release does not know.
   */
  readonly typeFields?: Readonly<Record<string, string>>;
  /** When an alias first led to it, as its version or as a canary; it is never pruned from then on. */
  readonly promotedAt?: number;
  /** When it was taken out of reach, for good. */
  readonly retiredAt?: number;
}

/**
 * What a store asks about a record's fields beside its own, since it knows no model types.
 *
 * @returns those that the type has
 * @throws Error that names the field which is not what the type allows
 */
export type CheckTypeFields = (
  modelType: string,
  fields: Readonly<Record<string, string>>,
) => Readonly<Record<string, string>>;

export interface ContractRecord {
  readonly fingerprint: string;
  readonly idl: string;
  readonly includes: Readonly<Record<string, string>>;
  readonly services: readonly string[];
  /** SHA-256 of the fixtures' bytes; absent while none were published. */
  readonly fixtureFingerprint?: string;
  readonly fixturesFormat?: 'csv' | 'jsonl' | 'parquet';
  /**
   * Of the contract in force: earlier ones, newest first, that differ from it in nothing that was tested, so that their
   * verdicts count.
   */
  readonly testedAs?: readonly string[];
}

/** A contract and its fixtures that are to come into force. */
export interface PublishContract extends Change {
  readonly model: string;
  readonly contract: ContractRecord;
  readonly fixtures?: Uint8Array;
  /** CONFLICT unless this one is in force now; null: unless none is; absent: whatever is. */
  readonly expected?: string | null;
  /** Verdicts under the contract that is in force count for this one too. */
  readonly verdictsStand?: boolean;
  /** What it was decided by, for the ledger's line. */
  readonly evidenceJson?: string;
}

export interface ProposeContract extends Omit<PublishContract, 'expected' | 'verdictsStand'> {
  /** CONFLICT unless this one is in force now; null: unless none is. */
  readonly expected: string | null;
  /** Why callers may break. */
  readonly allowBreaking?: string;
}

/** A contract that waits for somebody else's agreement. */
export interface ProposedContract {
  readonly contract: ContractRecord;
  readonly proposedBy: string;
  /** Microseconds since the epoch. */
  readonly proposedAt: number;
  readonly reason?: string;
  readonly allowBreaking?: string;
  /** The contract that was in force then. */
  readonly previousContractFingerprint?: string;
}

/** NOT_FOUND without such a proposal; PERMISSION_DENIED where the actor made it; CONFLICT as for a publication. */
export type AgreeContract = PublishContract & { readonly expected: string | null };

export interface WithdrawContract extends Change {
  readonly model: string;
  readonly fingerprint: string;
}

export interface MoveAlias extends Change {
  readonly model: string;
  readonly aliasName: string;
  readonly version: Version;
  readonly action: Extract<LedgerAction, 'promote' | 'rollback'>;
  /** CONFLICT unless the alias points here now; null: unless it points nowhere; absent: wherever. */
  readonly expected?: Version | null;
  readonly gate?: Gate;
  /** Without a gate: NOT_ACCEPTED where a contract is in force after all. */
  readonly uncontracted?: boolean;
}

/**
 * NOT_ACCEPTED unless a passed verdict for this contract, or for one that is `testedAs`, and these fixtures is stored, and both
 * are in force now.
 */
export interface Gate {
  readonly contractFingerprint: string;
  readonly fixtureFingerprint: string;
}

export interface SetCanary extends Change {
  readonly model: string;
  readonly aliasName: string;
  readonly version: Version;
  /** The canary's share of the alias's calls, above 0 and below 1; 0 ends it. */
  readonly weight: number;
  /** CONFLICT unless the alias points here now; absent: wherever. */
  readonly expected?: Version;
  readonly gate?: Gate;
  /** Without a gate: NOT_ACCEPTED where a contract is in force after all. */
  readonly uncontracted?: boolean;
}

export interface HoldAlias extends Change {
  readonly model: string;
  readonly aliasName: string;
  readonly action: Extract<LedgerAction, 'hold' | 'release'>;
}

export interface RetireVersion extends Change {
  readonly model: string;
  readonly version: Version;
}

export interface PruneVersion extends Change {
  readonly model: string;
  readonly version: Version;
  /** It stays when it is among so many newest. */
  readonly keep: number;
}

export interface PublishVersion extends Change {
  readonly model: string;
  /** The envelope; read only where it must be sent. INVALID_INPUT where it does not match `record.version`. */
  readonly bytes: Uint8Array | ByteStream;
  /**
   * A sealed upload whose bytes, behind `header`, are the envelope: where it is still there, its parts become the version's
   * without being sent again, or verified.
   */
  readonly upload?: { readonly uploadId: string; readonly header: Uint8Array };
  readonly record: Omit<VersionRecord, 'publishedAt' | 'sizeBytes'>;
  readonly runConfigurationJson?: string;
  /** Of an ensemble: versions of the same model, which are neither pruned nor retired while it is there. */
  readonly members?: readonly Version[];
}

/** What a server must know of a model to route calls, read in one atomic step. */
export interface ModelState {
  readonly model: string;
  /** The ledger's last sequence number; 0 before the first line. */
  readonly epoch: number;
  readonly aliases: readonly AliasPointer[];
  /** Of the contract in force. */
  readonly contractFingerprint?: string;
}

export interface StoreWatcher {
  /**
   * Called for each model whose state changed, soon after (pub/sub), and at the latest a poll later. One model's calls come
   * one after the other; a call that fails is repeated a poll later.
   */
  onChange(state: ModelState): void | Promise<void>;
  /** Called when the store becomes reachable or unreachable. */
  onConnection?(connected: boolean): void;
}

/** Following a store's models, until it is stopped. */
export interface Watching {
  stop(): Promise<void>;
  /** Whether the store answers. A connection that is open and silent says no within two seconds. */
  readonly reachable: boolean;
  /** When the store was last heard, on performance.now()'s clock. */
  readonly heardMs: number;
  /** Models that have changed, and have not been told since. */
  readonly behind: readonly string[];
}

export interface ModelStore {
  /** Bytes of the largest part: 1 MiB. */
  readonly partBytes: number;

  /** The names of all models, sorted. */
  models(): Promise<readonly string[]>;
  state(model: string): Promise<ModelState>;

  beginUpload(model: string, sizeBytes: number): Promise<string>;
  /** Parts may come in any order and repeatedly; offsets are multiples of `partBytes`. @returns bytes received in all */
  uploadPart(uploadId: string, offset: number, data: Uint8Array): Promise<number>;
  /**
   * The whole upload, which takes no other bytes from now on; INVALID_INPUT while parts are missing, NOT_FOUND when it is
   * unknown or expired.
   */
  openUpload(uploadId: string): Promise<ByteStream>;
  /** The upload has served its purpose: it goes within a minute, so that a call that is repeated still finds it. */
  releaseUpload(uploadId: string): Promise<void>;

  /**
   * Makes a version visible, whole, with its record and its ledger line. A version that is already there keeps its
   * bytes, its first record and its place, and nothing is read or sent; `published` is false then and no line is added.
   * NOT_FOUND where a member is not there or retired.
   */
  publishVersion(request: PublishVersion): Promise<{ readonly published: boolean; readonly record: VersionRecord }>;
  /** The stored envelope, verified: MODEL_BROKEN when it does not match its digest, NOT_FOUND when it is not there or retired. */
  readVersion(model: string, version: Version): Promise<Buffer>;
  /** The same in pieces: what does not match its digest is told behind the last one. */
  openVersion(model: string, version: Version): Promise<ByteStream>;
  version(model: string, version: Version): Promise<VersionRecord | undefined>;
  /** Newest first. */
  versions(model: string): Promise<readonly VersionRecord[]>;
  /** The full version that starts with `prefix` (8 to 64 hex characters); NOT_FOUND, or INVALID_INPUT when several do. */
  resolveVersion(model: string, prefix: string): Promise<Version>;
  runConfiguration(model: string, runId: string): Promise<string | undefined>;

  /** Puts a contract in force. A line is added only when contract or fixtures differ from what is in force. */
  publishContract(request: PublishContract): Promise<void>;
  /** Stores a contract beside the one in force. CONFLICT where it is in force, or somebody else has proposed it. */
  proposeContract(request: ProposeContract): Promise<void>;
  /** Puts in force what somebody else has proposed. */
  agreeContract(request: AgreeContract): Promise<void>;
  /** NOT_FOUND without such a proposal. */
  withdrawContract(request: WithdrawContract): Promise<LedgerEntry>;
  /** Oldest first. */
  proposedContracts(model: string): Promise<readonly ProposedContract[]>;
  /** The contract in force, or the one with this fingerprint. */
  contract(model: string, fingerprint?: string): Promise<ContractRecord | undefined>;
  fixtures(model: string, fixtureFingerprint: string): Promise<Buffer>;

  /** Adds an `accept` or `reject` line. */
  recordVerdict(
    request: Change & { readonly model: string; readonly version: Version; readonly verdict: Verdict },
  ): Promise<void>;
  /** @param earlier contracts whose verdicts count too, where there is none for this one, the first of them first */
  verdict(
    model: string,
    version: Version,
    contractFingerprint: string,
    fixtureFingerprint: string,
    earlier?: readonly string[],
  ): Promise<Verdict | undefined>;

  /** Ends the alias's canary with the same line. CONFLICT, NOT_FOUND for a retired version, and what `gate` says. */
  moveAlias(request: MoveAlias): Promise<LedgerEntry>;
  /** Begins, weighs or ends a canary. CONFLICT while another version is the alias's canary. */
  setCanary(request: SetCanary): Promise<LedgerEntry>;
  /** Holds an alias where it is, or releases it. CONFLICT when it is so already. */
  holdAlias(request: HoldAlias): Promise<LedgerEntry>;
  /**
   * Takes a version out of reach, for good; its record and bytes stay. CONFLICT while an alias leads to it, or an
   * ensemble that is not retired is made of it.
   */
  retireVersion(request: RetireVersion): Promise<LedgerEntry>;
  /** Removes a version's bytes, record and verdicts; undefined, and nothing removed, where it is to be kept. */
  pruneVersion(request: PruneVersion): Promise<LedgerEntry | undefined>;
  /** Every alias, sorted, with its last change. */
  aliases(model: string): Promise<readonly AliasState[]>;
  /** What the alias pointed at before, nearest first: what a rollback may go to. */
  trail(model: string, aliasName: string): Promise<readonly Version[]>;
  /** Newest first. */
  ledger(
    model: string,
    query?: { readonly aliasName?: string; readonly limit?: number },
  ): Promise<readonly LedgerEntry[]>;

  /** Follows all models, those that appear later too. `onChange` has been called for every model when this resolves. */
  watch(watcher: StoreWatcher): Promise<Watching>;
  readonly connected: boolean;
  close(): Promise<void>;
}
