/** A server on a real Redis with models in it: penguins, trained here, and small ones that take every type. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { parseContract } from '#parley/contract/parse.js';
import type { ModelStore } from '#parley/model/store-port.js';
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import type { Artifact } from '#parley/model/trained.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { Negotiator } from '#parley/registry/negotiation/negotiator.js';
import { Registry } from '#parley/registry/registry.js';
import { CallLog, type CallLogOptions } from '#parley/rpc/call-log.js';
import { Dispatcher } from '#parley/rpc/dispatcher.js';
import { EndedCalls } from '#parley/rpc/ended-calls.js';
import { GeneratedServices } from '#parley/rpc/generated.js';
import { operationsHandlers } from '#parley/rpc/handlers/operations.js';
import { predictionHandlers } from '#parley/rpc/handlers/prediction.js';
import { registryHandlers } from '#parley/rpc/handlers/registry.js';
import { DEFAULT_LIMITS, type Limits } from '#parley/rpc/limits.js';
import { RpcServer } from '#parley/rpc/server.js';
import { CallSpans } from '#parley/rpc/spans.js';
import type { Security } from '#parley/security/security.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { DEFAULT_SETTINGS, type ModelSettings } from '#parley/serving/model-settings.js';
import { Router } from '#parley/serving/router.js';
import { loadProject } from '#parley/training/project.js';
import { newRunId, publishProjectContract, publishTrained } from '#parley/training/publish-run.js';
import { train } from '#parley/training/train.js';

// ---------------------------------------------------------------- models

const PENGUINS_FOLDER = 'examples/penguins';
export const PENGUINS_IDL = `${PENGUINS_FOLDER}/penguins.thrift`;

/** One input and one output of each element type, the output being the input. */
export const TENSOR_TYPES = Object.keys(DATA_TYPES) as DataType[];
export const TENSORS = 'tensors';
/** As TENSORS, of any rank-2 shapes, so that it is answered request by request. */
export const SHAPED = 'shaped';

export const SCALARS_IDL = `include "parley.thrift"
namespace js scalars
enum Size { UNSPECIFIED = 0, SMALL = 1 (label = "small"), LARGE = 7 (label = "large") }
struct Scalars {
  1: optional bool flag
  2: optional byte tiny
  40: optional i16 short_number (min = "-1000", max = "1000")
  4: optional i32 number
  5: optional i64 long_number (min = "-1000000000000", max = "1000000000000")
  6: optional double real (missing = "allowed")
  7: optional string text (max_bytes = "20", missing = "allowed")
  300: optional Size size
  9: optional string key (role = "id")
}
struct Sum { 3: optional double sum (role = "value") }
service Scales {
  Sum add(7: Scalars scalars, 3: parley.RequestContext context) throws (5: parley.ParleyError error)
  list<Sum> add_many(1: list<Scalars> rows)
} (model = "scalars")
`;

export const PARITY_IDL = `include "parley.thrift"
namespace js parity
struct Number { 1: optional double real }
struct Side { 1: optional i16 side (role = "label"), 15: optional parley.Provenance provenance }
service Parity { Side side(1: Number number) throws (1: parley.ParleyError error) } (model = "parity")
`;

/** Every kind of field that a contract allows, every constraint, and every role of an answer. */
export const KINDS_IDL = `include "parley.thrift"
namespace js kinds
enum Size { UNSPECIFIED = 0, SMALL = 1 (label = "small"), LARGE = 7 (label = "large") }
enum Verdict { UNSPECIFIED = 0, BAD = 3 (label = "bad"), GOOD = 9 (label = "good", positive = "true") }
struct Kinds {
  1: optional bool flag
  2: optional byte tiny (min = "-5", max = "5")
  3: optional i16 short_number (max = "1000")
  4: optional i32 number (min = "-7")
  5: optional i64 long_number (min = "-1000000000000", max = "1000000000000")
  6: optional double real (min = "-10", max = "10", unit = "mm")
  7: optional string text (max_bytes = "20", missing = "allowed")
  8: optional string word (values = "red,green")
  9: optional Size size
 10: optional string key (role = "id", max_bytes = "9")
 11: optional i64 note (role = "ignored")
 12: optional double spare = 2.5
}
struct Judged {
  1: optional Verdict verdict (role = "label")
  2: optional double sure (role = "confidence")
  3: optional map<Verdict, double> shares (role = "probability")
  4: optional double chance (role = "probability_of_positive")
 15: optional parley.Provenance provenance
}
struct Worded {
  1: optional string verdict (role = "label")
  3: optional map<string, double> shares (role = "probability")
}
service Judges {
  Judged judge(1: Kinds kinds, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
  list<Judged> judge_many(1: list<Kinds> rows, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
} (model = "kinds")
service Words {
  Worded word(1: Kinds kinds) throws (1: parley.ParleyError error)
} (model = "kinds")
`;

function artifactOf(modelType: Artifact['modelType'], builder: GraphBuilder, metadata: Artifact['metadata']): Artifact {
  const graph = builder.serialize();
  return { modelType, signature: inspectGraph(graph).signature, metadata, graph };
}

function tensorsModel(modelType: 'tabular-regressor' | 'tensor', width: number): Artifact {
  const graph = new GraphBuilder();
  for (const type of TENSOR_TYPES) {
    graph.input(`${type}_in`, type, [-1, width]);
    graph.output(`${type}_out`, `${type}_in`, type, [-1, width]);
  }
  return artifactOf(modelType, graph, {});
}

/** "good" with the probability 1 / (1 + 2^-n), where n is the sum of the numbers. */
function kindsModel(): Artifact {
  const graph = new GraphBuilder();
  const scalar = (value: number) =>
    graph.constant('scalar', { dataType: 'float64', shape: [], data: Float64Array.of(value) });
  const numbers = (
    [
      ['flag', 'bool'],
      ['tiny', 'int8'],
      ['short_number', 'int16'],
      ['number', 'int32'],
      ['long_number', 'int64'],
      ['real', 'float64'],
      ['spare', 'float64'],
    ] as const
  ).map(([name, type]) => graph.node('Cast', [graph.input(name, type, [-1, 1])], { to: 11 }));
  for (const name of ['text', 'word', 'size']) graph.input(name, 'string', [-1, 1]);
  const sum = numbers.reduce((total, addend) => graph.node('Add', [total, addend]));
  const power = graph.node('Pow', [scalar(2), graph.node('Neg', [sum])]);
  const good = graph.node('Div', [scalar(1), graph.node('Add', [scalar(1), power])]);
  const shares = graph.node('Concat', [graph.node('Sub', [scalar(1), good]), good], { axis: 1 });
  graph.output('label', graph.node('ArgMax', [shares], { axis: 1, keepdims: 0 }), 'int64', [-1]);
  graph.output('probabilities', graph.node('Cast', [shares], { to: 1 }), 'float32', [-1, 2]);
  return artifactOf('tabular-classifier', graph, { classes: ['bad', 'good'] });
}

/** The sum of its numbers. */
function scalarsModel(): Artifact {
  const graph = new GraphBuilder();
  const addends = (
    [
      ['flag', 'bool'],
      ['tiny', 'int8'],
      ['short_number', 'int16'],
      ['number', 'int32'],
      ['long_number', 'int64'],
      ['real', 'float64'],
    ] as const
  ).map(([name, type]) => graph.node('Cast', [graph.input(name, type, [-1, 1])], { to: 11 }));
  for (const name of ['text', 'size']) graph.input(name, 'string', [-1, 1]);
  const sum = addends.reduce((total, addend) => graph.node('Add', [total, addend]));
  graph.output('value', sum, 'float64', [-1, 1]);
  return artifactOf('tabular-regressor', graph, {});
}

/** The class at index 1, "11", for numbers above zero. */
export function parityModel(): Artifact {
  const graph = new GraphBuilder();
  const zero = graph.constant('zero', { dataType: 'float64', shape: [], data: new Float64Array(1) });
  const flat = graph.constant('flat', { dataType: 'int64', shape: [1], data: BigInt64Array.of(-1n) });
  const above = graph.node('Greater', [graph.input('real', 'float64', [-1, 1]), zero]);
  graph.output('label', graph.node('Reshape', [graph.node('Cast', [above], { to: 7 }), flat]), 'int64', [-1]);
  return artifactOf('tabular-classifier', graph, { classes: ['-5', '11'] });
}

/** Puts a model into production, past the gate. */
export async function place(store: ModelStore, model: string, artifact: Artifact, idl?: string): Promise<void> {
  const by = { actor: 'ada' };
  if (idl !== undefined) {
    const contract = parseContract({ file: `${model}.thrift`, idl, includes: {} });
    const services = contract.services.map(({ name }) => name);
    const { fingerprint } = contract;
    await store.publishContract({ ...by, model, contract: { fingerprint, idl, includes: {}, services } });
  }
  const bytes = modelTypeOf(artifact.modelType).serialize(artifact);
  const version = createHash('sha256').update(bytes).digest('hex');
  await store.publishVersion({
    ...by,
    model,
    bytes,
    record: { version, modelType: artifact.modelType, metrics: { rmse: 1 } },
  });
  await store.moveAlias({ ...by, model, version, aliasName: 'production', action: 'promote' });
}

/** Trains and publishes everything; seconds. @returns the version of penguins in production */
export async function fillStore(store: ModelStore): Promise<string> {
  execFileSync(process.execPath, [`${PENGUINS_FOLDER}/load.mjs`]);
  const project = await loadProject(PENGUINS_FOLDER);
  const trained = await train(project);
  const registry = new Registry(store, 'ada');
  await publishProjectContract(registry, project);
  const { version } = await publishTrained(registry, project, trained, newRunId(new Date()));
  await store.moveAlias({ actor: 'ada', model: 'penguins', version, aliasName: 'production', action: 'promote' });
  await placeSmall(store);
  return version;
}

/** Those that are made and not trained. */
export async function placeSmall(store: ModelStore): Promise<void> {
  await place(store, TENSORS, tensorsModel('tabular-regressor', 2));
  await place(store, SHAPED, tensorsModel('tensor', -1));
  await place(store, 'kinds', kindsModel(), KINDS_IDL);
  await place(store, 'scalars', scalarsModel(), SCALARS_IDL);
  await place(store, 'parity', parityModel(), PARITY_IDL);
}

// ---------------------------------------------------------------- the server

export interface Served {
  readonly host: string;
  readonly port: number;
  readonly server: RpcServer;
  readonly router: Router;
  readonly factory: Factory;
  readonly calls: EndedCalls;
  readonly callLog: CallLog;
  readonly generated: GeneratedServices;
  readonly dispatcher: Dispatcher;
  close(): Promise<void>;
}

/** As app.ts joins it, on a port of its own; logs only what is a defect. */
export async function serve(
  store: ModelStore,
  limits: Partial<Limits> = {},
  log = pino({ level: 'error' }, pino.destination({ fd: 2, sync: true })),
  security: Partial<Pick<Security, 'access' | 'certificates'>> = {},
  settings: Partial<ModelSettings> = {},
  logged?: CallLogOptions,
): Promise<Served> {
  const callLog = new CallLog(log, logged),
    calls = new EndedCalls(callLog, await CallSpans.open('test'));
  const batcher = new Batcher();
  const factory = new Factory(store, batcher, { settingsOf: () => ({ ...DEFAULT_SETTINGS, ...settings }) });
  const router = new Router(store, factory, log);
  await router.start();
  const registry = new Registry(store, 'ada');
  const negotiator = new Negotiator();
  const generated = new GeneratedServices(
    {
      Prediction: predictionHandlers(router),
      Registry: registryHandlers(registry, (who) => registry.actingAs(who.name, (model) => who.checkModel(model))),
      Operations: operationsHandlers({
        router,
        negotiator,
        serverVersion: 'test',
        genericIdl: readFileSync('idl/parley.thrift', 'utf8'),
      }),
    },
    calls,
  );
  const dispatcher = new Dispatcher({
    router,
    batcher,
    calls,
    generated,
    defaultService: 'Penguins',
    access: security.access,
  });
  const server = new RpcServer(
    dispatcher.onFrame,
    batcher,
    { ...DEFAULT_LIMITS, ...limits },
    log,
    security.certificates,
  );
  const address = await server.listen('127.0.0.1', 0);
  return {
    ...address,
    server,
    router,
    factory,
    calls,
    callLog,
    generated,
    dispatcher,
    async close() {
      await server.close();
      await negotiator.close();
      await router.close();
      factory.close();
    },
  };
}
