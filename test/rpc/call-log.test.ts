/** What the log says of calls, and what it must never say. */
import { Writable } from 'node:stream';
import { expect } from 'chai';
import { type Logger, pino } from 'pino';
import { invalidInput } from '#parley/errors.js';
import { CallLog, type CallLogOptions } from '#parley/rpc/call-log.js';
import { sharedRedis, until } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { Caller } from './caller.js';
import { BROKEN_X, describeModel, FORBIDDEN_X, generic, LOOKUPS, placeLookups, typed } from './lookups.js';
import { type Served, serve } from './served.js';

type Line = Readonly<Record<string, unknown>>;

function recorder(): { readonly log: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Line);
      done();
    },
  });
  return { log: pino({ level: 'info' }, stream), lines };
}

describe('the log of calls', () => {
  const redis = sharedRedis();
  let world: World, served: Served, caller: Caller, version: string, lines: Line[];
  beforeEach(async () => {
    world = new World(redis);
    version = await placeLookups(world);
  });
  afterEach(async () => {
    caller.close();
    await served.close();
    await world.close();
  });

  async function start(options: CallLogOptions): Promise<void> {
    const recorded = recorder();
    lines = recorded.lines;
    served = await serve(world.store, {}, recorded.log, {}, {}, options);
    caller = await Caller.open(served);
  }
  const ofCalls = () => lines.filter(({ method }) => method !== undefined);

  it('has a line with the request id for each failure, and none for what succeeds', async () => {
    await start({ access: 'failures', slowMs: 60_000 });
    await generic(caller, [1], { context: { request_id: 'fine' } });
    await typed(caller, 1);
    await describeModel(caller, LOOKUPS);
    await generic(caller, [1, BROKEN_X], { context: { request_id: 'broken' } });
    await typed(caller, FORBIDDEN_X, { request_id: 'forbidden' });
    await generic(caller, [1], { model: 'nothing', context: { request_id: 'unknown' } });
    await describeModel(caller, 'nothing', { request_id: 'described' });
    const met = { model: LOOKUPS, version, alias: 'production' };
    const told = ofCalls();
    expect(told).to.have.length(4);
    expect(told[0]).to.deep.include({
      ...met,
      level: 40,
      requestId: 'broken',
      method: 'Prediction:predict',
      code: 'MODEL_BROKEN',
      msg: 'a call failed',
    });
    expect(told[0]!.durationMs).to.be.a('number').above(0);
    expect(told[1]).to.deep.include({
      ...met,
      level: 30,
      requestId: 'forbidden',
      method: 'Lookups:find',
      code: 'INVALID_INPUT',
    });
    expect(told[2]).to.deep.include({ requestId: 'unknown', code: 'NOT_FOUND' });
    expect(told[2]).to.not.have.property('model');
    expect(told[3]).to.deep.include({ requestId: 'described', method: 'Prediction:describe', code: 'NOT_FOUND' });
    expect(served.calls.errors.get('NOT_FOUND')).to.equal(2);
  });

  it('gives a failed call that brought no id the one of its answer', async () => {
    await start({ access: 'failures', slowMs: 60_000 });
    await typed(caller, FORBIDDEN_X);
    expect(ofCalls()[0]!.requestId).to.match(/^[0-9a-f-]{36}$/);
  });

  it('keeps no more of an id than an id has', async () => {
    await start({ access: 'all', slowMs: 60_000 });
    const context = { request_id: 'x'.repeat(100_000) };
    await generic(caller, [1], { context });
    await describeModel(caller, LOOKUPS, context);
    await describeModel(caller, 'nothing', context);
    expect(ofCalls().map(({ requestId }) => String(requestId).length)).to.deep.equal([256, 256, 256]);
  });

  it('has a line for a slow call, with where its time went', async () => {
    await start({ access: 'failures', slowMs: 0.000_001 });
    await generic(caller, [1, 2], { context: { request_id: 'slow' } });
    const [line] = ofCalls();
    expect(line).to.deep.include({ msg: 'a slow call', level: 40, requestId: 'slow', model: LOOKUPS, rows: 2 });
    expect(line!.computeUs).to.be.a('number').above(0);
    expect(line!.queueUs).to.be.a('number').at.least(0);
  });

  it('has a line for every call when all are wanted', async () => {
    await start({ access: 'all', slowMs: 60_000 });
    await generic(caller, [1]);
    await typed(caller, 1);
    await describeModel(caller, LOOKUPS);
    expect(ofCalls().map(({ msg, method }) => [msg, method])).to.deep.equal([
      ['a call', 'Prediction:predict'],
      ['a call', 'Lookups:find'],
      ['a call', 'Prediction:describe'],
    ]);
  });

  it('has none when it is off', async () => {
    await start({ access: 'off', slowMs: 0.000_001 });
    await generic(caller, [1]);
    await typed(caller, FORBIDDEN_X);
    expect(ofCalls()).to.deep.equal([]);
  });

  it('never says what a caller sent', async () => {
    await start({ access: 'all', slowMs: 0.000_001 });
    const auth_token = 'hunter2hunter2';
    await generic(caller, [7.654_321, 1], { context: { auth_token } });
    await generic(caller, [77.654_321, 1], { context: { auth_token } });
    await typed(caller, 7654.321, { auth_token });
    await generic(caller, [1], { model: 'secret-name', reference: 'secret-alias', context: { auth_token } });
    await describeModel(caller, 'secret-name', { auth_token });
    expect(ofCalls()).to.have.length(5);
    expect(JSON.stringify(lines)).to.not.match(/hunter2|654|secret/);
  });

  it('is not flooded, counts what it leaves out, and says so', async () => {
    await start({ access: 'failures', slowMs: 60_000 });
    const calls = 200;
    for (let i = 0; i < calls; i++) await typed(caller, FORBIDDEN_X);
    // Another kind has lines of its own.
    await generic(caller, [BROKEN_X], { context: { request_id: 'after' } });
    expect(ofCalls().filter(({ requestId }) => requestId === 'after')).to.have.length(1);
    await until('the count', async () => lines.some(({ suppressed }) => suppressed !== undefined));
    const written = ofCalls().filter(({ code }) => code === 'INVALID_INPUT').length;
    expect(written).to.be.within(10, calls / 2);
    expect(served.callLog.suppressed.get('INVALID_INPUT')).to.equal(calls - written);
    expect(lines.find(({ suppressed }) => suppressed !== undefined)).to.include({ kind: 'INVALID_INPUT' });
    expect(served.calls.errors.get('INVALID_INPUT')).to.equal(calls);
  });
});

describe('a log that nobody reads', () => {
  it('leaves nothing out that it would have written', () => {
    const log = new CallLog(pino({ level: 'silent' }));
    const call = { method: 'A:b', requestId: 'r', trace: undefined, arrivedMs: 1, endedMs: 3 };
    for (let i = 0; i < 100; i++) log.failed(call, 'INVALID_INPUT', invalidInput('x'));
    expect([...log.suppressed]).to.deep.equal([]);
  });
});

describe("a defect's line", () => {
  it('is written although the log of calls is off', () => {
    const { log, lines } = recorder(),
      call = { method: 'A:b', requestId: 'r', trace: undefined, arrivedMs: 1, endedMs: 3 };
    const off = new CallLog(log, { access: 'off', slowMs: 1 });
    off.failed(call, 'INTERNAL', new TypeError('a defect'));
    off.failed(call, 'INVALID_INPUT', invalidInput('x'));
    expect(lines).to.have.length(1);
    expect(lines[0]).to.deep.include({ level: 50, requestId: 'r', method: 'A:b', code: 'INTERNAL', durationMs: 2 });
    expect(lines[0]!.err).to.include({ type: 'TypeError', message: 'a defect' });
  });
});
