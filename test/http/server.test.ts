import { connect, createServer } from 'node:net';
import { expect } from 'chai';
import { pino } from 'pino';
import { Metrics } from '#parley/http/metrics.js';
import { modelsPage } from '#parley/http/models.js';
import { HttpServer } from '#parley/http/server.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { Router } from '#parley/serving/router.js';
import { put } from '../serving/calls.js';
import { envelopeOf, lookup, MODEL } from '../serving/models.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { BY, failure, World } from '../store/world.js';
import { NOTHING_COUNTED } from './watched.js';

describe('the HTTP side', () => {
  const redis = sharedRedis();
  let world: World;
  let factory: Factory;
  let router: Router;
  let http: HttpServer;
  let base: string;
  let unready: string | undefined;
  const errors = new Map<string, number>();

  /** Of a server that takes no calls: only its models are real. */
  const metricsOf = (serverVersion = '') => new Metrics({ ...NOTHING_COUNTED, serverVersion, router, factory, errors });
  const models = (only?: string) => modelsPage({ router, factory }, only);

  beforeEach(async () => {
    world = new World(redis);
    factory = new Factory(world.store, new Batcher(), { memoryLimitBytes: 1 << 30 });
    router = new Router(world.store, factory, pino({ level: 'silent' }));
    unready = undefined;
    errors.clear();
    http = new HttpServer({ metrics: metricsOf('1.2.3'), models, unready: () => unready });
    const { host, port } = await http.listen('127.0.0.1', 0);
    base = `http://${host}:${port}`;
  });
  afterEach(async () => {
    await http.close();
    await router.close();
    factory.close();
    await world.close();
  });

  async function metrics(): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`${base}/metrics`);
    expect(response.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(lines.map((line) => line.split(' ')).map(([name, value]) => [name!, Number(value)]));
  }

  async function publish(): Promise<string> {
    const bytes = envelopeOf(lookup()),
      version = digestOf(bytes);
    const record = { version, modelType: 'tabular-regressor', metrics: {} };
    await world.store.publishVersion({ ...BY, model: MODEL, bytes, record });
    await world.store.moveAlias({ ...BY, model: MODEL, aliasName: 'production', version, action: 'promote' });
    return version;
  }

  it('tells of the store, of what is loaded, and of what was answered', async () => {
    const version = await publish();
    await router.start();
    const of = `{model="${MODEL}"}`,
      by = `{model="${MODEL}",version="${version}"}`;
    expect((await metrics()).get(`parley_loaded_versions${of}`)).to.equal(undefined);
    const { servable } = await router.resolve(MODEL);
    const plan = servable.plan([0]);
    await Promise.all([put(plan, [[1, 2]]), put(plan, [[3]])].map(({ settled }) => settled));
    await put(plan, [[1000]]).settled;
    errors.set('INVALID_INPUT', 3);
    const told = await metrics();
    expect(Object.fromEntries(told)).to.deep.include({
      parley_store_connected: 1,
      [`parley_model_epoch${of}`]: 2,
      [`parley_model_uncontracted${of}`]: 1,
      [`parley_loaded_versions${of}`]: 1,
      [`parley_loaded_bytes${of}`]: factory.memory.takenBytes,
      parley_memory_taken_bytes: factory.memory.takenBytes,
      parley_memory_limit_bytes: 1 << 30,
      parley_loads_total: 1,
      parley_load_failures_total: 0,
      parley_evictions_total: 0,
      [`parley_inference_request_success${by}`]: 2,
      [`parley_inference_request_failure{model="${MODEL}",version="${version}",reason="MODEL_BROKEN"}`]: 1,
      [`parley_model_requests_total{model="${MODEL}",outcome="OK"}`]: 2,
      [`parley_model_requests_total{model="${MODEL}",outcome="MODEL_BROKEN"}`]: 1,
      [`parley_model_rows_total${of}`]: 3,
      [`parley_inference_request_duration_seconds_count${by}`]: 2,
      [`parley_inference_queue_duration_seconds_count${by}`]: 2,
      [`parley_inference_compute_duration_seconds_count${by}`]: 1,
      [`parley_inference_batch_size_bucket{model="${MODEL}",version="${version}",le="2"}`]: 0,
      [`parley_inference_batch_size_bucket{model="${MODEL}",version="${version}",le="4"}`]: 1,
      [`parley_inference_batch_size_sum${by}`]: 3,
      parley_load_duration_seconds_count: 1,
      [`parley_inference_count${by}`]: 3,
      [`parley_inference_exec_count${by}`]: 1,
      'parley_errors_total{code="INVALID_INPUT"}': 3,
      'parley_build_info{version="1.2.3"}': 1,
    });
    expect(told.get('parley_store_heard_seconds')).to.be.within(0, 30);
    expect(told.get(`parley_inference_compute_infer_duration_us${by}`)).to.be.above(0);
    expect(told.get('process_resident_memory_bytes')).to.be.above(1 << 20);

    factory.forget(MODEL, version);
    const after = await metrics();
    expect(after.get(`parley_loaded_versions${of}`)).to.equal(undefined);
    expect(after.get('parley_memory_taken_bytes')).to.equal(0);
    expect(after.get(`parley_inference_count${by}`)).to.equal(3);

    // Ten minutes later, only the model's own counts are left.
    const { now } = performance;
    performance.now = () => now.call(performance) + 600_000;
    try {
      const later = await metrics();
      expect(later.get(`parley_inference_count${by}`)).to.equal(undefined);
      expect(later.get(`parley_model_rows_total${of}`)).to.equal(3);
    } finally {
      performance.now = now;
    }
  });

  it('gives every metric a help and a kind', async () => {
    const text = await (await fetch(`${base}/metrics`)).text();
    const named = (kind: string) => [...text.matchAll(new RegExp(`^# ${kind} (\\S+) (\\S.*)$`, 'gm'))].map((m) => m[1]);
    expect(named('HELP')).to.have.length.above(15);
    expect(named('TYPE')).to.deep.equal(named('HELP'));
  });

  it('is live at once, and ready when calls are taken', async () => {
    unready = 'starting: the models are being read';
    expect((await fetch(`${base}/live`)).status).to.equal(200);
    const refused = await fetch(`${base}/ready`);
    expect([refused.status, await refused.text()]).to.deep.equal([503, `${unready}\n`]);
    unready = undefined;
    const ready = await fetch(`${base}/ready?verbose`);
    expect([ready.status, await ready.text()]).to.deep.equal([200, 'ready\n']);
  });

  it('answers HEAD without a body, and refuses what it does not know', async () => {
    const head = await fetch(`${base}/live`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).to.deep.equal([200, '5', '']);
    const post = await fetch(`${base}/metrics`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD']);
    expect((await fetch(`${base}/model`)).status).to.equal(404);
  });

  describe('with clients that do not go on', () => {
    let slow: HttpServer;
    let port: number;
    let readings: number;
    beforeEach(async () => {
      const metrics = metricsOf();
      readings = 0;
      const counted = {
        contentType: metrics.contentType,
        text: () => {
          readings++;
          return metrics.text();
        },
      };
      slow = new HttpServer({ metrics: counted, models, unready: () => undefined }, 200);
      ({ port } = await slow.listen('127.0.0.1', 0));
    });
    afterEach(() => slow.close());

    /** Sends this and reads nothing. @returns when the server has ended the connection */
    const ends = (text: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        socket.pause();
        socket.on('error', () => {}).on('close', () => resolve());
        // What a socket that reads nothing is told shows in its writes.
        const probe = setInterval(() => socket.write('\r\n'), 50);
        socket.on('close', () => clearInterval(probe));
      });

    it('ends those that stop within a request', () => ends('GET /live HTTP/1.1\r\nhost: x\r\nx-more: '));

    it('ends those that ask on and on, and take no reply, after one', async () => {
      await ends('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20_000));
      expect(readings).to.equal(1);
    });

    it('answers others meanwhile, up to the 64th', async () => {
      const idle = Array.from({ length: 64 }, () => connect(port, '127.0.0.1').on('error', () => {}));
      await until(
        'an answer',
        async () => (await fetch(`http://127.0.0.1:${port}/live`).catch(() => undefined))?.status === 200,
      );
      for (const socket of idle) socket.destroy();
    });
  });

  it('says so where the port is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) =>
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
    );
    const second = new HttpServer({ metrics: metricsOf(), models, unready: () => undefined });
    const error = await failure(second.listen('127.0.0.1', port));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.contain(`${port}`).and.to.contain('--http-port');
    other.close();
  });
});
