/**
 * Spans of calls that belong to a trace (W3C Trace Context, in `context.trace`), through the OpenTelemetry API alone: an SDK
 * is the operator's, registered before this process serves, with `node --import`.
 *
 * A span is made when its call has ended. Without an SDK the API is not even loaded, and traces are not read.
 */
import type { Attributes, Tracer } from '@opentelemetry/api';
import { type ErrorCode, isServersFault } from '../errors.js';
import type { EndedCall } from './ended-calls.js';

/** Where the API keeps what was registered: the same for every copy of it with this major version. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** What of a caller's tracestate is taken; the specification asks for no more. */
const MOST_STATE_CHARACTERS = 512;

/** The span that called us. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly state: string | undefined;
}

/** @returns undefined for what is not valid, as the specification wants it: such a call belongs to no trace */
export function parseTraceParent(traceparent: string, state?: string): TraceParent | undefined {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return undefined;
  const taken = state !== undefined && state.length <= MOST_STATE_CHARACTERS ? state : undefined;
  return { traceId: traceId!, spanId: spanId!, flags: Number.parseInt(flags!, 16), state: taken };
}

type Api = typeof import('@opentelemetry/api');

export class CallSpans {
  private constructor(
    private readonly api: Api,
    private readonly tracer: Tracer,
  ) {}

  /** @returns undefined where no SDK for traces is registered */
  static async open(version: string): Promise<CallSpans | undefined> {
    const registered = (globalThis as { [REGISTERED]?: { readonly trace?: unknown } })[REGISTERED];
    if (registered?.trace === undefined) return undefined;
    const api = await import('@opentelemetry/api');
    return new CallSpans(api, api.trace.getTracer('parley', version));
  }

  /** @param code undefined: it succeeded */
  record(call: EndedCall, parent: TraceParent, code: ErrorCode | undefined): void {
    const { ROOT_CONTEXT, SpanKind, SpanStatusCode, createTraceState, trace } = this.api;
    const context = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: parent.traceId,
      spanId: parent.spanId,
      traceFlags: parent.flags,
      isRemote: true,
      ...(parent.state === undefined ? {} : { traceState: createTraceState(parent.state) }),
    });
    const span = this.tracer.startSpan(
      nameOf(call),
      {
        kind: SpanKind.SERVER,
        startTime: performance.timeOrigin + call.arrivedMs,
        attributes: attributesOf(call, code),
      },
      context,
    );
    if (code !== undefined && isServersFault(code)) span.setStatus({ code: SpanStatusCode.ERROR, message: code });
    span.end(performance.timeOrigin + call.endedMs);
  }
}

/** Calls of a model have one name, whichever service they came through; others their method's. */
const nameOf = ({ model, method }: EndedCall): string =>
  model === undefined ? `parley.${method.replace(':', '.')}` : 'parley.predict';

function attributesOf(call: EndedCall, code: ErrorCode | undefined): Attributes {
  const [service, method] = call.method.split(':');
  const attributes = {
    'rpc.system': 'apache_thrift',
    'rpc.service': service,
    'rpc.method': method,
    'parley.request_id': call.requestId,
    'parley.model': call.model,
    'parley.version': call.version,
    'parley.alias': call.alias,
    'parley.rows': call.rows,
    'parley.queue_us': call.queueUs,
    'parley.compute_us': call.computeUs,
    'parley.cached': call.cached,
    'parley.outcome': code ?? 'OK',
  };
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined)) as Attributes;
}
