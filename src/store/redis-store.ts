/**
 * The model store on Redis: every state change is one Lua script, every key is spelled by keys.ts.
 *
 * Constructing costs nothing; the first call, or {@link RedisStore.open}, connects. {@link RedisStore.close} ends the
 * watchers, then the connections.
 */
import { randomBytes } from 'node:crypto';
import type { ByteStream } from '../model/byte-stream.js';
import type {
  AgreeContract,
  CheckTypeFields,
  ContractRecord,
  HoldAlias,
  ModelState,
  ModelStore,
  MoveAlias,
  ProposeContract,
  ProposedContract,
  PruneVersion,
  PublishContract,
  PublishVersion,
  RetireVersion,
  SetCanary,
  StoreWatcher,
  VersionRecord,
  Watching,
  WithdrawContract,
} from '../model/store-port.js';
import type { AliasState, LedgerEntry, Verdict, Version } from '../model/version.js';
import type { RedisAddress } from './address.js';
import { Aliases } from './aliases.js';
import { RedisArchive } from './archive.js';
import { Canaries } from './canaries.js';
import type { StoreContext } from './context.js';
import { Contracts } from './contracts.js';
import { fieldsOf } from './durability.js';
import { Holds } from './holds.js';
import { Keys } from './keys.js';
import { Ledger, type LedgerQuery } from './ledger.js';
import type { Link, QueueCommand } from './link.js';
import { linkTo } from './open-link.js';
import { PART_BYTES } from './parts.js';
import { Proposals } from './proposals.js';
import { RecordReader } from './records.js';
import { Retention } from './retention.js';
import { Uploads } from './uploads.js';
import { Versions } from './versions.js';
import { Watcher } from './watcher.js';

/** Who runs the Redis that a store uses, where that is us. */
export interface RedisHost {
  /** The connection was lost: start Redis again if it is gone. Called again at each failed try to reconnect. */
  heal(): void;
  /** The store leaves: the last one ends Redis, under whatever keeps others from joining meanwhile. */
  release(departure: Departure): Promise<void>;
}

/** What a host lets a leaving store do, in this order. */
export interface Departure {
  /** Names of the connections of other stores. */
  others(): Promise<readonly string[]>;
  /** Ends Redis. */
  shutdown(): Promise<void>;
  /** Ends our connection; Redis has taken note when it resolves. Harmless when repeated. */
  leave(): Promise<void>;
}

export interface RedisStoreOptions {
  readonly connection: RedisAddress;
  /** Before every key and channel; for tests that share one Redis. */
  readonly keyPrefix?: string;
  /** Stands on every ledger line. */
  readonly environment?: string;
  readonly host?: RedisHost;
  /** What fields of their types versions' records may have; any, when absent. */
  readonly checkTypeFields?: CheckTypeFields;
  /** Told of what an operator should know and no call fails of. */
  readonly warn?: (message: string) => void;
  /** Between two comparisons of epochs by a watcher; a second unless said otherwise. */
  readonly pollMs?: number;
}

export class RedisStore implements ModelStore {
  readonly partBytes = PART_BYTES;
  readonly address: RedisAddress;
  /** Whole models, on their way to another store or from one. */
  readonly archive: RedisArchive;

  private readonly name = `parley:${process.pid}`;
  private readonly id = randomBytes(4).toString('hex');
  private readonly host: RedisHost | undefined;
  private readonly context: StoreContext;
  private readonly pollMs: number | undefined;
  private readonly warn: ((message: string) => void) | undefined;
  private readonly watchers = new Set<Watcher>();
  private closed: Promise<void> | undefined;

  private readonly uploads: Uploads;
  private readonly published: Versions;
  private readonly contracts: Contracts;
  private readonly proposals: Proposals;
  private readonly history: Ledger;
  private readonly pointers: Aliases;
  private readonly canaries: Canaries;
  private readonly holds: Holds;
  private readonly retention: Retention;

  constructor(options: RedisStoreOptions) {
    this.address = options.connection;
    this.host = options.host;
    this.pollMs = options.pollMs;
    this.warn = options.warn;
    this.context = {
      keys: new Keys(options.keyPrefix),
      records: new RecordReader(this.address.text, options.checkTypeFields ?? ((_modelType, fields) => fields)),
      commands: this.connection('commands', () => this.host?.heal()),
      changes: this.connection('changes'),
      bulk: this.connection('bulk'),
      environment: options.environment ?? '',
    };
    this.uploads = new Uploads(this.context);
    this.published = new Versions(this.context, this.uploads);
    this.contracts = new Contracts(this.context);
    this.proposals = new Proposals(this.context);
    this.history = new Ledger(this.context);
    this.pointers = new Aliases(this.context, this.history);
    this.canaries = new Canaries(this.context, this.history);
    this.holds = new Holds(this.context, this.history);
    this.retention = new Retention(this.context, this.history);
    this.archive = new RedisArchive(this.context, this.published, this.contracts, this.pointers);
  }

  /** Connects now, and says why where that fails; without it the first call connects. */
  open(): Promise<void> {
    return this.context.commands.open();
  }

  get connected(): boolean {
    return this.context.commands.connected;
  }

  /** What Redis says of itself, by field: `redis_version`, `process_id`, … */
  async serverInfo(): Promise<ReadonlyMap<string, string>> {
    return fieldsOf(await this.context.commands.ask((redis) => redis.info('server')));
  }

  async ping(): Promise<void> {
    await this.context.commands.ask((redis) => redis.ping());
  }

  async models(): Promise<readonly string[]> {
    const { commands, keys } = this.context;
    const names = await commands.ask((redis) => redis.smembers(keys.models));
    const queue: QueueCommand = (pipeline, key) => void pipeline.exists(key);
    const epochs = await commands.askEach(
      names.map((name) => keys.epoch(name)),
      queue,
    );
    return names.filter((_, i) => epochs[i] === 1).sort();
  }

  state(model: string): Promise<ModelState> {
    return this.pointers.state(model);
  }

  beginUpload(model: string, sizeBytes: number): Promise<string> {
    return this.uploads.begin(model, sizeBytes);
  }

  uploadPart(uploadId: string, offset: number, data: Uint8Array): Promise<number> {
    return this.uploads.part(uploadId, offset, data);
  }

  openUpload(uploadId: string): Promise<ByteStream> {
    return this.uploads.open(uploadId);
  }

  releaseUpload(uploadId: string): Promise<void> {
    return this.uploads.release(uploadId);
  }

  publishVersion(request: PublishVersion): Promise<{ published: boolean; record: VersionRecord }> {
    return this.published.publish(request);
  }

  readVersion(model: string, version: Version): Promise<Buffer> {
    return this.published.read(model, version);
  }

  openVersion(model: string, version: Version): Promise<ByteStream> {
    return this.published.open(model, version);
  }

  version(model: string, version: Version): Promise<VersionRecord | undefined> {
    return this.published.find(model, version);
  }

  versions(model: string): Promise<readonly VersionRecord[]> {
    return this.published.list(model);
  }

  resolveVersion(model: string, prefix: string): Promise<Version> {
    return this.published.resolve(model, prefix);
  }

  runConfiguration(model: string, runId: string): Promise<string | undefined> {
    return this.published.runConfiguration(model, runId);
  }

  publishContract(request: PublishContract): Promise<void> {
    return this.contracts.publish(request);
  }

  proposeContract(request: ProposeContract): Promise<void> {
    return this.proposals.propose(request);
  }

  agreeContract(request: AgreeContract): Promise<void> {
    return this.contracts.agree(request);
  }

  withdrawContract(request: WithdrawContract): Promise<LedgerEntry> {
    return this.proposals.withdraw(request);
  }

  proposedContracts(model: string): Promise<readonly ProposedContract[]> {
    return this.proposals.list(model);
  }

  contract(model: string, fingerprint?: string): Promise<ContractRecord | undefined> {
    return this.contracts.find(model, fingerprint);
  }

  fixtures(model: string, fixtureFingerprint: string): Promise<Buffer> {
    return this.contracts.fixtures(model, fixtureFingerprint);
  }

  recordVerdict(request: Parameters<ModelStore['recordVerdict']>[0]): Promise<void> {
    return this.contracts.recordVerdict(request);
  }

  verdict(...request: Parameters<ModelStore['verdict']>): Promise<Verdict | undefined> {
    return this.contracts.verdict(...request);
  }

  moveAlias(request: MoveAlias): Promise<LedgerEntry> {
    return this.pointers.move(request);
  }

  setCanary(request: SetCanary): Promise<LedgerEntry> {
    return this.canaries.set(request);
  }

  holdAlias(request: HoldAlias): Promise<LedgerEntry> {
    return this.holds.change(request);
  }

  retireVersion(request: RetireVersion): Promise<LedgerEntry> {
    return this.retention.retire(request);
  }

  pruneVersion(request: PruneVersion): Promise<LedgerEntry | undefined> {
    return this.retention.prune(request);
  }

  aliases(model: string): Promise<readonly AliasState[]> {
    return this.pointers.list(model);
  }

  trail(model: string, aliasName: string): Promise<readonly Version[]> {
    return this.pointers.trail(model, aliasName);
  }

  ledger(model: string, query?: LedgerQuery): Promise<readonly LedgerEntry[]> {
    return this.history.read(model, query);
  }

  async watch(watcher: StoreWatcher): Promise<Watching> {
    const readState = (model: string) => this.pointers.state(model);
    const watching = new Watcher(this.context, this.connection('events'), readState, watcher, this.pollMs);
    this.watchers.add(watching);
    const stop = async () => {
      this.watchers.delete(watching);
      await watching.stop();
    };
    try {
      await watching.start();
    } catch (error) {
      this.watchers.delete(watching);
      throw error;
    }
    return {
      stop,
      get reachable() {
        return watching.isReachable;
      },
      get heardMs() {
        return watching.heardMs;
      },
      get behind() {
        return watching.behind;
      },
    };
  }

  close(): Promise<void> {
    this.closed ??= this.leave();
    return this.closed;
  }

  private async leave(): Promise<void> {
    await Promise.all([...this.watchers].map((watcher) => watcher.stop()));
    const { bulk, changes, commands } = this.context;
    await Promise.all([bulk.close(), changes.close()]);
    const leave = () => commands.close();
    if (this.host === undefined) return leave();
    await this.host.release({ others: () => this.otherStores(), shutdown: () => this.shutdown(), leave });
  }

  /** Names of the connections that other stores have, in this process or another. */
  private async otherStores(): Promise<readonly string[]> {
    const list = await this.context.commands.ask((redis) => redis.client('LIST'));
    const names = [...String(list).matchAll(/ name=(parley:\S+)/g)].map((match) => match[1]!);
    return names.filter((name) => !name.endsWith(`-${this.id}`));
  }

  private async shutdown(): Promise<void> {
    const { commands } = this.context;
    commands.expectEnd();
    // Redis answers by ending the connection, which ioredis takes for a failure; NOSAVE: the log has everything.
    await commands.ask((redis) => redis.shutdown('NOSAVE'), { repeat: false, deadlineMs: 10_000 }).catch(() => {});
  }

  private connection(role: string, onLost?: () => void): Link {
    const events = {
      ...(onLost === undefined ? {} : { onLost }),
      ...(this.warn === undefined ? {} : { warn: this.warn }),
    };
    return linkTo(this.address, `${this.name}:${role}-${this.id}`, events);
  }
}
