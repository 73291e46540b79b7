/** What can be called on a port, by the names that callers use: `Service:method`, and plain `method` where that says which. */
import { type Needed, neededFor } from '../security/roles.js';
import type { Servable } from '../serving/servable.js';
import type { TypedService } from '../serving/typed-services.js';
import { GENERIC_ERROR_ID, type GeneratedMethod } from './generated.js';
import type { PredictCodec } from './predict-codec.js';
import type { ShapedCodec } from './shaped-codec.js';
import type { TypedCodec } from './typed-codec.js';

/** Where the context stands in the arguments of every method of parley.thrift: `request.context`. */
const GENERIC_CONTEXT = [1, 1];

/** A method that can be called now. */
export type Route =
  | {
      readonly kind: 'predict';
      readonly name: string;
      readonly method: Buffer;
      readonly errorId: number;
      readonly codecs: WeakMap<Servable, Map<string, PredictCodec | ShapedCodec>>;
    }
  | {
      readonly kind: 'typed';
      readonly name: string;
      readonly method: Buffer;
      readonly errorId: number | undefined;
      readonly typed: TypedService;
      readonly index: number;
      codec: TypedCodec | undefined;
      codecOf: Servable | undefined;
      /** Of the versions between which a canary has calls alternate. */
      readonly codecs: WeakMap<Servable, TypedCodec>;
    }
  | {
      readonly kind: 'generated';
      readonly name: string;
      readonly method: Buffer;
      readonly errorId: number;
      readonly generated: GeneratedMethod;
      readonly needed: Needed;
    };
export type PredictRoute = Extract<Route, { kind: 'predict' }>;
export type TypedRoute = Extract<Route, { kind: 'typed' }>;
export type GeneratedRoute = Extract<Route, { kind: 'generated' }>;

export const predictRoute = (): PredictRoute => ({
  kind: 'predict',
  name: 'Prediction:predict',
  method: Buffer.from('predict'),
  errorId: GENERIC_ERROR_ID,
  codecs: new WeakMap(),
});

/** What there is to be called. */
export interface Callable {
  readonly predict: PredictRoute;
  readonly generated: ReadonlyMap<string, GeneratedMethod>;
  readonly services: ReadonlyMap<string, TypedService>;
  /** Whose methods have plain names; the only service when there is one. They hide none of the generic services. */
  readonly defaultService: string | undefined;
}

/** @returns by name as it stands in a message */
export function routesOf({ predict, generated, services, defaultService }: Callable): Map<string, Route> {
  const routes = new Map<string, Route>();
  for (const [name, method] of generated) {
    const route = name === predict.name ? predict : generatedRoute(name, method);
    routes.set(name, route).set(String(route.method), route);
  }
  const plain = defaultService ?? (services.size === 1 ? [...services.keys()][0] : undefined);
  for (const [service, typed] of services)
    for (const route of typedRoutes(service, typed)) {
      const method = String(route.method);
      routes.set(route.name, route);
      if (service === plain && !routes.has(method)) routes.set(method, route);
    }
  return routes;
}

function generatedRoute(name: string, generated: GeneratedMethod): GeneratedRoute {
  const method = Buffer.from(name.slice(name.indexOf(':') + 1));
  return { kind: 'generated', name, method, errorId: GENERIC_ERROR_ID, generated, needed: neededFor(name) };
}

const typedRoutes = (service: string, typed: TypedService): TypedRoute[] =>
  typed.service.methods.map(({ name, errorId }, index) => ({
    kind: 'typed',
    name: `${service}:${name}`,
    method: Buffer.from(name),
    errorId,
    typed,
    index,
    codec: undefined,
    codecOf: undefined,
    codecs: new WeakMap(),
  }));

/** Where a call of it has its context: ids of fields, the first of the arguments' struct. */
export const contextPathOf = (route: Route): readonly (number | undefined)[] =>
  route.kind === 'typed' ? [route.typed.service.methods[route.index]!.contextId] : GENERIC_CONTEXT;
