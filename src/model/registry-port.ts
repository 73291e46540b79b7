/**
 * What can be asked of a registry, whether it is in this process, on the store, or behind a server's Thrift port: the
 * CLI's commands are written against this and do not know which.
 *
 * Errors are ParleyErrors with the codes that idl/parley.thrift names. A version may be given as any unique prefix of
 * eight or more characters.
 */
import type { ContractChange } from '../contract/change.js';
import type { Contract } from '../contract/contract.js';
import type { Signature } from './tensor.js';
import type { AliasState, LedgerEntry, ModelVersion, Verdict, Version } from './version.js';

export interface PublishContract {
  readonly idl: string;
  /** File name -> text of every included file but parley.thrift. */
  readonly includes?: Readonly<Record<string, string>>;
  readonly fixturesUploadId?: string;
  readonly fixturesFormat?: 'csv' | 'jsonl' | 'parquet';
  /** The text of checks.yaml, published with the fixtures. */
  readonly checks?: string;
  /** Why callers of the contract in force may break; without it, one that breaks them is refused. */
  readonly allowBreaking?: string;
  /** Only store it beside the contract in force, for somebody else to agree to. */
  readonly propose?: boolean;
  readonly reason?: string;
}

export interface PublishedContract {
  readonly model: string;
  readonly services: readonly string[];
  readonly fingerprint: string;
  readonly fixtureFingerprint?: string;
  /** From the contract that was in force. */
  readonly differences: readonly ContractChange[];
  /** It waits for somebody's agreement, and is not in force. */
  readonly proposed?: boolean;
  /** Versions that were accepted under the contract before stay so; absent where there was none. */
  readonly verdictsStand?: boolean;
}

/** A contract that waits for the agreement of somebody else than the one who proposed it. */
export interface ContractProposal {
  readonly model: string;
  readonly fingerprint: string;
  readonly services: readonly string[];
  readonly proposedBy: string;
  /** Microseconds since the epoch. */
  readonly at: number;
  readonly reason?: string;
  readonly allowBreaking?: string;
  /** The contract that was in force then. */
  readonly previousContractFingerprint?: string;
  readonly fixtureFingerprint?: string;
  /** From that contract. */
  readonly differences: readonly ContractChange[];
  readonly idl: string;
  readonly includes: Readonly<Record<string, string>>;
}

export interface ChosenProposal {
  readonly model: string;
  /** Or its first 8 or more characters. */
  readonly fingerprint: string;
  readonly reason?: string;
  /** To agree only where these are the fixtures that come with it: a proposal may be made again with others. */
  readonly fixtureFingerprint?: string;
}

export interface Publish {
  readonly model: string;
  /** An envelope, or a plain ONNX graph. */
  readonly uploadId: string;
  readonly modelType?: string;
  /** Of a plain graph: the type's own fields, over what the graph says of itself. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly contractService?: string;
  readonly runId?: string;
  readonly runConfigurationJson?: string;
  readonly expectedUploadId?: string;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly description?: string;
}

export interface Promote {
  readonly model: string;
  readonly version: Version;
  readonly aliasName?: string;
  readonly expectedVersion?: Version;
  readonly reason?: string;
  /**
   * The version's share of the alias's calls, 0 to 1; all of them when absent. Between 0 and 1 it becomes, or stays, a
   * canary beside the alias's version; 0 ends the canary.
   */
  readonly canaryWeight?: number;
}

export interface Rollback {
  readonly model: string;
  readonly aliasName?: string;
  readonly toVersion?: Version;
  readonly reason?: string;
}

export interface Hold {
  readonly model: string;
  readonly aliasName?: string;
  readonly reason?: string;
}

export interface Retire {
  readonly model: string;
  readonly version: Version;
  readonly reason?: string;
}

export interface Prune {
  readonly model: string;
  /** So many of the newest stay, 0 or more; what an alias ever led to stays in any case. */
  readonly keep: number;
  /** Only say what would be removed. */
  readonly dryRun?: boolean;
  readonly reason?: string;
}

export interface HistoryQuery {
  readonly model: string;
  readonly aliasName?: string;
  readonly at?: number;
  readonly limit?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string;
}

/** What a version takes and gives. */
export interface Described {
  readonly version: Version;
  readonly modelType: string;
  readonly signature: Signature;
  /** The model type's own fields, as docs/redis-schema.md names them. */
  readonly typeFields: Readonly<Record<string, string>>;
}

export interface RegistryPort {
  /** CONTRACT_MISMATCH where it breaks callers of the one in force; PERMISSION_DENIED where that one is to be agreed to. */
  publishContract(request: PublishContract): Promise<PublishedContract>;
  /** Puts a proposal of somebody else in force; PERMISSION_DENIED where it is the caller's own. */
  agreeContract(request: ChosenProposal): Promise<PublishedContract>;
  withdrawContract(request: ChosenProposal): Promise<LedgerEntry>;
  /** Oldest first; of all models when none is named. */
  contractProposals(model?: string): Promise<readonly ContractProposal[]>;
  /** @returns the largest part that is taken, in bytes */
  beginUpload(model: string, sizeBytes: number): Promise<{ uploadId: string; partBytes: number }>;
  /** @returns how many bytes have been received in all */
  uploadPart(uploadId: string, offset: number, data: Uint8Array): Promise<number>;
  publish(request: Publish): Promise<ModelVersion>;
  describe(model: string, version: Version): Promise<Described>;
  /** Newest first; of all models when none is named. */
  listVersions(query: { model?: string; limit?: number; pageToken?: string }): Promise<Page<ModelVersion>>;
  accept(model: string, version: Version): Promise<Verdict>;
  promote(request: Promote): Promise<LedgerEntry>;
  /** While a canary runs, and no version is named, it ends the canary and the alias stays where it is. */
  rollback(request: Rollback): Promise<LedgerEntry>;
  /** No promotion, rollback or canary changes the alias until it is released: CONFLICT. */
  hold(request: Hold): Promise<LedgerEntry>;
  release(request: Hold): Promise<LedgerEntry>;
  retire(request: Retire): Promise<LedgerEntry>;
  /** @returns what was removed, or would be, oldest first */
  prune(request: Prune): Promise<readonly ModelVersion[]>;
  /** Newest first. */
  history(query: HistoryQuery): Promise<readonly LedgerEntry[]>;
  /** Undefined where the model has none. */
  contractInForce(model: string): Promise<Contract | undefined>;
  aliases(model: string): Promise<readonly AliasState[]>;
}
