/** Two stores on one Redis, a model with a life behind it, and what can be done with its archive. */
import { expect } from 'chai';
import { Archives } from '#parley/registry/archive/archives.js';
import type { ImportedModel, ImportOptions } from '#parley/registry/archive/import.js';
import { BY, MODEL, verdictFor, type World } from '../store/world.js';

export async function exported(world: World, ...models: string[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const archives = new Archives(world.store, 'ada');
  for await (const piece of archives.exportModels(models.length === 0 ? [MODEL] : models)) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function imported(
  world: Pick<World, 'store'>,
  archive: Uint8Array,
  options: Omit<ImportOptions, 'actor'> = {},
  pieceBytes = 4_096,
): Promise<ImportedModel[]> {
  async function* source() {
    for (let at = 0; at < archive.length; at += pieceBytes) yield archive.subarray(at, at + pieceBytes);
  }
  const models: ImportedModel[] = [];
  for await (const model of new Archives(world.store, 'grace').importModels(source(), options)) models.push(model);
  return models;
}

/** Versions in the order of their publication. */
export interface Life {
  readonly first: string;
  readonly second: string;
  readonly third: string;
  readonly retired: string;
  readonly large: string;
}

/** Every kind of change, so that every kind of key is there. */
export async function live(world: World): Promise<Life> {
  const { store } = world;
  const first = await world.publish('first', { runId: 'run-1', description: 'the first' });
  await world.putInForce('c0');
  const contract = await world.putInForce('c1', Buffer.alloc(2_500_000, 'island,species\n'));
  const second = await world.publish('second', { contractFingerprint: 'c1', contractService: 'Penguins' });
  const third = await world.publish('third');
  const retired = await world.publish('retired');
  const large = await world.publish(Buffer.alloc(3_500_000, 'weights '));
  for (const [version, accepted] of [
    [first, true],
    [second, true],
    [third, false],
  ] as const)
    await store.recordVerdict({ ...BY, model: MODEL, version, verdict: verdictFor(contract, accepted) });
  await world.promote(first);
  await world.promote(second);
  await world.promote(third, { aliasName: 'candidate' });
  await world.canary(third, 0.25);
  await world.hold('hold', { aliasName: 'candidate', reason: 'compared' });
  await world.retire(retired, { reason: 'was wrong' });
  const pruned = await world.publish('pruned');
  await world.publish('newest');
  await world.prune(pruned, 1);
  return { first, second, third, retired, large };
}

/** Everything of a model that can be asked for. */
export async function everythingOf(world: World, model = MODEL) {
  const { epoch, ...snapshot } = await world.store.archive.snapshot(model);
  const lines = [...(await world.store.ledger(model))].reverse();
  const bytes: Record<string, string> = {};
  for (const { version } of snapshot.versions) {
    const pieces: Uint8Array[] = [];
    for await (const piece of world.store.archive.versionBytes(model, version)) pieces.push(piece);
    bytes[version] = Buffer.concat(pieces).toString('latin1');
  }
  return { epoch, snapshot, lines, bytes };
}

/** That nothing is left of an import that failed. */
export async function expectNothing(world: World): Promise<void> {
  expect(await world.store.models()).to.deep.equal([]);
  const left = await world.raw.keys(`${world.prefix}*`);
  expect(left.filter((key) => !key.endsWith('parley:models'))).to.deep.equal([]);
}
