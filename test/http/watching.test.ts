/** What a real server tells of real calls. */
import { expect } from 'chai';
import { AggregatorRegistry } from 'prom-client';
import type { MetricJson, Metrics } from '#parley/http/metrics.js';
import { modelsPage } from '#parley/http/models.js';
import type { RuntimeWatch } from '#parley/http/process-metrics.js';
import { HttpServer } from '#parley/http/server.js';
import { Caller } from '../rpc/caller.js';
import { BROKEN_X, describeModel, FORBIDDEN_X, generic, LOOKUPS, placeLookups, typed } from '../rpc/lookups.js';
import { call } from '../rpc/messages.js';
import { type Served, serve } from '../rpc/served.js';
import { envelopeOf, summing } from '../serving/models.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, sha256, World } from '../store/world.js';
import { watch } from './watched.js';

describe('a server that is watched', () => {
  const redis = sharedRedis();
  let world: World, served: Served, caller: Caller, version: string;
  let runtime: RuntimeWatch, metrics: Metrics, http: HttpServer, base: string;
  beforeEach(async () => {
    world = new World(redis);
    version = await placeLookups(world);
    served = await serve(world.store, { connections: 2 });
    caller = await Caller.open(served);
    ({ metrics, runtime } = watch(served));
    const models = (only?: string) => modelsPage(served, only);
    http = new HttpServer({ metrics, models, unready: () => undefined });
    base = `http://127.0.0.1:${(await http.listen('127.0.0.1', 0)).port}`;
  });
  afterEach(async () => {
    runtime.stop();
    caller.close();
    await http.close();
    await served.close();
    await world.close();
  });

  /** By name and labels, as they are spelled. */
  async function told(): Promise<Record<string, number>> {
    const text = await (await fetch(`${base}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => line.split(' ')).map(([name, value]) => [name, Number(value)]));
  }
  const model = `model="${LOOKUPS}"`;
  const of = (more = '') => `{${model},version="${version}"${more}}`;

  it('counts calls by every road, by outcome and reason', async () => {
    await generic(caller, [1, 2, 3]);
    await typed(caller, 4);
    await typed(caller, 5, {}, 'compact');
    await describeModel(caller, LOOKUPS);
    await describeModel(caller, 'nothing');
    await generic(caller, [BROKEN_X]);
    await typed(caller, FORBIDDEN_X);
    await generic(caller, [FORBIDDEN_X]);
    await generic(caller, [1], { reference: 'nowhere' });
    await generic(caller, [1], { model: 'nothing' });
    const metrics = await told();
    expect(metrics).to.include({
      [`parley_inference_request_success${of()}`]: 3,
      [`parley_inference_count${of()}`]: 5,
      [`parley_inference_exec_count${of()}`]: 3,
      [`parley_inference_request_failure${of(',reason="MODEL_BROKEN"')}`]: 1,
      [`parley_inference_request_failure${of(',reason="INVALID_INPUT"')}`]: 2,
      [`parley_inference_request_failure{${model},version="",reason="NOT_FOUND"}`]: 1,
      [`parley_model_requests_total{${model},outcome="OK"}`]: 3,
      [`parley_model_requests_total{${model},outcome="INVALID_INPUT"}`]: 2,
      [`parley_model_requests_total{${model},outcome="NOT_FOUND"}`]: 1,
      [`parley_model_rows_total{${model}}`]: 5,
      [`parley_inference_request_duration_seconds_count${of()}`]: 3,
      [`parley_inference_queue_duration_seconds_bucket${of(',le="+Inf"')}`]: 3,
      [`parley_inference_batch_size_bucket${of(',le="1"')}`]: 2,
      [`parley_inference_batch_size_bucket${of(',le="4"')}`]: 3,
      'parley_method_calls_total{method="Prediction:describe"}': 2,
      'parley_errors_total{code="NOT_FOUND"}': 3,
      'parley_errors_total{code="INVALID_INPUT"}': 2,
      'parley_errors_total{code="MODEL_BROKEN"}': 1,
      parley_loads_total: 1,
      parley_load_duration_seconds_count: 1,
      parley_calls_in_flight: 0,
      parley_frames_received_total: 10,
      parley_frames_sent_total: 10,
    });
    // A name that callers make up is no label.
    expect(Object.keys(metrics).filter((name) => name.includes('nothing'))).to.deep.equal([]);
    const seconds = metrics[`parley_inference_request_duration_seconds_sum${of()}`]!;
    expect(seconds * 1e6).to.be.closeTo(metrics[`parley_inference_request_duration_us${of()}`]!, 1e-3);
    expect(seconds).to.be.at.least(metrics[`parley_inference_queue_duration_seconds_sum${of()}`]!);
    expect(seconds).to.be.within(1e-6, 10);
  });

  it('counts connections, frames and bytes', async () => {
    const sent = call('binary', 'nothing', { [Symbol.for('write')]: writeNothing } as never);
    await caller.send(sent);
    const reply = (await caller.reply())!;
    const bad = await Caller.open(served);
    await until('two connections', async () => (await told()).parley_connections === 2);
    const third = new Caller(served);
    await until('a refusal', async () => (await told()).parley_connections_refused_total === 1);
    third.close();
    bad.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await until('the end of nonsense', async () => bad.closed);
    expect(await told()).to.include({
      parley_connections: 1,
      parley_connections_accepted_total: 2,
      'parley_connections_closed_total{reason="malformed"}': 1,
      'parley_connections_closed_total{reason="peer"}': 0,
      parley_unknown_methods_total: 1,
      parley_frames_received_total: 1,
      parley_frames_sent_total: 1,
      parley_received_bytes_total: sent.length + 18,
      parley_sent_bytes_total: reply.length + 4,
    });
  });

  it('forgets the calls of a connection that has gone', async () => {
    const gone = await Caller.open(served);
    gone.send(Buffer.from([0, 0, 0, 5, 1, 2, 3, 4, 5]));
    await until('its end', async () => gone.closed);
    expect(await told()).to.include({ parley_calls_in_flight: 0, parley_frames_received_total: 1 });
  });

  it('counts no warm-up', async () => {
    await generic(caller, [1]);
    const next = envelopeOf(summing(['x'])),
      digest = sha256(next);
    const record = { version: digest, modelType: 'tabular-regressor', metrics: {} } as const;
    await world.store.publishVersion({ ...BY, model: LOOKUPS, bytes: next, record });
    const moved = { ...BY, model: LOOKUPS, aliasName: 'production', version: digest, action: 'promote' } as const;
    await world.store.moveAlias(moved);
    await until('the takeover', async () => served.router.ready(LOOKUPS, 'production')?.version === digest);
    const metrics = await told();
    expect(metrics[`parley_inference_exec_count{${model},version="${digest}"}`]).to.equal(0);
    expect(metrics[`parley_inference_request_success{${model},version="${digest}"}`]).to.equal(0);
    expect(metrics).to.not.have.property(
      `parley_inference_compute_duration_seconds_count{${model},version="${digest}"}`,
    );
    expect(metrics[`parley_model_requests_total{${model},outcome="OK"}`]).to.equal(1);
  });

  it('tells how late its timers are', async () => {
    runtime.start();
    const untilMs = performance.now() + 130;
    while (performance.now() < untilMs);
    await until('a timer', async () => runtime.loopDelay.count > 0);
    expect(runtime.loopDelay.quantile(1)).to.be.at.least(20_000);
    expect(await told()).to.have.property('parley_event_loop_delay_seconds_count');
  });

  it('adds up with other processes of the same server', async () => {
    await generic(caller, [1, 2]);
    await generic(caller, [BROKEN_X]);
    // As it would come from another process.
    const other = JSON.parse(JSON.stringify(metrics.json())) as MetricJson[];
    const all = AggregatorRegistry.aggregate([metrics.json() as never, other]);
    const text = await all.metrics();
    const value = (name: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${name} `))!
          .split(' ')[1],
      );
    expect(value(`parley_inference_count${of()}`)).to.equal(4);
    expect(value(`parley_inference_batch_size_bucket${of(',le="2"')}`)).to.equal(2);
    expect(value(`parley_model_requests_total{${model},outcome="MODEL_BROKEN"}`)).to.equal(2);
    expect(value('parley_connections')).to.equal(2);
    expect(value('parley_store_connected')).to.equal(1);
    expect(value('parley_build_info{version="test"}')).to.equal(1);
    const single = await told();
    expect(value('process_start_time_seconds')).to.equal(single.process_start_time_seconds);
    expect(value(`parley_model_epoch{${model}}`)).to.equal(single[`parley_model_epoch{${model}}`]);
  });

  it('shows its models, and what they have done', async () => {
    await generic(caller, [1, 2]);
    await generic(caller, [BROKEN_X], { context: { request_id: 'secret' } });
    const response = await fetch(`${base}/models`);
    expect(response.headers.get('content-type')).to.equal('application/json');
    const page = (await response.json()) as { models: Record<string, unknown>[]; store: object };
    expect(page.store).to.include({ connected: true });
    expect(page.models).to.have.length(1);
    const { loaded, contract, epoch, ...rest } = page.models[0]!;
    expect(rest).to.deep.equal({
      model: LOOKUPS,
      lagging: false,
      uncontracted: false,
      aliases: [{ alias: 'production', version }],
    });
    expect(epoch).to.equal(3);
    expect(contract).to.deep.include({ services: ['Lookups'] });
    const [only, ...others] = loaded as Record<string, unknown>[];
    expect(others).to.deep.equal([]);
    expect(only).to.deep.include({
      version,
      modelType: 'tabular-regressor',
      runs: 'inline',
      batched: true,
      calls: 1,
      rows: 2,
      errors: { MODEL_BROKEN: 1 },
      bytes: served.factory.memory.takenBytes,
    });
    for (const which of ['requestMs', 'computeMs'])
      expect((only![which] as { p99: number }).p99).to.be.within(1e-6, 10_000);
  });

  it('shows a canary, a version that nobody has called, and one model alone', async () => {
    const canary = envelopeOf(summing(['x'])),
      digest = sha256(canary);
    const record = { version: digest, modelType: 'tabular-regressor', metrics: {} } as const;
    await world.store.publishVersion({ ...BY, model: LOOKUPS, bytes: canary, record });
    await world.store.setCanary({ ...BY, model: LOOKUPS, aliasName: 'production', version: digest, weight: 0.25 });
    const canaryRuns = () =>
      [...served.router.models].some(({ targets }) => targets.get('production')?.canary !== undefined);
    await until('the canary', async () => canaryRuns());
    const page = await (await fetch(`${base}/models?model=${LOOKUPS}&pretty`)).text();
    expect(page.split('\n').length).to.be.above(20);
    const { models } = JSON.parse(page) as { models: { aliases: object[]; loaded: object[] }[] };
    expect(models[0]!.aliases).to.deep.equal([
      { alias: 'production', version, canary: { version: digest, weight: 0.25 } },
    ]);
    expect(models[0]!.loaded).to.have.length(2);
    expect(models[0]!.loaded[1]).to.deep.include({ calls: 0, errors: {}, requestMs: null });
    expect(await told()).to.include({
      [`parley_canary_weight{${model},alias="production",version="${digest}"}`]: 0.25,
    });
    const none = (await (await fetch(`${base}/models?model=other`)).json()) as { models: object[] };
    expect(none.models).to.deep.equal([]);
  });
});

function writeNothing(output: { writeStructBegin(name: string): void; writeFieldStop(): void }): void {
  output.writeStructBegin('');
  output.writeFieldStop();
}
