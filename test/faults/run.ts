/** Starts a server on a Redis, breaks the Redis under load, and counts what became of it all. */
import { setTimeout } from 'node:timers/promises';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { openStore } from '#parley/store/connect.js';
import { upload } from '#parley/training/publish-run.js';
import { Place, type Server, until } from '../road/parley.js';
import { summing } from '../serving/models.js';
import type { Broken, Fault } from './faults.js';
import { type Model, Predictions, Promotions } from './load.js';

const PREDICTIONS_PER_SECOND = 200;
const PROMOTION_EVERY_MS = 250;
const RECOVERY_MS = 60_000;
const MODELS = ['scores-a', 'scores-b', 'scores-c'];

export interface Outcome {
  readonly fault: Fault;
  readonly sent: number;
  readonly failed: number;
  readonly succeeded: number;
  readonly unavailable: number;
  readonly other: number;
  readonly longestGapMs: number;
  readonly versions: number;
  readonly lost: number;
  readonly ledgerLines: number;
  /** What broke a promise, in words; empty where all were kept. */
  readonly broken: readonly string[];
}

/** @param seconds of load in all, of which the fault takes a third at most */
export async function run(fault: Fault, seconds: number): Promise<Outcome> {
  const broken = await fault.start();
  const place = new Place();
  try {
    const server = await place.serve('--redis', broken.shape.redisUrl!);
    const models = await publish(server);
    return await load(fault, broken, server, models, seconds);
  } finally {
    await place.leave();
    await broken.shape.stop();
  }
}

/** Two versions of each model, the first in production. */
async function publish(server: Server): Promise<readonly Model[]> {
  const client = await ParleyClient.connect(server);
  try {
    const models: Model[] = [];
    for (const name of MODELS) {
      const answers = new Map<string, number>();
      for (const bias of [0, 10]) {
        const { graph } = summing(['a', 'b'], bias);
        const published = await client.publish({
          model: name,
          uploadId: await upload(client, name, graph),
          modelType: 'tensor',
        });
        answers.set(published.version, 3 + bias);
      }
      await client.promote({ model: name, version: [...answers.keys()][0]!, aliasName: 'production' });
      models.push({ name, answers });
    }
    return models;
  } finally {
    client.close();
  }
}

async function load(
  fault: Fault,
  { shape, injure }: Broken,
  server: Server,
  models: readonly Model[],
  seconds: number,
): Promise<Outcome> {
  const [victim] = models;
  await untilServed(server, models);
  const predictions = await Predictions.start(server, models, PREDICTIONS_PER_SECOND);
  const promotions = await Promotions.start(server, victim!, PROMOTION_EVERY_MS);
  const over = setTimeout(seconds * 1_000);
  await setTimeout(Math.min(3_000, seconds * 200));
  const before = promotions.acknowledged.length;
  await injure(victim!.name, Math.min(fault.downMs, (seconds * 1_000) / 3));
  const mended = promotions.acknowledged.length;
  await over;
  const works = () => promotions.acknowledged.length >= mended + 3;
  const recovered = await until('promotions to work again', works, RECOVERY_MS).then(
    () => true,
    () => false,
  );
  await promotions.stop();
  const broken = recovered ? [] : ['promotions did not work again'];
  if (before === 0) broken.push('no promotion succeeded before the fault');
  const kept = await check(shape.redisUrl!, models, promotions, predictions);
  await predictions.stop();
  broken.push(...kept.broken, ...wrongs(predictions, promotions));
  return {
    fault,
    sent: predictions.sent,
    failed: predictions.failures.length,
    succeeded: promotions.acknowledged.length,
    unavailable: promotions.unavailable,
    other: promotions.others.length,
    longestGapMs: promotions.longestGapMs,
    versions: models.reduce((sum, { answers }) => sum + answers.size, 0),
    lost: kept.lost,
    ledgerLines: kept.ledgerLines,
    broken,
  };
}

/** A server hears of a promotion a moment after it, also of its own. */
async function untilServed(server: Server, models: readonly Model[]): Promise<void> {
  const probe = await Predictions.start(server, [], 0);
  try {
    for (const model of models) await until('the server to serve', () => probe.versionOf(model).catch(() => undefined));
  } finally {
    await probe.stop();
  }
}

function wrongs({ failures }: Predictions, { others }: Promotions): string[] {
  const first = (what: string, errors: readonly string[]) =>
    errors.length === 0 ? [] : [`${errors.length} ${what}, the first: ${errors[0]}`];
  return [...first('predictions failed', failures), ...first('promotions failed otherwise', others)];
}

/** Looks at the store itself, with a connection of its own. */
async function check(redisUrl: string, models: readonly Model[], promotions: Promotions, predictions: Predictions) {
  const store = await openStore({ dataFolder: '/nonexistent', redisUrl });
  const broken: string[] = [];
  let [lost, ledgerLines] = [0, 0];
  try {
    for (const model of models) {
      for (const version of model.answers.keys()) {
        // Its digest is compared when it is read.
        await store.readVersion(model.name, version).catch((error: unknown) => {
          lost++;
          broken.push(String(error));
        });
      }
      const lines = await store.ledger(model.name);
      ledgerLines += lines.length;
      if (lines.some(({ sequence }, i) => sequence !== lines.length - i))
        broken.push(`the ledger of ${model.name} has a gap`);
      const last = lines.find(({ action }) => action === 'promote');
      const { aliases } = await store.state(model.name);
      if (aliases[0]?.version !== last?.version)
        broken.push(`the alias of ${model.name} is not where its last move led`);
      const served = async () => (await predictions.versionOf(model)) === last?.version;
      await until('the server', served).catch(() =>
        broken.push(`the server does not serve what ${model.name} leads to`),
      );
      if (model !== models[0]) continue;
      const found = new Map(lines.map((line) => [line.sequence, line.version]));
      const vanished = promotions.acknowledged.filter(({ sequence, version }) => found.get(sequence) !== version);
      if (vanished.length > 0) broken.push(`${vanished.length} acknowledged promotions are not in the ledger`);
    }
  } finally {
    await store.close();
  }
  return { broken, lost, ledgerLines };
}
