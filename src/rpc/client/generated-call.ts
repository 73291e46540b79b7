/**
 * Calls through what the Thrift compiler makes for a service, ours or a caller's own, of any release of the compiler.
 *
 * Nothing of it is known but how it speaks to a protocol, so a protocol that only listens finds out what its methods take.
 */
import thrift from 'thrift';
import { internal, invalidInput, ParleyError, unsupported } from '../../errors.js';
import { receivedError } from '../error-mapping.js';
import type { CallContext, WireCall } from './wire-call.js';

/** A generated client, as far as it is used; it has `send_…` and `recv_…` for each method. */
type GeneratedClient = Record<string, (...parts: unknown[]) => void> & {
  _seqid: number;
  _reqs: Record<number, (error: unknown, result?: unknown) => void>;
};
export type ClientClass = new (output: never, protocol: never) => object;

const FramedTransport = thrift.TFramedTransport as unknown as new (
  input: Buffer | undefined,
  onFlush?: (frame: Buffer) => void,
) => thrift.TTransport;

const Protocol = thrift.TBinaryProtocol as unknown as new (transport: thrift.TTransport) => thrift.TProtocol;

/** Writes names as TMultiplexedProtocol does, so that the server's default service does not matter. */
const multiplexed = (service: string) =>
  class extends Protocol {
    override writeMessageBegin(name: string, type: thrift.Thrift.MessageType, sequenceId: number): void {
      super.writeMessageBegin(`${service}:${name}`, type, sequenceId);
    }
  };

/** Where a method takes the RequestContext: as its argument `at`, or within the request struct that is this argument. */
interface ContextPlace {
  readonly at: number;
  readonly nested: boolean;
}

export interface StubMethod {
  readonly name: string;
  readonly arguments: number;
  readonly context: ContextPlace | undefined;
}

/** A service's stubs, looked through once. */
export interface StubService {
  /** Undefined where the service has no methods of its own. */
  readonly name: string | undefined;
  readonly methods: readonly StubMethod[];
  readonly Client: ClientClass;
}

/** What anything would be that may be a context, or a request with one. */
const PROBE = { context: {} };

/** @throws ParleyError INVALID_INPUT for what is no generated client */
export function readStubs(Client: ClientClass): StubService {
  const names = methodsOf(Client.prototype as object);
  if (names.length === 0)
    throw invalidInput(
      'these are no stubs of a service: expected what "thrift --gen js:node" writes to <Service>.js, or its Client class',
    );
  const methods = names.map((name): StubMethod => {
    const length = (Client.prototype as GeneratedClient)[`send_${name}`]!.length;
    return { name, arguments: length, context: contextOf(Client, name, length) };
  });
  const own = Object.getOwnPropertyNames(Client.prototype)
    .find((name) => name.startsWith('send_'))
    ?.slice(5);
  const ending = `_${own}_args`,
    written = own === undefined ? '' : (structsWritten(Client, own, [])[0] ?? '');
  return { name: written.endsWith(ending) ? written.slice(0, -ending.length) : undefined, methods, Client };
}

/** Inherited ones too. */
function methodsOf(prototype: object): string[] {
  const names = new Set<string>();
  for (let at = prototype; at !== Object.prototype && at !== null; at = Object.getPrototypeOf(at) as object)
    for (const name of Object.getOwnPropertyNames(at)) if (name.startsWith('send_')) names.add(name.slice(5));
  return [...names];
}

function contextOf(Client: ClientClass, method: string, length: number): ContextPlace | undefined {
  for (let at = 0; at < length; at++) {
    const given = Array.from({ length }, (_, i) => (i === at ? PROBE : undefined));
    const [, outer, inner] = structsWritten(Client, method, given);
    if (outer === 'RequestContext') return { at, nested: false };
    if (inner === 'RequestContext') return { at, nested: true };
  }
  return undefined;
}

/** The names of the structs that a call begins to write, in order: the arguments' own is the first. */
function structsWritten(Client: ClientClass, method: string, given: readonly unknown[]): string[] {
  const names: string[] = [];
  const listener = new Proxy(
    {},
    { get: (_, key) => (key === 'writeStructBegin' ? (name: string) => void names.push(name) : () => {}) },
  );
  function Listener(): object {
    return listener;
  }
  try {
    (new Client(undefined as never, Listener as never) as GeneratedClient)[`send_${method}`]!(...given);
  } catch {
    // What cannot be written is not what it was asked about.
  }
  return names;
}

/**
 * @param service the name that the server knows it by; undefined: by plain names
 * @param given the method's arguments; the context's, or what it stands in, is completed
 */
export function stubCall<T>(
  { Client }: Pick<StubService, 'Client'>,
  method: StubMethod,
  given: readonly unknown[],
  { service, idempotent }: { service: string | undefined; idempotent: boolean },
): WireCall<T> {
  const Named = service === undefined ? Protocol : multiplexed(service);
  return {
    name: service === undefined ? method.name : `${service}:${method.name}`,
    takesContext: method.context !== undefined,
    idempotent,
    encode(sequenceId, context) {
      let frame: Buffer | undefined;
      const client = new Client(
        new FramedTransport(undefined, (bytes) => (frame = bytes)) as never,
        Named as never,
      ) as GeneratedClient;
      client._seqid = sequenceId;
      client[`send_${method.name}`]!(...completed(given, method, context));
      return frame!;
    },
    decode: (reply) => received<T>(Client, method.name, reply),
  };
}

function completed(given: readonly unknown[], { context: place }: StubMethod, context: CallContext): unknown[] {
  const all = [...given];
  if (place === undefined) return all;
  const there = all[place.at] as (Record<string, unknown> & { context?: object | null }) | null | undefined,
    mine = contextStruct(context);
  all[place.at] = place.nested ? { ...there, context: { ...there?.context, ...mine } } : { ...there, ...mine };
  return all;
}

/** The fields of RequestContext that there are. */
function contextStruct({ requestId, timeoutMs, token, trace }: CallContext): Record<string, unknown> {
  const fields = { request_id: requestId, timeout_ms: timeoutMs, auth_token: token, trace };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** What a reply says, by the generated code. @throws what it says went wrong, as a ParleyError where it is one */
function received<T>(Client: ClientClass, method: string, reply: Buffer): T {
  const protocol = new Protocol(new FramedTransport(reply));
  const { mtype, rseqid } = protocol.readMessageBegin();
  const client = new Client(undefined as never, Protocol as never) as GeneratedClient;
  let failure: unknown, result: unknown;
  client._reqs[rseqid] = (error, value) => {
    failure = error;
    result = value;
  };
  client[`recv_${method}`]!(protocol, mtype, rseqid);
  if (failure) throw clientError(failure);
  return result as T;
}

/** What a generated client rejects with, as a ParleyError; exceptions of a caller's own contract stay what they are. */
export function clientError(error: unknown): unknown {
  if (error instanceof ParleyError) return error;
  if (isParleyErrorStruct(error)) return receivedError(error);
  // By its name: stubs may bring a copy of the library of their own.
  if (error instanceof Error && error.name === 'TApplicationException')
    return unsupported(`the server does not take the call: ${error.message}`);
  return error instanceof Error ? error : internal(String(error));
}

/** The exception of any stubs of idl/parley.thrift. */
const isParleyErrorStruct = (error: unknown): error is Parameters<typeof receivedError>[0] =>
  error instanceof Error &&
  error.name === 'ParleyError' &&
  'retry_after_ms' in error &&
  'code' in error &&
  typeof error.code !== 'string';
