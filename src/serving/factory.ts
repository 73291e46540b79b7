/**
 * Turns a version into a servable: read from the store, which verifies it, loaded, kept while memory allows. The one owner
 * of servables.
 *
 * Callers that want the same version at the same time share one load. What failed for want of something that may come back
 * is tried again by the next call; bytes that cannot be served are refused for a second without being read again. A version
 * that is let go is released when its last user has left, never under a call.
 */
import type { Logger } from 'pino';
import { ParleyError, shuttingDown } from '../errors.js';
import type { ModelStore } from '../model/store-port.js';
import type { Artifact } from '../model/trained.js';
import type { Version } from '../model/version.js';
import { deserialize } from '../model-types/table.js';
import type { Batcher } from './batcher.js';
import { memberVersions } from './ensemble-session.js';
import { footprintOf } from './footprint.js';
import { DURATION_BUCKETS, Histogram } from './histogram.js';
import { type LoadSession, loadInline } from './load-inline.js';
import { chooseEvictions, IMPORTANCE, type Importance, Memory, type Resident } from './memory.js';
import { DEFAULT_SETTINGS, type SettingsOf } from './model-settings.js';
import { CacheCounts } from './result-cache.js';
import { Servable } from './servable.js';
import { Shadow, Shadowing } from './shadow.js';
import { Tallies } from './tallies.js';

const REFUSED_MS = 1_000;
/** Failures that lie in the bytes. */
const LASTING: readonly string[] = ['MODEL_BROKEN', 'UNSUPPORTED'];

export interface Loaded {
  readonly servable: Servable;
  readonly bytes: number;
}

interface Refusal {
  readonly error: ParleyError;
  readonly untilMs: number;
}

export class Factory {
  readonly #store: Pick<ModelStore, 'readVersion'>;
  readonly #batcher: Batcher;
  readonly #memory: Memory;
  readonly #loadSession: LoadSession;
  readonly #loaded = new Map<string, Loaded>();
  readonly #loading = new Map<string, Promise<Servable>>();
  readonly #refused = new Map<string, Refusal>();
  readonly #caches = new Map<string, CacheCounts>();
  readonly #shadowings = new Map<string, Shadowing>();
  readonly #settingsOf: SettingsOf;
  #importanceOf: (servable: Servable) => Importance = () => IMPORTANCE.none;
  #onGone: (servable: Servable) => void = () => {};
  #closed = false;
  /** What each version has answered. */
  readonly tallies = new Tallies();
  /** Microseconds of the loads that succeeded, the wait for memory among them. */
  readonly loadDurations = new Histogram(DURATION_BUCKETS);
  /** Since this process started. */
  loads = 0;
  loadFailures = 0;
  evictions = 0;

  /**
   * @param memoryLimitBytes what loaded versions may take together, by {@link footprintOf}, wherever they run
   * @param loadSession how a graph becomes a session
   * @param settingsOf how a model's versions are to answer
   */
  constructor(
    store: Pick<ModelStore, 'readVersion'>,
    batcher: Batcher,
    {
      memoryLimitBytes = Number.POSITIVE_INFINITY,
      loadSession = loadInline,
      settingsOf = () => DEFAULT_SETTINGS,
    }: {
      readonly memoryLimitBytes?: number;
      readonly loadSession?: LoadSession;
      readonly settingsOf?: SettingsOf;
    } = {},
  ) {
    this.#settingsOf = settingsOf;
    this.#store = store;
    this.#batcher = batcher;
    this.#loadSession = loadSession;
    this.#memory = new Memory(memoryLimitBytes, (bytes) => this.#evict(bytes));
  }

  /** Who says what may go before what, and is told what has gone. */
  followedBy(importanceOf: (servable: Servable) => Importance, onGone: (servable: Servable) => void): void {
    this.#importanceOf = importanceOf;
    this.#onGone = onGone;
  }

  /** The servable, if it is loaded now. */
  loaded(model: string, version: Version): Servable | undefined {
    return this.#loaded.get(keyOf(model, version))?.servable;
  }

  get size(): number {
    return this.#loaded.size;
  }

  get memory(): Pick<Memory, 'takenBytes' | 'limitBytes'> {
    return this.#memory;
  }

  /**
   * A version that stays loaded at least until this turn of the event loop ends.
   *
   * @throws ParleyError NOT_FOUND, MODEL_BROKEN, STORE_UNAVAILABLE; UNSUPPORTED and OVERLOADED where memory does not allow
   *   it; SHUTTING_DOWN after `close`
   */
  async load(model: string, version: Version): Promise<Servable> {
    const key = keyOf(model, version);
    const servable = this.#loaded.get(key)?.servable ?? (await this.#loadOnce(key, model, version));
    servable.users.enterForThisTurn();
    return servable;
  }

  #loadOnce(key: string, model: string, version: Version): Promise<Servable> {
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#load(key, model, version).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #load(key: string, model: string, version: Version): Promise<Servable> {
    this.#checkRefused(key);
    const beganMs = performance.now();
    try {
      const servable = await this.#read(key, model, version);
      this.loads++;
      this.loadDurations.record((performance.now() - beganMs) * 1000);
      return servable;
    } catch (error) {
      if (this.#closed) throw error;
      this.loadFailures++;
      if (error instanceof ParleyError && LASTING.includes(error.code))
        this.#refused.set(key, { error, untilMs: performance.now() + REFUSED_MS });
      throw error;
    }
  }

  #checkRefused(key: string): void {
    const now = performance.now();
    for (const [refused, { untilMs }] of this.#refused) if (untilMs <= now) this.#refused.delete(refused);
    const refusal = this.#refused.get(key);
    if (refusal !== undefined) throw refusal.error;
  }

  async #read(key: string, model: string, version: Version): Promise<Servable> {
    const envelope = await this.#store.readVersion(model, version);
    this.#refuseWhenClosed();
    const artifact = deserialize(envelope);
    const members = await this.#membersOf(model, artifact);
    const bytes = [...members.values()].reduce(
      (sum, each) => sum + footprintOf(each.length, deserialize(each).graph),
      footprintOf(envelope.length, artifact.graph),
    );
    await this.#memory.take(bytes, `version ${version.slice(0, 12)} of model "${model}"`);
    let servable: Servable | undefined;
    try {
      this.#refuseWhenClosed();
      servable = await Servable.of(
        model,
        version,
        artifact,
        this.#batcher,
        async (member) => members.get(member)!,
        this.#loadSession,
      );
      this.#refuseWhenClosed();
    } catch (error) {
      servable?.release();
      this.#memory.free(bytes);
      throw error;
    }
    servable.tally = this.tallies.of(model, version);
    servable.shadowing = this.shadowingOf(model);
    servable.applySettings(
      this.#settingsOf(model),
      ofModel(this.#caches, model, () => new CacheCounts()),
    );
    this.#loaded.set(key, { servable, bytes });
    return servable;
  }

  /** An ensemble's members' envelopes; empty for any other version. */
  async #membersOf(model: string, artifact: Artifact): Promise<ReadonlyMap<Version, Uint8Array>> {
    const members = new Map<Version, Uint8Array>();
    for (const member of memberVersions(artifact)) {
      members.set(member, await this.#store.readVersion(model, member));
      this.#refuseWhenClosed();
    }
    return members;
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw shuttingDown('the server is stopping; another one will answer');
  }

  /** The versions of a model that are loaded now. */
  servablesOf(model: string): readonly Servable[] {
    return [...this.#loaded.values()].map(({ servable }) => servable).filter((servable) => servable.model === model);
  }

  /** By model; of every model that was ever loaded. */
  get caches(): ReadonlyMap<string, CacheCounts> {
    return this.#caches;
  }

  /** By model; of every model that was ever loaded, or has a shadow. */
  get shadowings(): ReadonlyMap<string, Shadowing> {
    return this.#shadowings;
  }

  /** What asks a version beside production; it is loaded when there is something to ask, and may be let go again. */
  shadowOn(
    model: string,
    version: Version,
    shadowing: Shadowing,
    log: Logger,
    answersProduction: (version: Version) => boolean,
  ): Shadow {
    return new Shadow({
      model,
      version,
      shadowing,
      log,
      answersProduction,
      batcher: this.#batcher,
      loaded: () => this.loaded(model, version),
      load: () => this.load(model, version),
    });
  }

  shadowingOf(model: string): Shadowing {
    return ofModel(this.#shadowings, model, () => new Shadowing());
  }

  /** What is loaded now, and the bytes that each takes. */
  get loadedVersions(): Iterable<Loaded> {
    return this.#loaded.values();
  }

  /** The model's versions that are loaded now. */
  versionsOf(model: string): readonly Version[] {
    return this.servablesOf(model).map(({ version }) => version);
  }

  /** By model: how many versions are loaded, and the bytes that they take. */
  get residents(): ReadonlyMap<string, { readonly versions: number; readonly bytes: number }> {
    const sums = new Map<string, { versions: number; bytes: number }>();
    for (const { servable, bytes } of this.#loaded.values()) {
      const { versions, bytes: before } = sums.get(servable.model) ?? { versions: 0, bytes: 0 };
      sums.set(servable.model, { versions: versions + 1, bytes: before + bytes });
    }
    return sums;
  }

  #evict(wantedBytes: number): boolean {
    const residents = [...this.#loaded].map(([key, { servable, bytes }]): Resident & { readonly key: string } => ({
      key,
      bytes,
      importance: this.#importanceOf(servable),
      usedMs: servable.usedMs,
      inUse: servable.users.any,
    }));
    const chosen = chooseEvictions(residents, wantedBytes);
    for (const { key } of chosen ?? []) this.#letGo(key);
    this.evictions += chosen?.length ?? 0;
    return chosen !== undefined;
  }

  /** Is no longer given out. Calls that wait in its batches are answered; its session is released behind the last of them. */
  forget(model: string, version: Version): void {
    this.#letGo(keyOf(model, version));
  }

  #letGo(key: string): void {
    const found = this.#loaded.get(key);
    if (found === undefined) return;
    const { servable, bytes } = found;
    this.#loaded.delete(key);
    this.tallies.end(servable.model, servable.version);
    this.#onGone(servable);
    servable.users.giveUp(() => {
      servable.release();
      this.#memory.free(bytes);
    });
  }

  /** Releases every servable at once; one that is being loaded is released when it is there. */
  close(): void {
    this.#closed = true;
    for (const { servable } of this.#loaded.values()) servable.release();
    this.#loaded.clear();
  }
}

function ofModel<T>(owned: Map<string, T>, model: string, make: () => T): T {
  let found = owned.get(model);
  if (found === undefined) owned.set(model, (found = make()));
  return found;
}

const keyOf = (model: string, version: Version) => `${model}:${version}`;
