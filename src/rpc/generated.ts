/**
 * The generic services' other methods, through the code that the Thrift compiler made from idl/parley.thrift.
 *
 * A frame gets here only after the wire reader has walked through it, so the generated code meets no length beyond the
 * frame, no endless nesting and no unknown type. It does not look at the types of a container's elements, though, and may
 * read them as something else: what it throws then is the frame's fault, and containers hold no more than was walked
 * through. Handlers throw ParleyErrors; whatever else is thrown becomes INTERNAL.
 */
import thrift from 'thrift';
import feedback from '../../gen/Feedback.js';
import operations from '../../gen/Operations.js';
import prediction from '../../gen/Prediction.js';
import registry from '../../gen/Registry.js';
import training from '../../gen/Training.js';
import { internal, invalidInput, unsupported } from '../errors.js';
import type { Grant } from '../security/grant.js';
import type { EndedCalls } from './ended-calls.js';
import { thriftError } from './error-mapping.js';
import { type Caller, newRequestId, replyError } from './replies.js';
import { parseTraceParent } from './spans.js';
import { Malformed } from './wire/protocol.js';

/** Values of one message: each may cost a hundred bytes, where it came as one, and the generated code is slow. */
const MOST_VALUES = 250_000;
/** Of a longer request id, as of one that the other methods are called with. */
const MOST_ID_CHARACTERS = 256;
/** Field of `throws` in every method of parley.thrift. */
export const GENERIC_ERROR_ID = 1;

/** Takes the request struct and answers the response struct. @param who undefined: everybody may do everything */
export type Handler = (request: never, who?: Grant) => Promise<unknown>;
/** Methods of one service. */
export type Handlers = Readonly<Record<string, Handler>>;

const SERVICES = {
  Prediction: prediction,
  Training: training,
  Registry: registry,
  Feedback: feedback,
  Operations: operations,
} as const;
export type GenericService = keyof typeof SERVICES;
export const GENERIC_SERVICES = Object.keys(SERVICES) as GenericService[];

type Process = (sequenceId: number, input: thrift.TProtocol, output: thrift.TProtocol) => void;

export interface GeneratedMethod {
  readonly process: Process;
}

/** The transport in memory: reads one frame's bytes, hands out one whole frame at `flush`. */
const FramedTransport = thrift.TFramedTransport as unknown as new (
  input: Buffer | undefined,
  onFlush?: (frame: Buffer) => void,
) => thrift.TTransport;

export class GeneratedServices {
  /** By `Service:method`. */
  readonly methods: ReadonlyMap<string, GeneratedMethod>;
  /** Calls that were answered, by `Service:method`, errors among them. */
  readonly answered = new Map<string, number>();
  /** Whose call is being processed: the generated code calls its handler before it returns, and hands nothing through. */
  #who: Grant | undefined;

  /** @param handlers methods that are not there answer UNSUPPORTED */
  constructor(handlers: Readonly<Partial<Record<GenericService, Handlers>>>, calls: EndedCalls) {
    const methods = new Map<string, GeneratedMethod>(),
      watched = watchedBy(calls, this.answered);
    for (const service of GENERIC_SERVICES) {
      const { Processor } = SERVICES[service],
        names = methodNames(Processor.prototype);
      const processor = new Processor(
        answering(service, names, handlers[service] ?? {}, watched, () => this.#who),
      ) as unknown as Record<string, Process>;
      for (const name of names)
        methods.set(`${service}:${name}`, { process: processor[`process_${name}`]!.bind(processor) });
    }
    this.methods = methods;
  }

  /**
   * @param body the frame behind the message's header; the caller's own copy
   * @param values how many there are in it
   * @param who has the method's role; what models it may use is checked here
   * @throws Malformed, ParleyError INVALID_INPUT; the handler was not called then
   */
  call(method: GeneratedMethod, caller: Caller, body: Buffer, values: number, who?: Grant): void {
    if (values > MOST_VALUES)
      throw invalidInput(`a message of ${values} values; send at most ${MOST_VALUES} in one call`);
    const Protocol = caller.compact ? thrift.TCompactProtocol : thrift.TBinaryProtocol,
      input = limited(new Protocol(new FramedTransport(body)), values),
      output = new Protocol(new FramedTransport(undefined, (frame) => answer(frame))),
      { connection } = caller;
    let begun = 0;
    const begin = output.writeMessageBegin;
    output.writeMessageBegin = (...header) => {
      begun++;
      begin.apply(output, header);
    };
    const answer = (frame: Buffer) => {
      connection.heldBytes -= body.length;
      if (connection.closed) return;
      // Begun again behind a result that could not be written: what is in the buffer is neither.
      if (begun > 1) replyError(caller, GENERIC_ERROR_ID, internal('the answer could not be written'), undefined);
      else connection.reply(frame);
    };
    connection.heldBytes += body.length;
    this.#who = who;
    try {
      method.process(caller.sequenceId, input, output);
    } catch (error) {
      connection.heldBytes -= body.length;
      throw new Malformed(`the generated code cannot read it: ${String(error)}`);
    }
  }
}

/** Lets the containers that are read hold no more than `values` elements together. */
function limited(input: thrift.TProtocol, values: number): thrift.TProtocol {
  let left = values;
  const spend = <T extends { size: number }>(container: T): T => {
    if (container.size < 0 || (left -= container.size) < 0) throw new Malformed('a container of other elements');
    return container;
  };
  const list = input.readListBegin,
    set = input.readSetBegin,
    map = input.readMapBegin;
  input.readListBegin = () => spend(list.call(input));
  input.readSetBegin = () => spend(set.call(input));
  input.readMapBegin = () => spend(map.call(input));
  return input;
}

const methodNames = (prototype: object): string[] =>
  Object.getOwnPropertyNames(prototype)
    .filter((name) => name.startsWith('process_'))
    .map((name) => name.slice('process_'.length));

/** The handler object that a generated processor calls. */
function answering(
  service: GenericService,
  names: readonly string[],
  handlers: Handlers,
  watched: Watched,
  whoCalls: () => Grant | undefined,
): object {
  return Object.fromEntries(
    names.map((name) => [
      name,
      // The processor looks at the number of arguments: one means a promise.
      (request: unknown) => {
        const who = whoCalls();
        return watched(`${service}:${name}`, request, async () => {
          const model = (request as { model?: unknown } | null)?.model;
          if (typeof model === 'string' && model !== '') who?.checkModel(model);
          const handler = handlers[name];
          if (handler === undefined) throw unsupported(`${service}.${name} is not implemented by this server`);
          return await handler(request as never, who);
        });
      },
    ]),
  );
}

/** The context of a request, as the generated code reads it. */
interface Contextual {
  readonly context?: {
    readonly request_id?: string | null;
    readonly trace?: Readonly<Record<string, string>> | null;
  } | null;
}

/** Runs a handler and tells of its end. @throws the struct that the generated code writes */
type Watched = (method: string, request: unknown, handler: () => Promise<unknown>) => Promise<unknown>;

function watchedBy(calls: EndedCalls, answered: Map<string, number>): Watched {
  return async (method, request, handler) => {
    const arrivedMs = performance.now(),
      { request_id, trace } = (request as Contextual | null)?.context ?? {},
      shownId = request_id?.slice(0, MOST_ID_CHARACTERS);
    const ended = (requestId: string | undefined) => ({
      method,
      requestId,
      trace: calls.traced && trace ? parseTraceParent(trace.traceparent ?? '', trace.tracestate) : undefined,
      arrivedMs,
      endedMs: performance.now(),
    });
    answered.set(method, (answered.get(method) ?? 0) + 1);
    try {
      const answer = await handler();
      calls.answered(ended(shownId));
      return answer;
    } catch (error) {
      const requestId = shownId ?? newRequestId();
      throw thriftError(calls.failed(ended(requestId), error), requestId);
    }
  };
}
