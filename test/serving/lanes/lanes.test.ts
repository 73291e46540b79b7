import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import { type Feeds, type Results, type RunnableSession, Session } from '#parley/onnx/session.js';
import { Lane } from '#parley/serving/lanes/lane.js';
import { LaneSession } from '#parley/serving/lanes/lane-session.js';
import { Lanes } from '#parley/serving/lanes/lanes.js';
import { PATIENCE } from '#parley/serving/lanes/patience.js';
import { Strikes } from '#parley/serving/lanes/strikes.js';
import { isAlive, until } from '../../road/parley.js';
import { failure } from '../../store/world.js';
import { summing } from '../models.js';
import { convolution } from './convolution.js';
import { ab, deadly, endlessFor, laborious, wide, x } from './graphs.js';

const LOWEST = -(2 ** 31);
/** What hangs is found out in a moment; the clock leaves room for a machine with much to do. */
const IMPATIENT = { leastMs: 500, times: 20, clock: 100 };

const answerOf = async (session: RunnableSession, feeds: Feeds): Promise<number> =>
  (await session.runOnce(feeds)).value!.data[0] as number;
const codeOf = (error: unknown) => (error instanceof ParleyError ? error.code : error);
const isSame = (a: Results, b: Results, name: string) =>
  String(a[name]!.dims) === String(b[name]!.dims) && Buffer.compare(bytesOf(a[name]!), bytesOf(b[name]!)) === 0;
const bytesOf = ({ data }: Results[string]) => {
  const { buffer, byteOffset, byteLength } = data as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
};

describe('lanes', () => {
  let lanes: Lanes;
  const open = (more: Partial<ConstructorParameters<typeof Lanes>[0]> = {}) =>
    (lanes = new Lanes({ count: 1, ...more }));
  const laneOf = async (graph: Uint8Array, name = 'a version') => {
    const session = await lanes.load(graph, name);
    expect(session).to.be.instanceOf(LaneSession);
    return session as LaneSession;
  };
  afterEach(async () => {
    const pids = lanes.running;
    await lanes.close();
    expect(lanes.running, `of ${pids}`).to.equal(0);
  });

  describe('choose where a graph runs', () => {
    it('by what a row takes: heavy ones answer from a lane, to the bit as inline', async () => {
      open();
      const { graph } = laborious();
      const inLane = await laneOf(graph),
        inline = await Session.load(graph);
      for (const value of [0, 1.5, -3]) {
        const [there, here] = [await inLane.runOnce(x(value)), await inline.runOnce(x(value))];
        expect(isSame(there, here, 'value')).to.equal(true);
      }
      inline.release();
    });

    it('and a convolution of a large image, whose values travel', async () => {
      open();
      const { graph, image } = convolution();
      const inLane = await laneOf(graph),
        inline = await Session.load(graph);
      const [there, here] = [await inLane.runOnce(image), await inline.runOnce(image)];
      expect(here.scores!.data.length).to.be.greaterThan(100_000);
      expect(isSame(there, here, 'scores')).to.equal(true);
      inline.release();
    });

    it('small light ones inline without ever starting a process', async () => {
      open();
      expect(await lanes.load(summing().graph, 'light')).to.be.instanceOf(Session);
      expect([lanes.running, lanes.runs]).to.deep.equal([0, 0]);
    });

    it('large light ones inline, when a lane has found that out', async () => {
      open();
      const session = await lanes.load(wide(1 << 20), 'large');
      expect(session).to.be.instanceOf(Session);
      expect(lanes.runs).to.be.greaterThan(0);
      expect(lanes.sessions).to.equal(0);
      session.release();
    });

    it('what can loop in a lane, however light', async () => {
      open();
      expect(await answerOf(await laneOf(endlessFor.graph), x(-2))).to.equal(-2);
    });

    it('everything inline where there are no lanes', async () => {
      open({ count: 0 });
      for (const { graph } of [laborious(['x'], 64), endlessFor, deadly])
        expect(await lanes.load(graph, 'any')).to.be.instanceOf(Session);
      expect(lanes.running).to.equal(0);
    });

    it('spreads graphs over lanes, each to the one with the fewest', async () => {
      open({ count: 2 });
      const first = await laneOf(endlessFor.graph, 'first'),
        second = await laneOf(deadly.graph, 'second');
      const pids = [first.pid, second.pid];
      expect(new Set(pids).size).to.equal(2);
      second.release();
      expect((await laneOf(endlessFor.graph, 'third')).pid).to.equal(pids[1]);
      first.release();
      expect((await laneOf(endlessFor.graph, 'fourth')).pid).to.equal(pids[0]);
      expect(pids).to.include((await laneOf(endlessFor.graph, 'fifth')).pid);
    });
  });

  it('tell what the runtime has against a graph, and stay', async () => {
    open();
    const good = await laneOf(endlessFor.graph);
    const { pid } = good;
    const error = await failure(lanes.load(new Uint8Array([...deadly.graph.subarray(0, -30), ...wide(64)]), 'broken'));
    expect(codeOf(error)).to.equal('MODEL_BROKEN');
    const wrong = await failure(good.runOnce(ab(1, 2)));
    expect(codeOf(wrong)).to.equal('MODEL_BROKEN');
    expect(wrong.message).to.include('x');
    expect(await answerOf(good, x(-1))).to.equal(-1);
    expect([good.pid, lanes.restarts]).to.deep.equal([pid, 0]);
  });

  it('end a run that hangs, while light models and then the neighbours answer', async () => {
    open({ patience: IMPATIENT });
    const hanging = await laneOf(endlessFor.graph, 'hanging'),
      neighbour = await laneOf(deadly.graph, 'neighbour'),
      light = await Session.load(summing().graph);
    const { pid } = hanging;
    let lightAnswers = 0,
      over = false;
    const hung = failure(hanging.runOnce(x(1))).finally(() => (over = true));
    const behind = answerOf(neighbour, ab(10, 1));
    while (!over) {
      await light.runOnce({ ...x(1), a: x(1).x!, b: x(2).x! });
      lightAnswers++;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const error = await hung;
    expect(codeOf(error)).to.equal('MODEL_BROKEN');
    expect(error.message).to.match(/^hanging: this run ended .*\(it hung: [\d.]+ s of CPU time/);
    expect(lightAnswers).to.be.greaterThan(20);
    expect(await behind).to.equal(5);
    expect(await answerOf(hanging, x(-4))).to.equal(-4);
    expect(lanes.restarts).to.equal(1);
    expect(isAlive(pid!)).to.equal(false);
    light.release();
  });

  it('killed under load lose the run that was under way, and no other', async () => {
    open();
    const session = await laneOf(laborious().graph),
      neighbour = await laneOf(deadly.graph);
    const runs = [1, 2, 3, 4, 5].map((value) => answerOf(session, x(value)));
    const beside = answerOf(neighbour, ab(9, 2));
    await runs[0];
    process.kill(session.pid!, 'SIGKILL');
    const outcomes = await Promise.allSettled(runs);
    const failed = outcomes.filter((each) => each.status === 'rejected');
    expect(failed.map(({ reason }) => codeOf(reason))).to.deep.equal(['MODEL_BROKEN']);
    expect(failed[0]!.reason.message).to.include('SIGKILL');
    outcomes.forEach((each, index) => {
      if (each.status === 'fulfilled') expect(each.value).to.equal(index + 1);
    });
    expect(await beside).to.equal(3);
    expect(await answerOf(session, x(6))).to.equal(6);
  });

  it('killed while nothing runs come back by themselves', async () => {
    open();
    const session = await laneOf(endlessFor.graph);
    const { pid } = session;
    process.kill(pid!, 'SIGKILL');
    await until('another lane', () => session.pid !== undefined && session.pid !== pid);
    expect(await answerOf(session, x(-1))).to.equal(-1);
  });

  it('refuse for a while what ends them again and again, and leave the others in peace', async () => {
    open();
    const mean = await laneOf(deadly.graph, 'mean'),
      neighbour = await laneOf(endlessFor.graph, 'neighbour');
    for (let i = 0; i < 3; i++) {
      const error = await failure(mean.runOnce(ab(LOWEST, -2)));
      expect(codeOf(error)).to.equal('MODEL_BROKEN');
      expect(error.message).to.match(/^mean: this run ended the process that runs it \(SIGFPE\)/);
    }
    const { pid } = neighbour;
    const refused = await failure(mean.runOnce(ab(4, 1)));
    expect(codeOf(refused)).to.equal('MODEL_BROKEN');
    expect(refused.message).to.match(/3 times within 60 s; it is tried again in (59|60) s/);
    expect(codeOf(await failure(lanes.load(deadly.graph, 'mean')))).to.equal('MODEL_BROKEN');
    expect(await answerOf(neighbour, x(-7))).to.equal(-7);
    expect([neighbour.pid, lanes.restarts]).to.deep.equal([pid, 3]);
  });

  it('that cannot be started fail what wants them, and are tried again', async () => {
    open();
    const { execPath } = process;
    process.execPath = '/nowhere/node';
    try {
      const error = await failure(lanes.load(endlessFor.graph, 'a version'));
      expect(codeOf(error)).to.equal('INTERNAL');
      expect(error.message).to.include('could not be started').and.to.include('ENOENT');
    } finally {
      process.execPath = execPath;
    }
    expect(await answerOf(await laneOf(endlessFor.graph), x(-5))).to.equal(-5);
    expect(lanes.restarts).to.equal(0);
  });

  it('release what is let go, its file too, and end when nothing is left', async () => {
    open();
    const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('parley-lanes-'));
    const before = new Set(folders());
    const session = await laneOf(endlessFor.graph);
    const [folder] = folders().filter((name) => !before.has(name));
    const file = `${tmpdir()}/${folder}/1.onnx`;
    expect(existsSync(file)).to.equal(true);
    session.release();
    await until('the file to be gone', () => !existsSync(file));
    expect(lanes.sessions).to.equal(0);
    expect(codeOf(await failure(session.runOnce(x(-1))))).to.equal('SHUTTING_DOWN');
    await lanes.close();
    expect(existsSync(`${tmpdir()}/${folder}`)).to.equal(false);
  });

  it('that end for want of work take what comes at that moment to another process', async () => {
    open();
    const folder = mkdtempSync(join(tmpdir(), 'parley-lane-')),
      strikes = new Strikes(),
      silent = { info: () => {}, warn: () => {} };
    const lane = new Lane({ folder, nice: 0, patience: PATIENCE, strikes, log: silent });
    const file = join(folder, '1.onnx');
    writeFileSync(file, endlessFor.graph);
    const load = (id: number) =>
      LaneSession.load(lane, { id, name: 'a version', file, mostRowMs: 0 }, strikes, () => {});
    const later = globalThis.setTimeout;
    let end = () => {};
    try {
      const first = await load(1),
        { pid } = first;
      globalThis.setTimeout = ((callback: () => void, ms: number) => {
        const timer = later(callback, ms);
        if (ms === 10_000) end = callback;
        return timer;
      }) as typeof setTimeout;
      first.release();
      globalThis.setTimeout = later;
      end();
      const second = await load(2);
      expect(await answerOf(second, x(-3))).to.equal(-3);
      expect(second.pid).to.not.equal(pid);
      expect(lane.restarts).to.equal(0);
    } finally {
      globalThis.setTimeout = later;
      await lane.close();
      rmSync(folder, { recursive: true });
    }
  });

  it('give back the memory of what is released', async () => {
    open();
    const keeper = await laneOf(endlessFor.graph);
    const sizes: number[] = [],
      graph = wide(16 << 20);
    for (let i = 0; i < 10; i++) {
      (await lanes.load(graph, `version ${i}`)).release();
      sizes.push(await residentMib(keeper.pid!));
    }
    // Ten of them take 160 MiB and more.
    expect(Math.max(...sizes) - sizes[0]!).to.be.lessThan(120);
  });

  it('answer nothing more when they are closed', async () => {
    open({ patience: IMPATIENT });
    const session = await laneOf(endlessFor.graph);
    const under = failure(session.runOnce(x(1))),
      waiting = failure(session.runOnce(x(-1)));
    await lanes.close();
    expect([codeOf(await under), codeOf(await waiting)]).to.deep.equal(['SHUTTING_DOWN', 'SHUTTING_DOWN']);
    expect(codeOf(await failure(session.runOnce(x(-1))))).to.equal('SHUTTING_DOWN');
  });
});

async function residentMib(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
  return Number(found![1]) / 1024;
}
