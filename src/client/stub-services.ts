/** Generated stubs of a service as promises: the class that the Thrift compiler wrote says what goes in and comes out. */
import { invalidInput } from '../errors.js';
import {
  type ClientClass,
  readStubs,
  type StubMethod,
  type StubService,
  stubCall,
} from '../rpc/client/generated-call.js';
import type { Caller } from './caller.js';
import type { CallOptions } from './options.js';

/** What `thrift --gen js:node` writes to `<Service>.js`, or the class `Client` in it. */
export type Stubs<Client> = { readonly Client: StubClass<Client> } | StubClass<Client>;
export type StubClass<Client> = abstract new (...parts: never[]) => Client;

/** The methods of a generated client. In place of the RequestContext stand options, which can be left out. */
export type StubMethods<Client> = {
  [Name in keyof Client]: Client[Name] extends {
    // The compiler writes two signatures, of which this is the first.
    (...given: infer Given): Promise<infer Answer>;
    (...given: infer _WithCallback): void;
  }
    ? (...given: [...WithoutContext<Given>, options?: CallOptions]) => Promise<Answer>
    : never;
};

/** Arguments without the RequestContext; where it is the last one, the others keep their names. */
type WithoutContext<Given extends readonly unknown[]> = Given extends [...infer Others, infer Last]
  ? IsContext<Last> extends true
    ? Others
    : Filtered<Given>
  : Given;
type Filtered<Given extends readonly unknown[]> = Given extends [infer First, ...infer Others]
  ? IsContext<First> extends true
    ? Filtered<Others>
    : [First, ...Filtered<Others>]
  : [];
type IsContext<T> = 'auth_token' extends keyof T ? ('request_id' extends keyof T ? true : false) : false;

/** Whose calls change things: they are not asked again where the server may have heard them. */
const CHANGING = new Set(['Registry', 'Training']);

export const isStubs = (value: unknown): value is Stubs<object> =>
  typeof value === 'function' ||
  (typeof value === 'object' && value !== null && 'Client' in value && typeof value.Client === 'function');

/** @param named the service's name, where the stubs do not say it @throws ParleyError INVALID_INPUT for what is no stubs */
export function stubMethods<Client>(stubs: Stubs<Client>, caller: Caller, named?: string): StubMethods<Client> {
  if (!isStubs(stubs)) throw invalidInput('expected generated stubs: the module of a service, or its Client class');
  const service = readStubs((typeof stubs === 'function' ? stubs : stubs.Client) as unknown as ClientClass),
    name = named ?? service.name;
  return Object.fromEntries(
    service.methods.map((method) => [method.name, callOf(service, method, name, caller)]),
  ) as StubMethods<Client>;
}

function callOf(stubs: StubService, method: StubMethod, service: string | undefined, caller: Caller) {
  const { context } = method,
    own = method.arguments - (context?.nested === false ? 1 : 0);
  return async (...given: readonly unknown[]): Promise<unknown> => {
    if (given.length > own + 1)
      throw invalidInput(`${method.name} takes ${own} arguments and options, and was given ${given.length}`);
    const all: unknown[] = Array.from({ length: own }, (_, index) => given[index]);
    if (context?.nested === false) all.splice(context.at, 0, undefined);
    const idempotent = service === undefined || !CHANGING.has(service);
    return caller.run(
      stubCall(stubs, method, all, { service, idempotent }),
      (given[own] ?? undefined) as CallOptions | undefined,
    );
  };
}
