/** scripts/soak: a server on a Redis of its own, asked for a long time while everything around it comes and goes. */
import { setTimeout } from 'node:timers/promises';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { upload } from '#parley/training/publish-run.js';
import { Place, type Server, until } from '../road/parley.js';
import { Dice } from '../rpc/fuzzing.js';
import { summing } from '../serving/models.js';
import { TestRedis } from '../store/redis-server.js';
import { Account } from './callers.js';
import { Promotions, Restarts, RudeCallers } from './disturbers.js';
import { calibrate, SteadyLoad } from './load.js';
import { BIASES, FIXTURES, IDL, MODEL } from './questions.js';
import { report } from './report.js';
import { type Sample, takenBy } from './samples.js';
import { judge, type Outcome } from './verdict.js';

const LOAD = 0.7;
const SAMPLE_MS = 5_000;
const PROMOTE_EVERY_MS = 10_000;
const CALIBRATION_SECONDS = 6;
/** What is still being closed is gone by then. */
const SETTLE_MS = 2_000;

export interface SoakOptions {
  readonly minutes: number;
  readonly json: boolean;
  readonly seed: number;
  /** Handed to `parley serve`. */
  readonly serve: readonly string[];
}

/** @param signal ends it early; what was found so far is told @returns the exit status */
export async function soak({ minutes, json, seed, serve }: SoakOptions, signal: AbortSignal): Promise<number> {
  const say = (line: string) => console.error(line);
  const redis = await new TestRedis().start();
  const place = new Place();
  try {
    const url = `unix://${redis.socket}`;
    const server = await place.serve('--redis', url, '--log-level', 'warn', ...serve);
    const client = await ParleyClient.connect(server);
    const versions = await publish(client);
    await untilServed(server, versions);
    say(`seed ${seed}; a server with ${versions.size} versions, process ${server.child.pid}; calibrating`);
    const dice = new Dice(seed);
    const calibrated = await calibrate(server, new Account(versions), CALIBRATION_SECONDS, dice);
    const pace = { calibrated, asked: calibrated * LOAD };
    say(
      `${calibrated.toFixed(0)} calls/s when kept busy; asking ${pace.asked.toFixed(0)} calls/s for ${minutes} minutes`,
    );
    const outcome = await run({ server, client, redis, versions, dice, minutes, perSecond: pace.asked, signal, say });
    client.close();
    const verdict = judge(outcome);
    console.log(json ? JSON.stringify({ seed, ...pace, ...outcome, ...verdict }) : report(outcome, verdict, pace));
    if (verdict.breaches.length > 0) return 1;
    return signal.aborted ? 130 : 0;
  } finally {
    await place.leave();
    await redis.stop();
  }
}

/** The contract, and a version for each constant, all of which pass it; the first one in production. */
async function publish(client: ParleyClient): Promise<ReadonlyMap<string, number>> {
  const fixturesUploadId = await upload(client, MODEL, Buffer.from(FIXTURES));
  await client.publishContract({ idl: IDL, fixturesUploadId, fixturesFormat: 'csv' });
  const versions = new Map<string, number>();
  for (const bias of BIASES) {
    const uploadId = await upload(client, MODEL, summing(['a', 'b'], bias).graph);
    const { version } = await client.publish({ model: MODEL, uploadId, contractService: 'Scores' });
    await client.accept(MODEL, version);
    versions.set(version, bias);
  }
  await client.promote({ model: MODEL, version: [...versions.keys()][0]!, aliasName: 'production' });
  return versions;
}

async function untilServed(server: Server, versions: ReadonlyMap<string, number>): Promise<void> {
  const client = await ParleyClient.connect(server);
  const served = () => client.predict(MODEL, [{ a: 1, b: 2 }], { many: false }).catch(() => undefined);
  await until(`one of ${versions.size} versions to be served`, served);
  client.close();
}

interface Course {
  readonly server: Server;
  readonly client: ParleyClient;
  readonly redis: TestRedis;
  readonly versions: ReadonlyMap<string, number>;
  readonly dice: Dice;
  readonly minutes: number;
  readonly perSecond: number;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

async function run(course: Course): Promise<Outcome> {
  const { server, client, redis, versions, dice, minutes, perSecond, signal } = course;
  const account = new Account(versions),
    totalMs = minutes * 60_000;
  await setTimeout(SETTLE_MS);
  const before = takenBy(server.child.pid!);
  const promotions = new Promotions(client, [...versions.keys()], PROMOTE_EVERY_MS).start();
  const restarts = new Restarts(redis, promotions, [totalMs / 3, (totalMs * 2) / 3]).start();
  const rude = new RudeCallers(server, account, new Dice(dice.below(2 ** 31))).start();
  const load = await SteadyLoad.start(server, account, perSecond, dice);
  const samples = await watch(course, account, totalMs);
  if (signal.aborted) account.over = true;
  await load.stop();
  await Promise.all([rude.stop(), restarts.stop(), promotions.stop()]);
  await setTimeout(SETTLE_MS);
  course.say(`callers that were rude: ${JSON.stringify(rude.counts)}`);
  return {
    sent: account.sent,
    answered: account.answered,
    wrongCount: account.wrongCount,
    wrong: account.wrong,
    failedCount: account.failedCount,
    failed: account.failed,
    heldBack: account.heldBack,
    versionsSeen: account.answers.size,
    promotions: {
      acknowledged: promotions.acknowledged,
      unavailable: promotions.unavailable,
      others: promotions.others,
    },
    promotionsSinceRestart: promotions.sinceRestart,
    restarts: restarts.done,
    samples,
    before,
    after: takenBy(server.child.pid!),
    interrupted: signal.aborted,
  };
}

/** A sample every few seconds until the time is over or it is interrupted. */
async function watch({ server, signal, say }: Course, account: Account, totalMs: number): Promise<Sample[]> {
  const samples: Sample[] = [],
    begun = performance.now();
  let last = begun;
  while (performance.now() - begun < totalMs && !signal.aborted) {
    await setTimeout(Math.min(SAMPLE_MS, totalMs - (performance.now() - begun)), undefined, { signal }).catch(() => {});
    if (!server.running) throw new Error(`the server has ended: ${server.stderr.slice(-2_000)}`);
    const now = performance.now(),
      { answers, p99Ms } = account.takeP99();
    const taken = takenBy(server.child.pid!);
    samples.push({ second: (now - begun) / 1_000, callsPerSecond: (answers / (now - last)) * 1_000, p99Ms, ...taken });
    last = now;
    if (samples.length % 12 === 0)
      say(
        `${((now - begun) / 60_000).toFixed(0)} min: ${account.answered} answered, ${account.failedCount} failed, ${account.wrongCount} wrong`,
      );
  }
  return samples;
}
