/** A heavy model behind a real server: it answers from a process of its own, whose death costs the calls in it and no more. */
import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import type { ParleyError } from '#parley/errors.js';
import { openStore } from '#parley/store/connect.js';
import { laborious } from '../serving/lanes/graphs.js';
import { isAlive, Place, type Server, until } from './parley.js';
import { metricsOf, point, publish, Scorer, scoreOf } from './scores.js';

/** The server's children that are lanes. */
function lanesOf({ child }: Server): number[] {
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return listed
    .split('\n')
    .filter((line) => line.includes('lane-main.js'))
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === child.pid)
    .map(([pid]) => pid!);
}

describe('a heavy model on the road', function () {
  this.timeout(120_000);
  let place: Place;
  before(async () => {
    place = new Place();
    const store = await openStore({ dataFolder: place.dataFolder });
    try {
      await point(store, await publish(store, 0, laborious(['a', 'b'], 320)));
    } finally {
      await store.close();
    }
  });
  after(() => place.leave());

  it('answers from a lane, whose death costs the calls in it and no more', async () => {
    const server = await place.serve('--lanes', '1', '--http-port', '0');
    const scorer = await Scorer.open(server);
    expect((await scorer.score()).value).to.equal(scoreOf(0));
    const [lane, ...others] = lanesOf(server);
    expect(others).to.deep.equal([]);

    const calls = await Promise.all(Array.from({ length: 6 }, () => Scorer.open(server)));
    const under = Promise.allSettled(calls.map((each) => each.score()));
    process.kill(lane!, 'SIGKILL');
    for (const outcome of await under)
      if (outcome.status === 'fulfilled') expect(outcome.value.value).to.equal(scoreOf(0));
      else expect((outcome.reason as ParleyError).code).to.equal('MODEL_BROKEN');

    expect((await scorer.score()).value).to.equal(scoreOf(0));
    const [next] = lanesOf(server);
    expect(next).to.not.equal(lane);
    const metrics = await metricsOf(server);
    expect(metrics.get('parley_lanes')).to.equal(1);
    expect(metrics.get('parley_lane_restarts_total')).to.equal(1);
    expect(metrics.get('parley_lane_sessions')).to.equal(1);
    expect(metrics.get('parley_lane_runs_total')).to.be.greaterThan(1);
    for (const each of [scorer, ...calls]) each.close();
    expect((await server.kill('SIGTERM')).code).to.equal(0);
    expect(isAlive(next!)).to.equal(false);
  });

  it('has its lane end with a server that is killed', async () => {
    const server = await place.serve('--lanes', '1');
    const scorer = await Scorer.open(server);
    await scorer.score();
    const [lane] = lanesOf(server);
    scorer.close();
    await server.kill('SIGKILL');
    await until('the lane to end', () => !isAlive(lane!));
  });

  it('answers inline with --lanes 0', async () => {
    const server = await place.serve('--lanes', '0', '--http-port', '0');
    const scorer = await Scorer.open(server);
    expect((await scorer.score()).value).to.equal(scoreOf(0));
    expect(lanesOf(server)).to.deep.equal([]);
    expect((await metricsOf(server)).get('parley_lanes')).to.equal(0);
    scorer.close();
    await server.kill('SIGTERM');
  });

  it('takes no other number of lanes', async () => {
    for (const many of ['-1', 'two', '1.5', '1000']) {
      const ran = await place.run('serve', '--lanes', many);
      expect(ran.code, many).to.equal(2);
      expect(ran.stderr).to.include('Write a number from 0 to 256.');
    }
  });
});
