/** A store with a random key prefix, and short ways to put something into it. */
import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { ParleyError } from '#parley/errors.js';
import { wholeOf } from '#parley/model/byte-stream.js';
import type { ContractRecord, VersionRecord } from '#parley/model/store-port.js';
import type { Verdict } from '#parley/model/version.js';
import { checkRecordFields } from '#parley/model-types/record-fields.js';
import { Keys } from '#parley/store/keys.js';
import { RedisStore } from '#parley/store/redis-store.js';
import type { TestRedis } from './redis-server.js';

export const MODEL = 'penguins';
export const BY = { actor: 'ada' };

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function failure(promise: Promise<unknown>): Promise<ParleyError> {
  try {
    await promise;
  } catch (error) {
    expect(error).to.have.property('name', 'ParleyError');
    return error as ParleyError;
  }
  throw new Error('expected a failure');
}

export class World {
  readonly prefix = `${randomBytes(6).toString('hex')}:`;
  readonly keys = new Keys(this.prefix);
  readonly store: RedisStore;
  private readonly stores: RedisStore[] = [];
  private client: Redis | undefined;

  /** @param redis a Redis of the tests, or any other shape by its address; then there is no looking behind the store */
  constructor(readonly redis: Pick<TestRedis, 'address' | 'socket'>) {
    this.store = this.another();
  }

  /** Another store on the same keys, as another process has it. */
  another(options: { pollMs?: number; warn?: (message: string) => void } = {}): RedisStore {
    const store = new RedisStore({
      connection: this.redis.address,
      keyPrefix: this.prefix,
      environment: 'test',
      checkTypeFields: checkRecordFields,
      ...options,
    });
    this.stores.push(store);
    return store;
  }

  /** A plain client, to look behind the store. */
  get raw(): Redis {
    if (this.client === undefined) {
      this.client = new Redis({ path: this.redis.socket, protocol: 2 });
      this.client.on('error', () => {});
    }
    return this.client;
  }

  async close(): Promise<void> {
    await Promise.all(this.stores.map((store) => store.close()));
    this.client?.disconnect();
  }

  async publish(content: string | Uint8Array, more: Partial<VersionRecord> = {}): Promise<string> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const version = sha256(bytes);
    const record = { version, modelType: 'tabular-classifier', metrics: { accuracy: 0.97 }, ...more };
    await this.store.publishVersion({ ...BY, model: MODEL, bytes, record });
    return version;
  }

  async readUpload(uploadId: string): Promise<Buffer> {
    return wholeOf(await this.store.openUpload(uploadId));
  }

  async putInForce(fingerprint = 'c1', fixtures = Buffer.from('island,species\n')): Promise<ContractRecord> {
    const contract: ContractRecord = {
      fingerprint,
      idl: `service Penguins { string identify(1: double mass) } // ${fingerprint}`,
      includes: { 'units.thrift': 'typedef double Gram' },
      services: ['Penguins'],
      fixtureFingerprint: sha256(fixtures),
      fixturesFormat: 'csv',
    };
    await this.store.publishContract({ ...BY, model: MODEL, contract, fixtures });
    return contract;
  }

  promote(version: string, more: { aliasName?: string; expected?: string | null } = {}) {
    return this.store.moveAlias({ ...BY, model: MODEL, aliasName: 'production', version, action: 'promote', ...more });
  }

  rollback(version: string) {
    return this.store.moveAlias({ ...BY, model: MODEL, aliasName: 'production', version, action: 'rollback' });
  }

  /** @param weight 0 ends it */
  canary(version: string, weight: number, more: { aliasName?: string; expected?: string; reason?: string } = {}) {
    return this.store.setCanary({ ...BY, model: MODEL, aliasName: 'production', version, weight, ...more });
  }

  hold(action: 'hold' | 'release', more: { aliasName?: string; actor?: string; reason?: string } = {}) {
    return this.store.holdAlias({ ...BY, model: MODEL, aliasName: 'production', action, ...more });
  }

  retire(version: string, more: { model?: string; reason?: string } = {}) {
    return this.store.retireVersion({ ...BY, model: MODEL, version, ...more });
  }

  prune(version: string, keep: number, more: { reason?: string } = {}) {
    return this.store.pruneVersion({ ...BY, model: MODEL, version, keep, ...more });
  }

  async epoch(): Promise<number> {
    return (await this.store.state(MODEL)).epoch;
  }

  async pointsAt(aliasName = 'production'): Promise<string | undefined> {
    return (await this.store.state(MODEL)).aliases.find((alias) => alias.aliasName === aliasName)?.version;
  }
}

export function verdictFor(contract: ContractRecord, accepted: boolean): Verdict {
  return {
    accepted,
    criteria: [
      {
        name: 'accuracy',
        bound: '>= 0.9',
        measured: accepted ? 0.97 : 0.5,
        passed: accepted,
        rows: 80,
        intervalLow: 0.93,
      },
    ],
    fixtureRows: 80,
    contractFingerprint: contract.fingerprint,
    fixtureFingerprint: contract.fixtureFingerprint ?? '',
  };
}
