/** Spans of calls, as an SDK gets them. */
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect } from 'chai';
import types from '#gen/parley_types.js';
import { ContextFields } from '#parley/rpc/request-context.js';
import { CallSpans, parseTraceParent } from '#parley/rpc/spans.js';
import { BinaryReader, BinaryWriter } from '#parley/rpc/wire/binary.js';
import { CompactReader } from '#parley/rpc/wire/compact.js';
import { I32, MAP, STRING } from '#parley/rpc/wire/protocol.js';
import { sharedRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { Caller } from './caller.js';
import { BROKEN_X, describeModel, FORBIDDEN_X, generic, LOOKUPS, placeLookups, typed } from './lookups.js';
import type { Writable } from './messages.js';
import { type Served, serve } from './served.js';
import { packageWriter } from './wire-values.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736',
  PARENT = '00f067aa0ba902b7',
  TRACEPARENT = `00-${TRACE}-${PARENT}-01`;
const context = { request_id: 'r-1', trace: { traceparent: TRACEPARENT, tracestate: 'vendor=1', other: 'x' } };

describe('a traced call', () => {
  const redis = sharedRedis();
  const exporter = new InMemorySpanExporter();
  let world: World, served: Served, caller: Caller, version: string;
  before(async () => {
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    world = new World(redis);
    version = await placeLookups(world);
    served = await serve(world.store);
    caller = await Caller.open(served);
  });
  beforeEach(() => exporter.reset());
  after(async () => {
    trace.disable();
    caller.close();
    await served.close();
    await world.close();
  });

  /** The only one. */
  function span(): ReadableSpan {
    const spans = exporter.getFinishedSpans();
    expect(spans).to.have.length(1);
    return spans[0]!;
  }

  const childOfTheCaller = (made: ReadableSpan) => {
    const { kind, parentSpanContext } = made,
      { traceId, spanId } = made.spanContext();
    expect(kind).to.equal(SpanKind.SERVER);
    expect(traceId).to.equal(TRACE);
    expect(spanId).to.not.equal(PARENT);
    expect(parentSpanContext).to.include({ traceId: TRACE, spanId: PARENT, isRemote: true });
    expect(parentSpanContext?.traceState?.get('vendor')).to.equal('1');
  };

  for (const protocol of ['binary', 'compact'] as const) {
    it(`is a span of a prediction, generic, ${protocol}`, async () => {
      expect(await generic(caller, [1, 2, 3], { context }, protocol)).to.include({ kind: 'answer' });
      const made = span();
      childOfTheCaller(made);
      expect(made.name).to.equal('parley.predict');
      expect(made.status.code).to.equal(SpanStatusCode.UNSET);
      expect(made.attributes).to.deep.include({
        'rpc.service': 'Prediction',
        'rpc.method': 'predict',
        'parley.request_id': 'r-1',
        'parley.model': LOOKUPS,
        'parley.version': version,
        'parley.alias': 'production',
        'parley.rows': 3,
        'parley.cached': false,
        'parley.outcome': 'OK',
      });
      expect(made.attributes['parley.queue_us']).to.be.a('number').above(0);
      expect(made.attributes['parley.compute_us']).to.be.a('number').above(0);
      const lasted = made.duration[0] * 1e6 + made.duration[1] / 1e3,
        beganMs = made.startTime[0] * 1e3 + made.startTime[1] / 1e6;
      expect(lasted).to.be.at.least(made.attributes['parley.compute_us'] as number);
      // Not Date.now(), which is rounded down.
      expect(performance.timeOrigin + performance.now() - beganMs).to.be.within(0, 60_000);
    });

    it(`is a span of a prediction, typed, ${protocol}`, async () => {
      expect(await typed(caller, 3, context, protocol)).to.include({ kind: 'answer' });
      childOfTheCaller(span());
      expect(span().name).to.equal('parley.predict');
      expect(span().attributes).to.deep.include({
        'rpc.service': 'Lookups',
        'rpc.method': 'find',
        'parley.model': LOOKUPS,
        'parley.version': version,
        'parley.rows': 1,
        'parley.outcome': 'OK',
      });
    });

    it(`is a span of its method elsewhere, ${protocol}`, async () => {
      expect(await describeModel(caller, LOOKUPS, context, protocol)).to.include({ kind: 'answer' });
      childOfTheCaller(span());
      expect(span().name).to.equal('parley.Prediction.describe');
      expect(span().attributes).to.deep.include({ 'parley.request_id': 'r-1', 'parley.outcome': 'OK' });
    });
  }

  it("tells of the graph's failure as an error of the server", async () => {
    expect(await generic(caller, [BROKEN_X], { context })).to.include({ kind: 'error' });
    childOfTheCaller(span());
    expect(span().status).to.deep.equal({ code: SpanStatusCode.ERROR, message: 'MODEL_BROKEN' });
    expect(span().attributes).to.deep.include({ 'parley.version': version, 'parley.outcome': 'MODEL_BROKEN' });
  });

  it("tells of the caller's mistake as no error of the server, and names what it met", async () => {
    expect(await typed(caller, FORBIDDEN_X, context)).to.include({ kind: 'error' });
    childOfTheCaller(span());
    expect(span().status.code).to.equal(SpanStatusCode.UNSET);
    expect(span().attributes).to.deep.include({ 'parley.model': LOOKUPS, 'parley.outcome': 'INVALID_INPUT' });
  });

  it('tells of a method that fails in the generated code', async () => {
    expect(await describeModel(caller, 'nothing', context)).to.include({ kind: 'error' });
    childOfTheCaller(span());
    expect(span().attributes).to.deep.include({ 'parley.outcome': 'NOT_FOUND' });
  });

  it('is none without a valid trace', async () => {
    for (const traced of [undefined, {}, { traceparent: 'x' }, { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01` }])
      expect(await generic(caller, [1], { context: traced ? { trace: traced } : {} })).to.include({ kind: 'answer' });
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });
});

describe('a trace', () => {
  it('is read as the specification says', () => {
    const found = { traceId: TRACE, spanId: PARENT, flags: 1, state: undefined };
    expect(parseTraceParent(TRACEPARENT)).to.deep.equal(found);
    expect(parseTraceParent(TRACEPARENT, 'a=1')).to.deep.equal({ ...found, state: 'a=1' });
    // What a later version adds is passed over.
    expect(parseTraceParent(`01-${TRACE}-${PARENT}-01-more`)).to.deep.equal(found);
    for (const wrong of [
      `00-${TRACE}-${PARENT}-01-more`,
      `ff-${TRACE}-${PARENT}-01`,
      `00-${TRACE.toUpperCase()}-${PARENT}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      ` ${TRACEPARENT}`,
    ])
      expect(parseTraceParent(wrong), wrong).to.equal(undefined);
  });

  it('is not read where nobody is registered', async () => {
    expect(await CallSpans.open('test')).to.equal(undefined);
    for (const [Reader, protocol] of [
      [BinaryReader, 'binary'],
      [CompactReader, 'compact'],
    ] as const) {
      const { output, bytes } = packageWriter(protocol);
      const struct = new types.RequestContext(context as never) as unknown as Writable;
      struct[Symbol.for('write')]!(output);
      const frame = Buffer.from(bytes());
      const found = [false, true].map((traced) => {
        const fields = new ContextFields(traced),
          reader = new Reader();
        reader.reset(frame, 0, frame.length);
        fields.read(reader);
        expect([fields.requestId, reader.at]).to.deep.equal(['r-1', frame.length]);
        return fields.trace?.traceId;
      });
      expect(found).to.deep.equal([undefined, TRACE]);
    }
  });

  it('may be any map, however large, and is passed over', () => {
    for (const [type, entries] of [
      [STRING, 5_000],
      [I32, 3],
    ] as const) {
      const writer = new BinaryWriter();
      writer.field(MAP, 4);
      writer.mapBegin(STRING, type, entries);
      for (let i = 0; i < entries; i++) {
        writer.text(i < entries - 1 ? `traceparent${i}` : 'traceparent');
        if (type === STRING) writer.text(TRACEPARENT);
        else writer.i32(i);
      }
      writer.structEnd();
      const reader = new BinaryReader(),
        fields = new ContextFields(true);
      const frame = Buffer.from(writer.buffer.subarray(0, writer.at));
      reader.reset(frame, 0, frame.length);
      fields.read(reader);
      expect([fields.trace, reader.at]).to.deep.equal([undefined, frame.length]);
    }
  });
});
