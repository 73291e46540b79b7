/** The changes that are cut off: how the store is before, what is asked, and how one sees that it is done. */
import { expect } from 'chai';
import { joined, streamOf } from '#parley/model/byte-stream.js';
import type { ProposedContract } from '#parley/model/store-port.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { exported, imported } from '../archive/world.js';
import { BY, MODEL, sha256, verdictFor, World } from '../store/world.js';

export interface Scenario {
  readonly name: string;
  /** @returns what `act` and `done` are to know */
  prepare(world: World): Promise<Prepared>;
}

export interface Prepared {
  /** Repeating it once it is done changes nothing, or is refused with this code. */
  readonly again?: string;
  act(store: RedisStore): Promise<unknown>;
  /** Fails unless all of it has happened. */
  done(store: RedisStore): Promise<unknown>;
}

const production = async (store: RedisStore) =>
  (await store.state(MODEL)).aliases.find(({ aliasName }) => aliasName === 'production');
const record = (version: string) => ({ version, modelType: 'tensor', metrics: {} });
const move = (version: string, action: 'promote' | 'rollback') => ({
  ...BY,
  model: MODEL,
  aliasName: 'production',
  version,
  action,
});
const canary = (version: string, weight: number) => ({ ...BY, model: MODEL, aliasName: 'production', version, weight });
const hold = (action: 'hold' | 'release') => ({ ...BY, model: MODEL, aliasName: 'production', action });

/** Two versions, the first in production. */
async function two(world: World): Promise<readonly [string, string]> {
  const versions = [await world.publish('one'), await world.publish('two')] as const;
  await world.promote(versions[0]);
  return versions;
}

/** Of a contract with fixtures of its own, beside the one in force. */
async function proposal(world: World) {
  await world.putInForce('c0');
  const fixtures = Buffer.alloc(1_500_000, 'island,species\n');
  const contract = {
    fingerprint: 'c1',
    idl: 'service Penguins {}',
    includes: {},
    services: ['Penguins'],
    fixtureFingerprint: sha256(fixtures),
    fixturesFormat: 'csv' as const,
  };
  return { ...BY, model: MODEL, contract, fixtures, expected: 'c0' };
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'publish',
    async prepare() {
      const bytes = Buffer.alloc(2_300_000, 'weights '),
        version = sha256(bytes);
      return {
        act: (store) => store.publishVersion({ ...BY, model: MODEL, bytes, record: record(version) }),
        done: async (store) => expect((await store.readVersion(MODEL, version)).equals(bytes)).to.equal(true),
      };
    },
  },
  {
    name: 'upload and publish',
    async prepare() {
      const header = Buffer.from('header'),
        graph = Buffer.alloc(1_300_000, 'weights '),
        version = sha256(Buffer.concat([header, graph]));
      return {
        act: async (store) => {
          const uploadId = await store.beginUpload(MODEL, graph.length);
          for (let offset = 0; offset < graph.length; offset += store.partBytes)
            await store.uploadPart(uploadId, offset, graph.subarray(offset, offset + store.partBytes));
          const bytes = joined(streamOf(header), await store.openUpload(uploadId));
          const upload = { uploadId, header };
          await store.publishVersion({ ...BY, model: MODEL, bytes, upload, record: record(version) });
          await store.releaseUpload(uploadId);
        },
        done: async (store) =>
          expect((await store.readVersion(MODEL, version)).equals(Buffer.concat([header, graph]))).to.equal(true),
      };
    },
  },
  {
    name: 'publish a contract',
    async prepare(world) {
      await world.putInForce('c0');
      const fixtures = Buffer.alloc(1_500_000, 'island,species\n');
      const contract = {
        fingerprint: 'c1',
        idl: 'service Penguins {}',
        includes: {},
        services: ['Penguins'],
        fixtureFingerprint: sha256(fixtures),
        fixturesFormat: 'csv' as const,
      };
      return {
        act: (store) => store.publishContract({ ...BY, model: MODEL, contract, fixtures }),
        done: async (store) => expect(await store.contract(MODEL)).to.deep.equal(contract),
      };
    },
  },
  {
    name: 'publish a contract that leaves verdicts standing',
    async prepare(world) {
      const { fixtureFingerprint, ...before } = await world.putInForce('c0');
      const version = await world.publish('one'),
        verdict = verdictFor({ ...before, fixtureFingerprint: fixtureFingerprint! }, true);
      await world.store.recordVerdict({ ...BY, model: MODEL, version, verdict });
      const contract = { ...before, fixtureFingerprint: fixtureFingerprint!, fingerprint: 'c1' };
      const gate = { contractFingerprint: 'c1', fixtureFingerprint: fixtureFingerprint! };
      return {
        act: (store) => store.publishContract({ ...BY, model: MODEL, contract, expected: 'c0', verdictsStand: true }),
        done: async (store) => {
          expect(await store.contract(MODEL)).to.deep.equal({ ...contract, testedAs: ['c0'] });
          const line = await store.moveAlias({ ...move(version, 'promote'), gate });
          expect(line).to.include({ version });
        },
      };
    },
  },
  {
    name: 'propose a contract',
    async prepare(world) {
      const proposed = await proposal(world);
      return {
        act: (store) => store.proposeContract(proposed),
        done: async (store) => {
          const [{ contract, proposedBy }] = (await store.proposedContracts(MODEL)) as [ProposedContract];
          expect({ contract, proposedBy }).to.deep.equal({ contract: proposed.contract, proposedBy: 'ada' });
          await store.fixtures(MODEL, proposed.contract.fixtureFingerprint);
        },
      };
    },
  },
  {
    name: 'agree to a contract',
    async prepare(world) {
      const proposed = await proposal(world);
      await world.store.proposeContract(proposed);
      const { contract, expected } = proposed;
      return {
        act: (store) => store.agreeContract({ actor: 'bob', model: MODEL, contract, expected, verdictsStand: true }),
        done: async (store) => {
          expect(await store.contract(MODEL)).to.deep.equal({ ...contract, testedAs: ['c0'] });
          expect(await store.proposedContracts(MODEL)).to.deep.equal([]);
        },
      };
    },
  },
  {
    name: 'withdraw a contract',
    async prepare(world) {
      const proposed = await proposal(world);
      await world.store.proposeContract(proposed);
      return {
        again: 'NOT_FOUND',
        act: (store) => store.withdrawContract({ ...BY, model: MODEL, fingerprint: 'c1' }),
        done: async (store) => expect(await store.proposedContracts(MODEL)).to.deep.equal([]),
      };
    },
  },
  {
    name: 'record a verdict',
    async prepare(world) {
      const version = await world.publish('one'),
        contract = await world.putInForce(),
        verdict = verdictFor(contract, true);
      return {
        act: (store) => store.recordVerdict({ ...BY, model: MODEL, version, verdict }),
        done: async (store) =>
          expect(await store.verdict(MODEL, version, contract.fingerprint, contract.fixtureFingerprint!)).to.deep.equal(
            verdict,
          ),
      };
    },
  },
  {
    name: 'promote',
    async prepare(world) {
      const [, version] = await two(world);
      return {
        act: (store) => store.moveAlias(move(version, 'promote')),
        done: async (store) => expect(await production(store)).to.include({ version }),
      };
    },
  },
  {
    name: 'roll back',
    async prepare(world) {
      const [one, version] = await two(world);
      await world.promote(version);
      return {
        act: (store) => store.moveAlias(move(one, 'rollback')),
        done: async (store) => {
          expect(await production(store)).to.include({ version: one });
          expect(await store.trail(MODEL, 'production')).to.deep.equal([]);
        },
      };
    },
  },
  {
    name: 'begin a canary',
    async prepare(world) {
      const [, version] = await two(world);
      return {
        act: (store) => store.setCanary(canary(version, 0.25)),
        done: async (store) => expect((await production(store))?.canary).to.deep.equal({ version, weight: 0.25 }),
      };
    },
  },
  {
    name: 'end a canary',
    async prepare(world) {
      const [, version] = await two(world);
      await world.canary(version, 0.25);
      return {
        again: 'NOT_FOUND',
        act: (store) => store.setCanary(canary(version, 0)),
        done: async (store) => expect(await production(store)).not.to.have.property('canary'),
      };
    },
  },
  {
    name: 'hold',
    async prepare(world) {
      await two(world);
      return {
        again: 'CONFLICT',
        act: (store) => store.holdAlias(hold('hold')),
        done: async (store) => expect(await production(store)).to.have.property('holdSequence'),
      };
    },
  },
  {
    name: 'release',
    async prepare(world) {
      await two(world);
      await world.hold('hold');
      return {
        again: 'CONFLICT',
        act: (store) => store.holdAlias(hold('release')),
        done: async (store) => expect(await production(store)).not.to.have.property('holdSequence'),
      };
    },
  },
  {
    name: 'retire',
    async prepare(world) {
      const [, version] = await two(world);
      return {
        act: (store) => store.retireVersion({ ...BY, model: MODEL, version }),
        done: async (store) => expect(await store.version(MODEL, version)).to.have.property('retiredAt'),
      };
    },
  },
  {
    name: 'prune',
    async prepare(world) {
      const contract = await world.putInForce();
      const [, version] = await two(world);
      await world.store.recordVerdict({ ...BY, model: MODEL, version, verdict: verdictFor(contract, false) });
      return {
        act: (store) => store.pruneVersion({ ...BY, model: MODEL, version, keep: 0 }),
        done: async (store) => expect(await store.version(MODEL, version)).to.equal(undefined),
      };
    },
  },
  {
    name: 'import a model that is new',
    prepare: (world) => importing(world, async () => {}, 'restored'),
  },
  {
    name: 'import into a model that is there',
    prepare: (world) => importing(world, async () => void (await two(world)), 'merged'),
  },
];

/** An archive of a model with versions, a verdict, an alias and its trail, into a store with what `before` puts there. */
async function importing(world: World, before: () => Promise<void>, outcome: string): Promise<Prepared> {
  const from = new World(world.redis);
  const versions = [await from.publish('three'), await from.publish(Buffer.alloc(1_300_000, 'weights '))];
  const contract = await from.putInForce();
  await from.store.recordVerdict({ ...BY, model: MODEL, version: versions[0]!, verdict: verdictFor(contract, true) });
  for (const version of versions) await from.promote(version);
  const archive = await exported(from);
  await from.raw.del(await from.raw.keys(`${from.prefix}*`));
  await from.close();
  await before();
  return {
    act: (store) => imported({ store }, archive),
    done: async (store) => {
      for (const version of versions) await store.readVersion(MODEL, version);
      expect(await store.verdict(MODEL, versions[0]!, contract.fingerprint, contract.fixtureFingerprint!)).to.be.an(
        'object',
      );
      const trail = await store.trail(MODEL, 'production');
      if (outcome === 'restored') {
        expect(await production(store)).to.include({ version: versions[1] });
        expect(trail).to.deep.equal([versions[0]]);
      } else expect(trail).to.deep.equal([]);
    },
  };
}
