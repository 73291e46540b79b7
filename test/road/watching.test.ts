/** What an operator sees of `parley serve`: its models, its log, and spans where an SDK is registered. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { openStore } from '#parley/store/connect.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { Caller } from '../rpc/caller.js';
import { FORBIDDEN_X, generic, LOOKUPS, placeLookups, typed } from '../rpc/lookups.js';
import { placeForEach, type Server, until } from './parley.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736',
  PARENT = '00f067aa0ba902b7';
const TRACING = pathToFileURL('test/road/tracing.mjs').href;

describe('who watches a server', function () {
  this.timeout(120_000);
  let store: RedisStore, version: string;
  // Before the place is left with all its files.
  afterEach(() => store.close());
  const place = placeForEach();
  beforeEach(async () => {
    store = await openStore({ dataFolder: place().dataFolder });
    version = await placeLookups({ store });
  });

  type Line = Readonly<Record<string, unknown>>;
  const lines = (server: Server): Line[] =>
    server.stderr.split('\n').flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line)] : []));

  it('is told of calls, models and figures, and of spans once an SDK is imported', async () => {
    const env = { NODE_OPTIONS: `--import ${TRACING}` };
    const server = await place().serveIn(env, '--http-port', '0', '--access-log', 'all', '--slow-ms', '60000');
    const caller = await Caller.open(server);
    const context = { request_id: 'mine', trace: { traceparent: `00-${TRACE}-${PARENT}-01` } };
    expect(await generic(caller, [1, 2], { context })).to.include({ kind: 'answer' });
    expect(await typed(caller, FORBIDDEN_X, { request_id: 'bad' })).to.include({ kind: 'error' });
    caller.close();

    const span = await until('a span', () => lines(server).find(({ span }) => span === 'parley.predict'));
    expect(span).to.include({ traceId: TRACE, parent: PARENT });
    expect(span!.attributes).to.include({ 'parley.model': LOOKUPS, 'parley.rows': 2, 'parley.outcome': 'OK' });
    const failed = await until('its line', () => lines(server).find(({ requestId }) => requestId === 'bad'));
    expect(failed).to.include({ msg: 'a call failed', code: 'INVALID_INPUT', model: LOOKUPS, version });
    expect(lines(server).find(({ requestId }) => requestId === 'mine')).to.include({ msg: 'a call', traceId: TRACE });

    const base = `http://${server.http!.host}:${server.http!.port}`;
    const { models } = (await (await fetch(`${base}/models`)).json()) as { models: { loaded: Line[] }[] };
    expect(models[0]!.loaded[0]).to.deep.include({ version, calls: 1, rows: 2, errors: { INVALID_INPUT: 1 } });
    const metrics = await (await fetch(`${base}/metrics`)).text();
    for (const figure of [
      `parley_model_requests_total{model="${LOOKUPS}",outcome="OK"} 1`,
      `parley_errors_total{code="INVALID_INPUT"} 1`,
      'parley_frames_received_total 2',
      'parley_connections_accepted_total 1',
    ])
      expect(metrics).to.contain(`\n${figure}\n`);
    await until('the loop to be watched', async () =>
      /\nparley_event_loop_delay_seconds_count [1-9]/.test(await (await fetch(`${base}/metrics`)).text()),
    );
  });

  it('is told of kept answers, and of settings that no model has', async () => {
    const file = join(place().root, 'serving.yaml');
    writeFileSync(file, `models:\n  ${LOOKUPS}: {cache: 9}\n  ${LOOKUPS}s: {cache: 9}\n`);
    const server = await place().serve('--http-port', '0', '--config', file);
    const caller = await Caller.open(server);
    for (let call = 0; call < 3; call++) expect(await generic(caller, [1, 2])).to.include({ kind: 'answer' });
    caller.close();
    const page = await fetch(`http://${server.http!.host}:${server.http!.port}/models`);
    const { models } = (await page.json()) as { models: { cache: object }[] };
    expect(models[0]!.cache).to.include({ hits: 2, misses: 1, entries: 1 });
    const warned = lines(server).filter(({ msg }) => String(msg).startsWith('the settings name a model'));
    expect(warned.map(({ model }) => model)).to.deep.equal([`${LOOKUPS}s`]);
    expect(warned[0]!.msg).to.include(`did you mean "${LOOKUPS}"?`);
  });

  it('is told what the options take', async () => {
    for (const wrong of [
      ['--access-log', 'some'],
      ['--slow-ms', '0'],
    ]) {
      const { code, stderr } = await place().run('serve', '--port', '0', ...wrong);
      expect(code).to.equal(2);
      expect(stderr).to.contain(wrong[0]);
    }
  });
});
