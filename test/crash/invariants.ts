/** What must be true of a store at every moment, whoever was cut off in the middle of what. */
import { expect } from 'chai';
import type { LedgerEntry } from '#parley/model/version.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import type { World } from '../store/world.js';

/** Where the ledger's lines lead, one after the other. */
interface Told {
  readonly aliases: Record<string, string>;
  readonly canaries: Record<string, string>;
  readonly held: string[];
  readonly versions: string[];
  readonly retired: string[];
  readonly contract: string | undefined;
  /** Fingerprints that wait for agreement, and by whom. */
  readonly proposed: string[];
}

export function toldBy(lines: readonly LedgerEntry[]): Told {
  const aliases: Record<string, string> = {},
    canaries: Record<string, string> = {};
  const held = new Set<string>(),
    versions = new Set<string>(),
    retired = new Set<string>();
  const proposed = new Map<string, string>();
  let contract: string | undefined;
  for (const { action, aliasName = '', version = '', canaryWeight, contractFingerprint = '', actor } of lines) {
    if (action === 'publish' || (action === 'import' && version !== '')) versions.add(version);
    else if (action === 'prune') versions.delete(version);
    else if (action === 'retire') retired.add(version);
    else if (action === 'contract') {
      contract = contractFingerprint;
      proposed.delete(contractFingerprint);
    } else if (action === 'propose') proposed.set(contractFingerprint, `${contractFingerprint} ${actor}`);
    else if (action === 'withdraw') proposed.delete(contractFingerprint);
    else if (action === 'hold') held.add(aliasName);
    else if (action === 'release') held.delete(aliasName);
    else if (action === 'canary') canaries[aliasName] = `${version} ${canaryWeight}`;
    else if (action === 'canary_end') delete canaries[aliasName];
    else if (action === 'promote' || action === 'rollback') {
      aliases[aliasName] = version;
      delete canaries[aliasName];
    }
  }
  return {
    aliases,
    canaries,
    held: [...held].sort(),
    versions: [...versions].sort(),
    retired: [...retired].sort(),
    contract,
    proposed: [...proposed.values()].sort(),
  };
}

async function found(store: RedisStore, model: string): Promise<Told> {
  const { aliases, contractFingerprint } = await store.state(model);
  const records = await store.versions(model);
  return {
    aliases: Object.fromEntries(aliases.map(({ aliasName, version }) => [aliasName, version])),
    canaries: Object.fromEntries(
      aliases.flatMap(({ aliasName, canary }) => (canary ? [[aliasName, `${canary.version} ${canary.weight}`]] : [])),
    ),
    held: aliases.flatMap(({ aliasName, holdSequence }) => (holdSequence === undefined ? [] : [aliasName])),
    versions: records.map(({ version }) => version).sort(),
    retired: records.flatMap(({ version, retiredAt }) => (retiredAt === undefined ? [] : [version])).sort(),
    contract: contractFingerprint,
    proposed: (await store.proposedContracts(model))
      .map(({ contract, proposedBy }) => `${contract.fingerprint} ${proposedBy}`)
      .sort(),
  };
}

/** @throws AssertionError where the store breaks one of its promises */
export async function checkInvariants(world: World, store: RedisStore): Promise<void> {
  for (const model of await store.models()) {
    const lines = [...(await store.ledger(model))].reverse();
    const { epoch, aliases } = await store.state(model);
    expect(
      lines.map(({ sequence }) => sequence),
      `the ledger of ${model} has a gap`,
    ).to.deep.equal(Array.from({ length: epoch }, (_, i) => i + 1));
    expect(await found(store, model), `${model} and its ledger disagree`).to.deep.equal(toldBy(lines));
    for (const { version, canary } of aliases) {
      await store.readVersion(model, version);
      if (canary !== undefined) await store.readVersion(model, canary.version);
    }
    for (const { version, retiredAt } of await store.versions(model))
      if (retiredAt === undefined) await store.readVersion(model, version);
    const contract = await store.contract(model);
    const fixtures = [contract, ...(await store.proposedContracts(model)).map((proposed) => proposed.contract)];
    for (const fingerprint of fixtures.map((each) => each?.fixtureFingerprint))
      if (fingerprint !== undefined) await store.fixtures(model, fingerprint);
  }
  for (const key of await world.raw.keys(`${world.prefix}*`))
    if (/:(staging|upload):/.test(key)) expect(await world.raw.ttl(key), `${key} stays for ever`).to.be.above(0);
}
