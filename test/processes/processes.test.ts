/** `parley serve --processes 2` in real processes: one port, one sum, one end. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import { openStore } from '#parley/store/connect.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { isAlive, placeForEach, type Server, until } from '../road/parley.js';
import { logged, MODEL, metricsOf, point, publish, Scorer, scoreOf } from '../road/scores.js';
import { openPipelines, type Pipeline } from './pipelines.js';

const SUCCEEDED = `parley_model_requests_total{model="${MODEL}",outcome="OK"}`;
/** What a machine that does everything else at once may take for what takes half a second. */
const PATIENCE_MS = 20_000;

describe('several processes', function () {
  this.timeout(120_000);
  let store: RedisStore;
  afterEach(() => store.close());
  const place = placeForEach();
  beforeEach(async () => {
    store = await openStore({ dataFolder: place().dataFolder });
    await point(store, await publish(store, 0), 'promote');
  });

  const serve = (...more: string[]) => place().serve('--processes', '2', '--http-port', '0', ...more);
  const whole = (server: Server) =>
    until(
      'two processes',
      async () => (await metricsOf(server).catch(() => undefined))?.get('parley_processes') === 2,
      PATIENCE_MS,
    );

  it('answer behind one port, each its part of the connections, with ids of their own', async () => {
    const server = await serve();
    expect(server.processes).to.have.length(2).and.not.include(server.child.pid);
    const pipelines = await openPipelines(server, 6, 1);
    await until('answers to all', () => pipelines.every(({ answered }) => answered >= 3));
    await Promise.all(pipelines.map((pipeline) => pipeline.stop()));
    const names = [...new Set(pipelines.map(({ answeredBy }) => answeredBy))];
    expect(names).to.have.length(2);
  });

  it('are one server to those who watch it', async () => {
    const server = await serve('--memory-limit', '512MiB');
    const pipelines = await openPipelines(server, 4, 2);
    await until('answers to all', () => pipelines.every(({ answered }) => answered >= 10));
    await Promise.all(pipelines.map((pipeline) => pipeline.stop()));
    const metrics = await metricsOf(server);
    expect(metrics.get(SUCCEEDED)).to.equal(pipelines.reduce((sum, { succeeded }) => sum + succeeded.size, 0));
    expect(metrics.get('parley_memory_limit_bytes')).to.equal(512 * 2 ** 20);
    expect(metrics.get('parley_processes')).to.equal(2);
  });

  it('all follow an alias', async () => {
    const server = await serve();
    const scorers = await Promise.all(Array.from({ length: 4 }, () => Scorer.open(server)));
    await point(store, await publish(store, 5));
    for (const scorer of scorers)
      await until('the new version', async () => (await scorer.score()).value === scoreOf(5));
    for (const scorer of scorers) scorer.close();
  });

  it('lose only the calls in flight of one that is killed, and are whole again behind the same port', async () => {
    const server = await serve();
    const pipelines = await openPipelines(server, 8, 4);
    await until('answers to all', () => pipelines.every(({ answered }) => answered >= 10));
    await metricsOf(server);
    process.kill(server.processes[0]!, 'SIGKILL');
    await until('connections to be cut', () => pipelines.some(({ end }) => end !== undefined));
    await whole(server);
    const others = pipelines.filter(({ end }) => end === undefined);
    expect(others.length).to.be.above(0);
    expect(new Set(others.map(({ answeredBy }) => answeredBy)).size, 'processes that answer them').to.equal(1);
    const further = others.map(({ answered }) => answered);
    await until('the others to go on', () => others.every(({ answered }, i) => answered > further[i]!));
    const newcomers = await openPipelines(server, 2, 1);
    await until('answers to newcomers', () => newcomers.every(({ answered }) => answered >= 2));
    await Promise.all([...others, ...newcomers].map((pipeline) => pipeline.stop()));

    expect(pipelines.flatMap(({ wrong }) => wrong)).to.deep.equal([]);
    for (const { sent, answered } of pipelines.filter((pipeline) => !others.includes(pipeline)))
      expect(sent - answered).to.be.at.most(4);
    expect(others.every(({ sent, answered }) => sent === answered)).to.equal(true);
    const after = await metricsOf(server);
    expect(after.get('parley_process_crashes_total')).to.equal(1);
    // What the killed one had counted when it was last asked is still in the sum.
    const living = [...others, ...newcomers].reduce((sum, { succeeded }) => sum + succeeded.size, 0);
    expect(after.get(SUCCEEDED)! - living).to.be.at.least(10 * (pipelines.length - others.length));
    expect(logged(server, 'by SIGKILL')).to.have.length(1);
  });

  it('count once what one had counted that is killed while it is asked', async () => {
    const server = await serve();
    const pipelines = await openPipelines(server, 4, 2);
    await until('answers to all', () => pipelines.every(({ answered }) => answered >= 10));
    await Promise.all(pipelines.map((pipeline) => pipeline.stop()));
    const counted = (await metricsOf(server)).get(SUCCEEDED);
    const [killed, busy] = server.processes as [number, number];
    process.kill(busy, 'SIGSTOP');
    const asked = metricsOf(server);
    await setTimeout(500);
    process.kill(killed, 'SIGKILL');
    expect((await asked).get(SUCCEEDED)).to.equal(counted);
    process.kill(busy, 'SIGCONT');
    expect((await metricsOf(server)).get(SUCCEEDED)).to.equal(counted);
  });

  it('keep a port that was found for them when all are killed at once', async () => {
    const server = await serve();
    for (const pid of server.processes) process.kill(pid, 'SIGKILL');
    await until('two crashes', async () => (await metricsOf(server)).get('parley_process_crashes_total') === 2);
    await whole(server);
    const scorer = await Scorer.open(server);
    expect((await scorer.score()).value).to.equal(scoreOf(0));
    scorer.close();
  });

  it('replace one that is asked to end, and drop none of its calls', async () => {
    const server = await serve();
    const pipelines = await openPipelines(server, 4, 2);
    await until('answers to all', () => pipelines.every(({ answered }) => answered >= 5));
    const asked = server.processes[1]!;
    process.kill(asked, 'SIGTERM');
    await until('it to end', () => !isAlive(asked));
    await whole(server);
    await Promise.all(pipelines.map((pipeline) => pipeline.stop()));
    expect(pipelines.filter(({ end }) => end === 'cut')).to.have.length(0);
    expect(pipelines.some(({ end }) => end === 'clean')).to.equal(true);
    expect((await metricsOf(server)).get('parley_process_crashes_total')).to.equal(0);
  });

  it('end when their supervisor is killed, after they have answered', async () => {
    const server = await serve();
    const pipelines = await openPipelines(server, 4, 2);
    await until('answers to all', () => pipelines.every(({ answered }) => answered >= 5));
    const sent = pipelines.map((pipeline) => pipeline.sent);
    await server.kill('SIGKILL');
    await until('the others to end', () => server.processes.every((pid) => !isAlive(pid)));
    await Promise.all(pipelines.map(({ ended }) => ended));
    expect(pipelines.map((pipeline, i) => pipeline.unansweredOf(sent[i]!).length)).to.deep.equal([0, 0, 0, 0]);
    expect(pipelines.every(({ turnedAway }) => turnedAway.size > 0)).to.equal(true);
  });

  it('close what is one connection too many, and do nothing about it afterwards', async () => {
    const server = await serve('--max-connections', '4');
    // One after the other: of those that come at once, a process that has not yet taken its last one gets none, and each has room for two.
    const scorers: Scorer[] = [];
    for (let i = 0; i < 4; i++) {
      const scorer = await Scorer.open(server);
      expect((await scorer.score()).value).to.equal(scoreOf(0));
      scorers.push(scorer);
    }
    const surplus = Array.from({ length: 3 }, () => connect(server).on('error', () => {}));
    await Promise.all(surplus.map((socket) => once(socket, 'close')));
    for (const scorer of scorers) expect((await scorer.score()).value).to.equal(scoreOf(0));
    expect((await metricsOf(server)).get('parley_connections_refused_total')).to.equal(3);
    for (const scorer of scorers) scorer.close();
    await until('room', async () => (await metricsOf(server)).get('parley_connections') === 0);
    const newcomer = await Scorer.open(server);
    expect((await newcomer.score()).value).to.equal(scoreOf(0));
    newcomer.close();
  });

  it('refuse to start where the port is taken, as one does', async () => {
    const server = await place().serve();
    const ran = await place().run('serve', '--processes', '2', '--port', String(server.port));
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.match(new RegExp(`^error INVALID_INPUT: port ${server.port} on 127.0.0.1 is in use`, 'm'));
  });

  it('are told nothing that would reach them as something else', async () => {
    const ran = await place().run('serve', '--processes', '2', '--slow-ms', 'Infinity');
    expect(ran.code).to.equal(2);
    expect(ran.stderr).to.include('Write milliseconds above 0');
  });

  it('end at once at the second signal', async () => {
    const server = await serve();
    const pipelines: Pipeline[] = await openPipelines(server, 2, 1);
    server.child.kill('SIGTERM');
    await server.says('stopping');
    // A signal that comes before the first one's handler has run is the same one.
    await setTimeout(1);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).to.equal(130);
    await until('the others to end', () => server.processes.every((pid) => !isAlive(pid)));
    await Promise.all(pipelines.map(({ ended }) => ended));
  });
});
