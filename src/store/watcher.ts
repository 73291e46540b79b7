/**
 * Follows all models of a store and tells of every change, soon and surely.
 *
 * Soon: a change is announced on a channel. Surely: announcements may be lost, so each second, and whenever a connection
 * comes back, each model's epoch is compared with the one that was told last. A model's calls come one after the other;
 * a change that happens during a call is told after it. A call that fails is repeated at the next comparison.
 *
 * A comparison that is not answered soon means that the store is cut off, before its connection is given up: a reply may
 * still come, and cutting the connection would cost others theirs. The subscription is asked each second too, since a
 * connection that died in silence would cost every later change a second.
 */
import { setTimeout } from 'node:timers/promises';
import type { ModelState, StoreWatcher } from '../model/store-port.js';
import type { StoreContext } from './context.js';
import type { Link, QueueCommand } from './link.js';

const POLL_MS = 1_000;
/** With the time between two comparisons, less than two seconds. */
const SILENT_MS = 800;

interface Followed {
  /** Of the state that was told last; undefined before the first. */
  told?: number;
  /** The latest that was compared or announced. */
  seen?: number;
  /** Something may have changed since the state was read last. */
  stale: boolean;
  telling?: Promise<void>;
}

export class Watcher {
  private readonly followed = new Map<string, Followed>();
  private readonly stopping = new AbortController();
  private reachable = true;
  private polling: Promise<void> = Promise.resolve();
  private comparing: Promise<void> | undefined;
  /** When the comparison that is under way began to wait for its replies; undefined while none does. */
  private askedMs: number | undefined;
  /** When the store was last heard, on performance.now()'s clock. */
  heardMs = Number.NEGATIVE_INFINITY;
  private pinging: Promise<void> | undefined;
  private compareAgain = false;

  /** @param events a connection of its own, which is closed by {@link stop} */
  constructor(
    private readonly context: StoreContext,
    private readonly events: Link,
    private readonly readState: (model: string) => Promise<ModelState>,
    private readonly watcher: StoreWatcher,
    private readonly pollMs = POLL_MS,
  ) {}

  /** Resolves when every model that is there has been told. */
  async start(): Promise<void> {
    this.events.onMessage((message) => this.announced(message));
    try {
      await this.events.open();
      await this.subscribe();
      await Promise.all(await this.compare());
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.events.onReady(() => this.resubscribed());
    this.context.commands.onReady(() => this.compareSoon());
    this.context.commands.onClose(() => this.tellReachable(false));
    this.polling = this.poll();
  }

  /** No call begins after this; one that is under way is not waited for, so that it may stop us itself. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.polling;
    await this.events.close();
  }

  /** Known before `onConnection` is called, which waits for the connection to be given up. */
  get isReachable(): boolean {
    if (this.askedMs !== undefined && performance.now() - this.askedMs > SILENT_MS) return false;
    return this.reachable && this.context.commands.connected;
  }

  /** Models whose change is being told, or is still to be. */
  get behind(): string[] {
    return [...this.followed].filter(([, { seen, told }]) => (seen ?? 0) > (told ?? 0)).map(([model]) => model);
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async poll(): Promise<void> {
    while (!this.stopped) {
      const slept = await setTimeout(this.pollMs, true, { signal: this.stopping.signal }).catch(() => false);
      if (!slept) return;
      if (this.comparing === undefined) this.compareSoon();
      this.pingEvents();
    }
  }

  /** A host that is gone closes no connection: the one that only listens would wait for ever. */
  private pingEvents(): void {
    this.pinging ??= this.events
      .ask((redis) => redis.ping())
      .then(ignore, ignore)
      .finally(() => {
        this.pinging = undefined;
      });
  }

  private subscribe(): Promise<unknown> {
    return this.events.ask((redis) => redis.subscribe(this.context.keys.events));
  }

  /** Compares once announcements arrive again, so that no change falls in between. */
  private resubscribed(): void {
    const compare = () => this.compareSoon();
    this.subscribe().then(compare, compare);
  }

  /** Compares now, or once more after the comparison that is under way: that one may have read its epochs already. */
  private compareSoon(): void {
    if (this.stopped) return;
    if (this.comparing !== undefined) {
      this.compareAgain = true;
      return;
    }
    this.comparing = this.compare()
      .then(
        (tellings) => {
          this.tellReachable(true);
          // Not awaited: a model that takes long to load must not keep the others from being compared. What fails to be
          // read is different at the next comparison too.
          for (const telling of tellings) telling.catch(() => {});
        },
        () => this.tellReachable(false),
      )
      .finally(() => {
        this.comparing = undefined;
        if (!this.compareAgain) return;
        this.compareAgain = false;
        this.compareSoon();
      });
  }

  /** Compares all epochs, and begins to tell of those that differ. */
  private async compare(): Promise<readonly Promise<void>[]> {
    this.askedMs = performance.now();
    try {
      const epochs = await this.epochs();
      this.heardMs = performance.now();
      // A name without a ledger is a publication that has not happened yet: its epoch counts as told.
      return [...epochs]
        .filter(([model, epoch]) => epoch !== (this.followed.get(model)?.told ?? 0))
        .map(([model, epoch]) => this.tell(model, epoch));
    } finally {
      this.askedMs = undefined;
    }
  }

  private async epochs(): Promise<ReadonlyMap<string, number>> {
    const { commands, keys } = this.context;
    const listed = await commands.ask((redis) => redis.smembers(keys.models));
    const models = [...new Set([...listed, ...this.followed.keys()])];
    const queue: QueueCommand = (pipeline, key) => void pipeline.get(key);
    const epochs = await commands.askEach(
      models.map((model) => keys.epoch(model)),
      queue,
    );
    return new Map(models.map((model, i) => [model, Number(epochs[i] ?? 0)]));
  }

  private announced(message: string): void {
    const [model, sequence] = message.split(' ');
    if (this.stopped || model === undefined || this.followed.get(model)?.told === Number(sequence)) return;
    // A failure to read is made good by the next comparison, which also tells that the store is away.
    this.tell(model, Number(sequence)).catch(() => this.compareSoon());
  }

  /** Tells the model's present state; while that is under way already, sees to it that it is told once more. */
  private tell(model: string, seen: number): Promise<void> {
    let one = this.followed.get(model);
    if (one === undefined) this.followed.set(model, (one = { stale: false }));
    const followed = one;
    followed.stale = true;
    followed.seen = seen;
    followed.telling ??= this.tellUntilFresh(model, followed).finally(() => {
      delete followed.telling;
    });
    return followed.telling;
  }

  private async tellUntilFresh(model: string, followed: Followed): Promise<void> {
    while (followed.stale && !this.stopped) {
      followed.stale = false;
      const state = await this.readState(model);
      // An announced change may not have happened: scripts announce before they write.
      if (!followed.stale) followed.seen = state.epoch;
      if (state.epoch === followed.told || this.stopped) continue;
      try {
        await this.watcher.onChange(state);
      } catch {
        // Whoever follows reports its own failures; not counting this call as told brings it again within a second.
        return;
      }
      followed.told = state.epoch;
    }
  }

  private tellReachable(reachable: boolean): void {
    if (this.stopped || reachable === this.reachable) return;
    this.reachable = reachable;
    this.watcher.onConnection?.(reachable);
  }
}

function ignore(): void {
  // Whether it answered or not: the connection has seen to itself, and onReady tells when it is back.
}
