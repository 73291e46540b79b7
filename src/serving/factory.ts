/**
 * Turns a version into a servable: read from the store, verified, loaded, kept. The one owner of servables.
 *
 * Callers that want the same version at the same time share one load. A load that failed is not remembered, so the next
 * call tries again.
 */
import { shuttingDown } from '../errors.js';
import type { ModelStore } from '../model/store-port.js';
import type { Version } from '../model/version.js';
import type { Batcher } from './batcher.js';
import { Servable } from './servable.js';

export class Factory {
  readonly #store: Pick<ModelStore, 'readVersion'>;
  readonly #batcher: Batcher;
  readonly #loaded = new Map<string, Servable>();
  readonly #loading = new Map<string, Promise<Servable>>();
  #closed = false;

  constructor(store: Pick<ModelStore, 'readVersion'>, batcher: Batcher) {
    this.#store = store;
    this.#batcher = batcher;
  }

  /** The servable, if it is loaded now. */
  loaded(model: string, version: Version): Servable | undefined {
    return this.#loaded.get(keyOf(model, version));
  }

  get size(): number {
    return this.#loaded.size;
  }

  /** @throws ParleyError NOT_FOUND, MODEL_BROKEN, STORE_UNAVAILABLE; SHUTTING_DOWN after `close` */
  load(model: string, version: Version): Promise<Servable> {
    const key = keyOf(model, version),
      ready = this.#loaded.get(key);
    if (ready !== undefined) return Promise.resolve(ready);
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#load(model, version).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #load(model: string, version: Version): Promise<Servable> {
    const envelope = await this.#store.readVersion(model, version);
    if (this.#closed) throw shuttingDown('the server is stopping; another one will answer');
    const servable = await Servable.load(model, version, envelope, this.#batcher, (member) =>
      this.#store.readVersion(model, member),
    );
    if (this.#closed) {
      servable.release();
      throw shuttingDown('the server is stopping; another one will answer');
    }
    this.#loaded.set(keyOf(model, version), servable);
    return servable;
  }

  /** The model's versions that are loaded now. */
  versionsOf(model: string): readonly Version[] {
    return [...this.#loaded.values()].filter((servable) => servable.model === model).map(({ version }) => version);
  }

  /** Is no longer given out. Calls that wait in its batches are answered; its session goes with the last of them. */
  forget(model: string, version: Version): void {
    this.#loaded.delete(keyOf(model, version));
  }

  /** Releases every servable; one that is being loaded is released when it is there. */
  close(): void {
    this.#closed = true;
    for (const servable of this.#loaded.values()) servable.release();
    this.#loaded.clear();
  }
}

const keyOf = (model: string, version: Version) => `${model}:${version}`;
