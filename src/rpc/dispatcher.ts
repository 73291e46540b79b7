/**
 * From a frame to its answer: which method, which protocol, hot codec or generated code.
 *
 * Hot path: `Prediction.predict` and the typed services are decoded here, straight from the frame. A call whose version
 * is not loaded yet keeps a copy of its frame and is dispatched again when it is.
 */
import { invalidInput, ParleyError, shuttingDown } from '../errors.js';
import { PRODUCTION } from '../model/version.js';
import { type Access, MOST_REFUSALS } from '../security/access.js';
import type { Grant } from '../security/grant.js';
import { NEEDED_TO_PREDICT, type Needed } from '../security/roles.js';
import type { Batcher } from '../serving/batcher.js';
import type { Router } from '../serving/router.js';
import type { Servable } from '../serving/servable.js';
import type { TypedService } from '../serving/typed-services.js';
import type { Connection } from './connection.js';
import type { EndedCalls } from './ended-calls.js';
import { GENERIC_ERROR_ID, type GeneratedServices } from './generated.js';
import { LastQuestion } from './last-question.js';
import { PredictCodec, PredictRequestSpans } from './predict-codec.js';
import { overload, Refusals } from './refusals.js';
import { type Caller, newRequestId, replyError, replyException } from './replies.js';
import { ContextFields, readContext } from './request-context.js';
import {
  contextPathOf,
  type GeneratedRoute,
  type PredictRoute,
  predictRoute,
  type Route,
  routesOf,
  type TypedRoute,
} from './routes.js';
import { requireInputs, ShapedCodec } from './shaped-codec.js';
import type { EncodedPicture } from './typed/call-pictures.js';
import { PictureDecoder } from './typed/picture-decoder.js';
import { TypedCodec } from './typed-codec.js';
import { type CallOwner, type MetCodec, WaitingCall } from './waiting-call.js';
import { warmUp } from './warm-up.js';
import { BinaryReader } from './wire/binary.js';
import { CompactReader } from './wire/compact.js';
import {
  CALL,
  INTERNAL_ERROR,
  LIST,
  Malformed,
  STOP,
  STRUCT,
  sameBytes,
  UNKNOWN_METHOD,
  type WireReader,
} from './wire/protocol.js';

const BINARY = 0x80,
  COMPACT = 0x82;
const MOST_NAME_BYTES = 512;
/** Choices of outputs whose codecs are kept for one version; a caller may invent more. */
const MOST_CODECS = 64;
export class Dispatcher implements CallOwner {
  readonly #router: Router;
  readonly #batcher: Batcher;
  readonly #generated: GeneratedServices;
  readonly #calls: EndedCalls;
  readonly #defaultService: string | undefined;
  readonly #access: Access | undefined;
  readonly #binary = new BinaryReader();
  readonly #compact = new CompactReader();
  readonly #context: ContextFields;
  readonly #request = new PredictRequestSpans();
  readonly #predict = predictRoute();
  readonly #nextId: () => Uint8Array;
  readonly #decoder = new PictureDecoder();
  /** What the call at hand has met; undefined before it has. */
  #met: MetCodec | undefined;
  readonly #refusals = new Refusals();
  #routes = new Map<string, Route>();
  #generation = -1;
  #stopping = false;

  constructor(parts: {
    router: Router;
    batcher: Batcher;
    generated: GeneratedServices;
    calls: EndedCalls;
    defaultService?: string | undefined;
    /** Absent: everybody may do everything. */
    access?: Access | undefined;
  }) {
    this.#router = parts.router;
    this.#batcher = parts.batcher;
    this.#generated = parts.generated;
    this.#calls = parts.calls;
    this.#context = new ContextFields(parts.calls.traced);
    this.#defaultService = parts.defaultService;
    this.#access = parts.access;
    this.#nextId = () => parts.batcher.ids.next();
  }

  /** New calls answer SHUTTING_DOWN from now on. */
  stop(): void {
    this.#stopping = true;
  }

  readonly onFrame = (connection: Connection, buffer: Buffer, start: number, end: number, arrivedMs: number): void => {
    const first = buffer[start];
    if (first !== BINARY && first !== COMPACT)
      throw new Malformed('neither the strict binary nor the compact protocol');
    const compact = first === COMPACT,
      reader = compact ? this.#compact : this.#binary;
    reader.reset(buffer, start, end);
    reader.messageBegin();
    if (reader.messageType !== CALL) throw new Malformed(`message type ${reader.messageType} is not a call`);
    if (connection.refusedCalls >= MOST_REFUSALS) throw new Malformed('too many calls without a right token');
    const route = this.#route(connection, reader);
    const caller: Caller = {
      connection,
      compact,
      sequenceId: reader.sequenceId,
      method: route?.method ?? plainName(reader),
      name: route?.name ?? '',
      arrivedMs,
    };
    if (route === undefined) {
      this.#refuseUnknown(caller, reader);
      return;
    }
    this.#context.clear();
    this.#met = undefined;
    this.#request.modelLength = 0;
    if (route === this.#predict && this.#isRefusedUnread(caller, reader)) return;
    try {
      if (this.#stopping) throw shuttingDown('the server is stopping; another one will answer');
      if (route.kind === 'predict') this.#onPredict(caller, route, reader, start, arrivedMs);
      else if (route.kind === 'typed') this.#onTyped(caller, route, reader, start, arrivedMs);
      else this.#onGenerated(caller, route, reader);
    } catch (error) {
      if (error instanceof Malformed) throw error;
      const model = route.kind === 'typed' ? route.typed.service.model : modelOf(reader, this.#request);
      const told = this.#visibleTo(connection, route, reader, buffer, start, end, error);
      this.#refused(caller, route, told, model, reader, buffer, start, end);
    }
  };

  // ------------------------------------------------------------------ routes

  /** Nearly always the route of this connection's last call. */
  #route(connection: Connection, reader: WireReader): Route | undefined {
    if (this.#generation !== this.#router.generation) this.#rebuild();
    const { buffer, nameAt, nameLength } = reader,
      { routeName } = connection;
    if (connection.routeGeneration === this.#generation && sameBytes(buffer, nameAt, nameLength, routeName)) {
      return connection.route as Route;
    }
    if (nameLength > MOST_NAME_BYTES) return undefined;
    const route = this.#routes.get(buffer.toString('utf8', nameAt, nameAt + nameLength));
    if (route !== undefined) {
      connection.route = route;
      connection.routeName = Buffer.from(buffer.subarray(nameAt, nameAt + nameLength));
      connection.routeGeneration = this.#generation;
    }
    return route;
  }

  #rebuild(): void {
    const { services, generation } = this.#router;
    this.#routes = routesOf({
      predict: this.#predict,
      generated: this.#generated.methods,
      services,
      defaultService: this.#defaultService,
    });
    this.#generation = generation;
  }

  #refuseUnknown(caller: Caller, reader: WireReader): void {
    reader.skip(STRUCT);
    if (reader.at !== reader.end) throw new Malformed('bytes behind the message');
    const name = reader.buffer.toString('utf8', reader.nameAt, reader.nameAt + Math.min(reader.nameLength, 128));
    if (this.#access?.knows(caller.connection) === false) {
      replyException(caller, UNKNOWN_METHOD, `unknown method "${name}"`);
      return;
    }
    const services = [
      ...new Set([...this.#routes.keys()].filter((key) => key.includes(':')).map((key) => key.split(':')[0])),
    ];
    const method = name.includes(':')
      ? undefined
      : services.filter((service) => this.#routes.has(`${service}:${name}`));
    const hint =
      method !== undefined && method.length > 0
        ? `; call it as ${method.map((service) => `"${service}:${name}"`).join(' or ')} (multiplexed)`
        : '';
    this.#calls.unknownMethods++;
    replyException(caller, UNKNOWN_METHOD, `unknown method "${name}"${hint}; this port serves ${services.join(', ')}`);
  }

  // ------------------------------------------------------------------ who may

  /** Whoever calls with the context that was just read from `buffer`. @throws ParleyError UNAUTHENTICATED, PERMISSION_DENIED */
  #admitted(access: Access, connection: Connection, buffer: Buffer, needed: Needed): Grant {
    const { tokenAt, tokenLength } = this.#context;
    return access.admit(connection, buffer, tokenAt, tokenLength, needed);
  }

  /** Reads the context in front of everything else, for what is dear or not to be told to anybody. */
  #admittedFirst(access: Access, connection: Connection, route: Route, reader: WireReader, needed: Needed): Grant {
    const back = reader.at;
    readContext(reader, this.#context, contextPathOf(route));
    reader.at = back;
    return this.#admitted(access, connection, reader.buffer, needed);
  }

  /** A typed call's rows are read before its context: what is wrong with them is told to those who may call. */
  #visibleTo(
    connection: Connection,
    route: Route,
    reader: WireReader,
    frame: Buffer,
    start: number,
    end: number,
    error: unknown,
  ): unknown {
    if (this.#access === undefined || route.kind !== 'typed' || isRefusal(error)) return error;
    this.#contextOf(route, reader, frame, start, end);
    try {
      this.#admitted(this.#access, connection, frame, NEEDED_TO_PREDICT).checkModel(route.typed.service.model);
      return error;
    } catch (refusal) {
      return refusal;
    }
  }

  // ------------------------------------------------------------------ predict

  #onPredict(caller: Caller, route: PredictRoute, reader: WireReader, start: number, arrivedMs: number): void {
    const request = this.#request,
      headAt = reader.at;
    this.#readRequest(reader);
    const who = this.#access && this.#admitted(this.#access, caller.connection, reader.buffer, NEEDED_TO_PREDICT);
    if (request.modelLength === 0) throw required('request.model');
    request.checkCounts();
    const last = caller.connection.lastQuestion;
    if (last?.isAskedBy(reader, request, caller.compact) && this.#holds(last)) {
      who?.checkModel(last.model);
      if (!this.#predictBy(caller, last.codec, reader, arrivedMs) && this.#context.requestId === undefined)
        last.remember(reader, request, headAt, this.#context.timeoutMs);
      return;
    }
    const { buffer } = reader;
    const model = buffer.toString('utf8', request.modelAt, request.modelAt + request.modelLength);
    who?.checkModel(model);
    const reference =
      request.referenceLength === 0
        ? PRODUCTION
        : buffer.toString('utf8', request.referenceAt, request.referenceAt + request.referenceLength);
    const only = this.#router.ready(model, reference),
      servable = only ?? this.#router.choose(model, reference, routingKeyOf(reader, request));
    if (servable !== undefined) {
      const codec = this.#predictCodec(route, servable, reference, request.outputs(reader));
      // While a canary runs, the next call may be the other version's.
      caller.connection.lastQuestion =
        only && LastQuestion.of(reader, request, caller.compact, model, reference, codec, this.#generation);
      this.#predictBy(caller, codec, reader, arrivedMs);
      return;
    }
    const key = routingKeyOf(reader, request),
      loading = () => this.#router.resolveCall(model, reference, key);
    this.#later(caller, route, reader, start, model, loading, (again, found) => {
      this.#readRequest(again);
      const codec = this.#predictCodec(route, found.servable, found.aliasName, request.outputs(again));
      this.#predictBy(caller, codec, again, arrivedMs);
    });
  }

  /** The arguments' struct: where one request is expected, the last one counts. */
  #readRequest(reader: WireReader): void {
    const request = this.#request;
    request.inputs = request.modelLength = 0;
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      if (reader.fieldId === 1 && type === STRUCT) request.read(reader, this.#context);
      else reader.skip(type);
    }
    finished(reader);
  }

  /** Whether its alias still leads to the version, and the contract is still the same. */
  #holds({ model, reference, codec, generation }: LastQuestion): boolean {
    return generation === this.#generation && this.#router.ready(model, reference) === codec.servable;
  }

  /** @returns whether there was room for the call */
  #predictBy(caller: Caller, codec: PredictCodec | ShapedCodec, reader: WireReader, arrivedMs: number): boolean {
    const { servable } = codec;
    if (!servable.admits(this.#context.timeoutMs)) {
      this.#refuse(caller, GENERIC_ERROR_ID, servable);
      return false;
    }
    if (this.#request.inputs === 0) requireInputs(servable);
    this.#met = codec;
    const rows = codec.decode(reader, this.#request);
    codec.plan.commit(rows, new WaitingCall(this, caller, GENERIC_ERROR_ID, codec, arrivedMs, this.#context));
    return true;
  }

  /** While a version has no room, a call like the last one is refused for its first bytes. */
  #isRefusedUnread(caller: Caller, { buffer, at, end }: WireReader): boolean {
    const last = caller.connection.lastQuestion;
    if (last === undefined || this.#stopping) return false;
    // A token that has come to mean something else is looked at first.
    if (this.#access?.knows(caller.connection) === false) return false;
    const { servable } = last.codec;
    if (servable.queue.admits(last.timeoutMs) || !last.begins(buffer, at, end)) return false;
    if (!this.#holds(last) || servable.admits(last.timeoutMs)) return false;
    this.#context.timeoutMs = last.timeoutMs;
    this.#refuse(caller, GENERIC_ERROR_ID, servable);
    return true;
  }

  #predictCodec(
    route: PredictRoute,
    servable: Servable,
    aliasName: string | undefined,
    outputs: readonly string[] | undefined,
  ): PredictCodec | ShapedCodec {
    let codecs = route.codecs.get(servable);
    if (codecs === undefined) route.codecs.set(servable, (codecs = new Map()));
    const typed = this.#router.serviceOf(servable.model);
    const key = `${aliasName ?? ''}\0${typed?.contract.fingerprint ?? ''}\0${outputs === undefined ? '' : JSON.stringify(outputs)}`;
    let codec = codecs.get(key);
    if (codec === undefined) {
      const guards = typed === undefined ? [] : this.#guards(servable, typed);
      codec = new (servable.batchable ? PredictCodec : ShapedCodec)(servable, aliasName, outputs, guards);
      if (codecs.size >= MOST_CODECS) codecs.clear();
      codecs.set(key, codec);
    }
    return codec;
  }

  /** A version that does not fit the contract in force can still be called generically; nothing is checked then. */
  #guards(servable: Servable, typed: TypedService) {
    try {
      return this.#router.binding(servable, typed).methods[0]?.inputs ?? [];
    } catch {
      return [];
    }
  }

  // ------------------------------------------------------------------ typed services

  #onTyped(caller: Caller, route: TypedRoute, reader: WireReader, start: number, arrivedMs: number): void {
    const { model } = route.typed.service,
      servable = this.#router.ready(model, PRODUCTION) ?? this.#router.choose(model, PRODUCTION);
    if (servable !== undefined) {
      this.#typedOn(caller, route, servable, reader, start, arrivedMs);
      return;
    }
    if (this.#access !== undefined)
      this.#admittedFirst(this.#access, caller.connection, route, reader, NEEDED_TO_PREDICT).checkModel(model);
    const loading = () => this.#router.resolveCall(model);
    this.#later(caller, route, reader, start, model, loading, (again, found) =>
      this.#typedOn(caller, route, found.servable, again, 0, arrivedMs),
    );
  }

  #typedOn(
    caller: Caller,
    route: TypedRoute,
    servable: Servable,
    reader: WireReader,
    start: number,
    arrivedMs: number,
  ): void {
    if (!servable.admits(this.#context.timeoutMs)) {
      if (this.#access !== undefined)
        this.#admittedFirst(this.#access, caller.connection, route, reader, NEEDED_TO_PREDICT).checkModel(
          servable.model,
        );
      this.#refuse(caller, route.errorId, servable);
      return;
    }
    const rows = this.#readRows(route, servable, reader),
      pictures = route.codec!.takePictures();
    if (this.#access !== undefined)
      this.#admitted(this.#access, caller.connection, reader.buffer, NEEDED_TO_PREDICT).checkModel(servable.model);
    // The context may stand behind the rows: its timeout counts as well.
    if (this.#context.timeoutMs > 0 && !servable.admits(this.#context.timeoutMs)) {
      this.#refuse(caller, route.errorId, servable);
      return;
    }
    const codec = route.codec!;
    if (pictures.length > 0) this.#whenDecoded(caller, route, servable, pictures, reader, start, arrivedMs);
    else codec.commit(rows, new WaitingCall(this, caller, route.errorId, codec, arrivedMs, this.#context));
  }

  /** Picture files are decoded aside, from a copy of the frame; then the call is read again, with their pixels. */
  #whenDecoded(
    caller: Caller,
    route: TypedRoute,
    servable: Servable,
    pictures: readonly EncodedPicture[],
    reader: WireReader,
    start: number,
    arrivedMs: number,
  ): void {
    const deadlineMs = this.#context.deadline(arrivedMs),
      begin = reader.buffer.byteOffset + start;
    const decode = (frame: Buffer) => {
      const own = pictures.map(({ file, ...rest }) => {
        const at = file.byteOffset - begin;
        return { ...rest, file: frame.subarray(at, at + file.length) };
      });
      const cancelled = () => caller.connection.closed;
      servable.users.enter();
      return this.#decoder.decode(own, { arrivedMs, deadlineMs, cancelled }).finally(() => servable.users.leave());
    };
    this.#later(caller, route, reader, start, servable.model, decode, (again, pixels) => {
      const rows = this.#readRows(route, servable, again, pixels);
      if (servable.admits(this.#context.timeoutMs))
        route.codec!.commit(rows, new WaitingCall(this, caller, route.errorId, route.codec!, arrivedMs, this.#context));
      else this.#refuse(caller, route.errorId, servable);
    });
  }

  /** The arguments' struct, its rows into the batch. @returns how many */
  #readRows(route: TypedRoute, servable: Servable, reader: WireReader, pixels?: readonly Uint8Array[]): number {
    if (route.codecOf !== servable) {
      route.codec = this.#typedCodec(route, servable);
      route.codecOf = servable;
    }
    const codec = (this.#met = route.codec!),
      { argument, contextId, many } = codec.method;
    let rows = 0;
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      if (reader.fieldId === argument.id && type === (many ? LIST : STRUCT)) rows = codec.decode(reader, pixels);
      else if (reader.fieldId === contextId && type === STRUCT) this.#context.read(reader);
      else reader.skip(type);
    }
    finished(reader);
    if (rows === 0) throw required(argument.name);
    return rows;
  }

  #typedCodec(route: TypedRoute, servable: Servable): TypedCodec {
    let codec = route.codecs.get(servable);
    if (codec === undefined) {
      codec = new TypedCodec(this.#router.binding(servable, route.typed).methods[route.index]!, servable, PRODUCTION);
      route.codecs.set(servable, codec);
    }
    return codec;
  }

  /** There is no room in the version's queue. What stands behind was not read. */
  #refuse(caller: Caller, errorId: number | undefined, servable: Servable): void {
    const { timeoutMs, requestId } = this.#context;
    if (errorId === undefined) {
      const error = overload(servable, timeoutMs, servable.queue.retryAfterMs(timeoutMs));
      this.failed(caller, errorId, error, this.#context, { servable, aliasName: PRODUCTION });
      return;
    }
    this.#calls.count('OVERLOADED');
    this.#refusals.reply(caller, errorId, servable, timeoutMs, requestId);
  }

  /** Waits with a copy of the frame, then goes on. @param begin what it waits for, given that copy */
  #later<T>(
    caller: Caller,
    route: Route,
    reader: WireReader,
    start: number,
    model: string,
    begin: (frame: Buffer) => Promise<T>,
    go: (reader: WireReader, value: T) => void,
  ): void {
    const { connection } = caller,
      copy = Buffer.from(reader.buffer.subarray(start, reader.end)),
      held = connection.hold(copy);
    begin(copy).then(
      (value) => {
        const frame = connection.release(held);
        if (frame === undefined) return;
        const again = caller.compact ? this.#compact : this.#binary;
        again.reset(frame, 0, frame.length);
        again.messageBegin();
        this.#context.clear();
        this.#met = undefined;
        try {
          go(again, value);
        } catch (error) {
          if (error instanceof Malformed) caller.connection.close(error.message);
          else this.#refused(caller, route, error, model, again, frame, 0, frame.length);
        }
      },
      (error: unknown) => {
        const frame = connection.release(held);
        if (frame === undefined) return;
        this.#met = undefined;
        this.#refused(caller, route, error, model, reader, frame, 0, frame.length);
      },
    );
  }

  // ------------------------------------------------------------------ the rest

  #onGenerated(caller: Caller, route: GeneratedRoute, reader: WireReader): void {
    const bodyAt = reader.at;
    reader.skip(STRUCT);
    if (reader.at !== reader.end) throw new Malformed('bytes behind the message');
    const { values } = reader;
    reader.at = bodyAt;
    const who = this.#access && this.#admittedFirst(this.#access, caller.connection, route, reader, route.needed);
    const body = Buffer.from(reader.buffer.subarray(bodyAt, reader.end));
    this.#generated.call(route.generated, caller, body, values, who);
  }

  /** Answers a call that does not get into a batch. @param model its name as the caller gave it */
  #refused(
    caller: Caller,
    route: Route,
    error: unknown,
    model: string,
    reader: WireReader,
    frame: Buffer,
    start: number,
    end: number,
  ): void {
    const met = this.#met,
      context = this.#contextOf(route, reader, frame, start, end),
      { code } = this.failed(caller, route.errorId, error, context, met, this.#router.knows(model) ? model : undefined);
    if (met !== undefined) met.servable.tally.refused(code);
    else if (this.#router.knows(model)) this.#router.tallies.refused(model, code);
  }

  /** The context that a refused call brought. It may stand behind what was refused, so the frame is read once more. */
  #contextOf(route: Route, reader: WireReader, frame: Buffer, start: number, end: number): ContextFields {
    const context = this.#context;
    context.clear();
    try {
      reader.reset(frame, start, end);
      reader.messageBegin();
      readContext(reader, context, contextPathOf(route));
    } catch (error) {
      // What is broken behind the refused part changes nothing: it is refused without an id.
      if (!(error instanceof Malformed)) throw error;
    }
    return context;
  }

  /**
   * Answers with an error, as the method declares it, or as Thrift's own exception where it declares none. A call that
   * brought no id is given one, so that the answer and the log can be brought together.
   *
   * @returns what the caller sees
   */
  failed(
    caller: Caller,
    errorId: number | undefined,
    error: unknown,
    { requestId = newRequestId(), trace }: Pick<ContextFields, 'requestId' | 'trace'>,
    met: MetCodec | undefined,
    model = met?.servable.model,
  ): ParleyError {
    const { name, arrivedMs } = caller,
      { servable, aliasName } = met ?? {};
    const visible = this.#calls.failed(
      {
        method: name,
        requestId,
        trace,
        arrivedMs,
        endedMs: performance.now(),
        model,
        version: servable?.version,
        alias: aliasName,
      },
      error,
    );
    if (errorId !== undefined) replyError(caller, errorId, visible, requestId);
    else replyException(caller, INTERNAL_ERROR, `${visible.code}: ${visible.message}`);
    this.#batcher.schedule();
    return visible;
  }

  get calls(): EndedCalls {
    return this.#calls;
  }

  /** Has a version answer a row by each way in which the alias is asked. */
  async warmUp(servable: Servable, aliasName: string): Promise<void> {
    const generic = this.#predictCodec(this.#predict, servable, aliasName, undefined);
    if (generic instanceof PredictCodec)
      await warmUp([generic, ...(aliasName === PRODUCTION ? this.#typedCodecs(servable) : [])], this.#nextId);
  }

  /** One for each typed method; none where the contract in service is not the version's. */
  #typedCodecs(servable: Servable): TypedCodec[] {
    if (this.#generation !== this.#router.generation) this.#rebuild();
    const routes = new Set([...this.#routes.values()]);
    try {
      return [...routes].flatMap((route) =>
        route.kind === 'typed' && route.typed.service.model === servable.model
          ? [this.#typedCodec(route, servable)]
          : [],
      );
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'CONTRACT_MISMATCH') return [];
      throw error;
    }
  }

  get nextId(): () => Uint8Array {
    return this.#nextId;
  }
}

/** The arguments' struct must end where the frame does. */
function finished(reader: WireReader): void {
  reader.structEnd();
  if (reader.at !== reader.end) throw new Malformed('bytes behind the message');
}

const isRefusal = (error: unknown): boolean =>
  error instanceof ParleyError && (error.code === 'UNAUTHENTICATED' || error.code === 'PERMISSION_DENIED');

/** As far as it was read. */
function modelOf({ buffer }: WireReader, { modelAt, modelLength }: PredictRequestSpans): string {
  return buffer.toString('utf8', modelAt, modelAt + modelLength);
}

function routingKeyOf({ buffer }: WireReader, { routingKeyAt, routingKeyLength }: PredictRequestSpans): Uint8Array {
  return buffer.subarray(routingKeyAt, routingKeyAt + routingKeyLength);
}

function required(path: string): ParleyError {
  return invalidInput(`${path} is missing`, { problems: [{ path, message: 'is required' }] });
}

/** What follows the colon of a multiplexed name: what the reply must be called. */
function plainName(reader: WireReader): Buffer {
  const name = reader.buffer.subarray(reader.nameAt, reader.nameAt + Math.min(reader.nameLength, MOST_NAME_BYTES));
  return Buffer.from(name.subarray(name.indexOf(0x3a) + 1));
}
