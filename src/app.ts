/**
 * The composition root: every part is built and joined here. Constructing is cheap; what does I/O is opened in order and
 * closed in the reverse.
 */
import { readFileSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import type {
  CliContext,
  MockOptions,
  OpenArchives,
  OpenRegistry,
  OpenServer,
  RunningServer,
  ServeOptions,
  StoreOptions,
} from './cli/context.js';
import {
  actorName,
  DEFAULT_HOST,
  DEFAULT_PORT,
  defaultLanes,
  defaultMemoryLimit,
  logLevel,
  parleyVersion,
  protection,
  requireContract,
  type StoreSettings,
  serverAddress,
  serverTls,
  storeSettings,
  token,
} from './config.js';
import type { Contract } from './contract/contract.js';
import { didYouMean } from './contract/nearest.js';
import { invalidInput } from './errors.js';
import type { Metrics } from './http/metrics.js';
import { modelsPage } from './http/models.js';
import { HttpServer } from './http/server.js';
import { checkRecordFields } from './model-types/record-fields.js';
import { loadRuntimeAhead } from './onnx/session.js';
import { Supervisor } from './processes/supervisor.js';
import { Archives } from './registry/archive/archives.js';
import { Negotiator } from './registry/negotiation/negotiator.js';
import { Registry } from './registry/registry.js';
import { CallLog, DEFAULT_CALL_LOG } from './rpc/call-log.js';
import { ParleyClient } from './rpc/client/parley-client.js';
import { Dispatcher } from './rpc/dispatcher.js';
import { EndedCalls } from './rpc/ended-calls.js';
import { GeneratedServices, type Handlers } from './rpc/generated.js';
import { operationsHandlers } from './rpc/handlers/operations.js';
import { predictionHandlers } from './rpc/handlers/prediction.js';
import { registryHandlers } from './rpc/handlers/registry.js';
import { DEFAULT_LIMITS, type Limits } from './rpc/limits.js';
import { present } from './rpc/registry-mapping.js';
import { RpcServer } from './rpc/server.js';
import { CallSpans } from './rpc/spans.js';
import { checkExposure, isLoopback } from './security/exposure.js';
import { noRefusals } from './security/grant.js';
import { Security, type SecuritySettings } from './security/security.js';
import { Batcher } from './serving/batcher.js';
import { Factory } from './serving/factory.js';
import { Lanes } from './serving/lanes/lanes.js';
import { MockFactory } from './serving/mock/factory.js';
import { mockStore } from './serving/mock/store.js';
import { mockVersion } from './serving/mock/version.js';
import { Router } from './serving/router.js';
import { readSettings } from './serving/settings-file.js';
import { openStore } from './store/connect.js';

const genericIdlFile = new URL('../idl/parley.thrift', import.meta.url);

/** A registry on the store, or behind the server that the options or the environment name. */
export async function openRegistry(options: StoreOptions, warn: (message: string) => void): Promise<OpenRegistry> {
  const address = serverAddress(options);
  if (address !== undefined) {
    const client = await ParleyClient.connect(address, token(options.token));
    return { registry: client, close: async () => client.close() };
  }
  const settings = storeSettings(options);
  const registryRule = requireContract(undefined);
  const store = await openStore({ ...settings, checkTypeFields: checkRecordFields, warn });
  return { registry: registryOn(store, registryRule), close: () => store.close() };
}

/** @throws ParleyError INVALID_INPUT where a server is named: whole models do not go through one */
export async function openArchives(options: StoreOptions, warn: (message: string) => void): Promise<OpenArchives> {
  const settings = storeSettings(options);
  if (serverAddress(options) !== undefined && options.redis === undefined && options.dataDir === undefined)
    throw invalidInput(
      'whole models move between stores, not through a server: name the store with --redis or --data-dir, or unset PARLEY_SERVER',
    );
  const registryRule = requireContract(undefined);
  const store = await openStore({ ...settings, checkTypeFields: checkRecordFields, warn });
  const registry = registryOn(store, registryRule);
  return { archives: new Archives(store, actorName(), registry), close: () => store.close() };
}

/** The server that the options or the environment name, or the one of this machine. */
export async function openServer(options: StoreOptions): Promise<OpenServer> {
  const address = serverAddress(options) ?? { host: DEFAULT_HOST, port: DEFAULT_PORT, ...serverTls(options) },
    shown = token(options.token);
  const client = await ParleyClient.connect(address, shown);
  return { client, address, ...(shown === undefined ? {} : { token: shown }) };
}

export const predict: CliContext['predict'] = async (options, model, rows, call) => {
  const { client } = await openServer(options);
  try {
    return await client.predict(model, rows, call);
  } finally {
    client.close();
  }
};

/** What one serving process is told. Limits are the whole server's: each of `processes` takes its part. */
export type ProcessOptions = ServeOptions & { readonly logLevel: string };

/** A server that this very process is. */
export interface ServingProcess extends RunningServer {
  metrics(): Promise<Metrics>;
  /** What `/models` tells, of one model where it is asked for. */
  models(only?: string): object;
}

/**
 * Serves, in this process or in several behind one port.
 *
 * @throws ParleyError when it cannot begin; nothing stays open then
 */
export async function serve(told: ServeOptions, fallbackLogLevel: string): Promise<RunningServer> {
  const { tokensFile, tls } = protection(told);
  checkExposure(told.host, {
    tls: tls !== undefined,
    insecure: told.insecure,
    tokens: tokensFile !== undefined,
    anonymous: told.anonymous !== undefined,
  });
  const options = { ...told, logLevel: logLevel(told.logLevel, fallbackLogLevel) };
  return options.processes === 1 ? serveHere(options) : serveByProcesses(options);
}

const servingMain = new URL('./serving-main.js', import.meta.url);

/** Several processes serve; this one starts and watches them, and is what is asked over HTTP. */
async function serveByProcesses(options: ProcessOptions): Promise<RunningServer> {
  const log = logOf(options.logLevel);
  const settings = storeSettings(options);
  const { httpPort, ...told } = options;
  // What is wrong with it is told once, and before anything is started.
  if (options.config !== undefined) readSettings(options.config);
  const security = await securityOf(options, log);
  const supervisor = new Supervisor({
    main: servingMain,
    count: options.processes,
    drainMs: DEFAULT_LIMITS.drainMs,
    log,
  });
  const closing = [() => security.close(), () => supervisor.close()];
  let state: string | undefined = 'starting: the serving processes begin';
  const close = () => {
    state = STOPPING;
    return undoAll(closing.splice(0));
  };
  try {
    // Closed behind the serving processes: it outlives them, so that the embedded Redis is started and stopped once.
    const store = await openStore({ ...settings, warn: (message) => log.warn(message) });
    closing.unshift(() => store.close());
    let http: RunningServer['http'];
    if (httpPort !== undefined) {
      const { SummedMetrics } = await import('./http/summed-metrics.js');
      const watched = new HttpServer({
        metrics: new SummedMetrics(supervisor, security.access?.refusals),
        models: async (only) => ({ processes: await supervisor.ask('models', only) }),
        unready: () => state ?? (supervisor.ready.length === 0 ? 'no serving process takes calls now' : undefined),
        certificates: security.certificates,
        access: isLoopback(options.host) ? undefined : security.access,
      });
      http = await watched.listen(options.host, httpPort);
      closing.splice(1, 0, () => watched.close());
    }
    const { thrift, services } = await supervisor.begin(told);
    state = undefined;
    return {
      thrift,
      ...(http === undefined ? {} : { http }),
      services,
      store: storeName(settings, store),
      ...protectedBy(security, () => supervisor.hangUp()),
      processes: supervisor.pids,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const STOPPING = 'stopping: accepted calls are answered, no new ones are taken';

const storeName = ({ redisUrl, dataFolder }: StoreSettings, store: { address: { text: string } }): string =>
  redisUrl === undefined ? `${dataFolder} (embedded Redis)` : store.address.text;

const logOf = (level: string): Logger => pino({ level }, pino.destination({ fd: 2, sync: false }));

function securityOf(options: ServeOptions, log: Logger): Promise<Security> {
  const { tokensFile, tls } = protection(options);
  return Security.open(present({ tokensFile, tls, anonymous: options.anonymous }) as SecuritySettings, log);
}

/** What a running server says of its protection. @param also what else follows files */
function protectedBy(security: Security, also = () => {}): Pick<RunningServer, 'tls' | 'reload'> {
  const reload = () => {
    also();
    void security.reload();
  };
  return { tls: security.certificates !== undefined, ...(security.follows ? { reload } : {}) };
}

/**
 * Opens the store, follows it, listens: all of one serving process.
 *
 * @throws ParleyError when any of it cannot be done; nothing stays open then
 */
export async function serveHere(options: ProcessOptions): Promise<ServingProcess> {
  const log = logOf(options.logLevel);
  const settings = storeSettings(options);
  const registryRule = requireContract(options.requireContract);
  const modelSettings = options.config === undefined ? undefined : readSettings(options.config);
  const security = await securityOf(options, log);
  const closing: (() => Promise<void> | void)[] = [() => security.close()];
  const close = () => undoAll(closing.splice(0));
  try {
    const opening = openStore({
      ...settings,
      checkTypeFields: checkRecordFields,
      warn: (message) => log.warn(message),
    });
    // While Redis starts or connects.
    setImmediate(loadRuntimeAhead);
    const store = await opening;
    closing.push(() => store.close());
    const batcher = new Batcher();
    const lanes = new Lanes({ count: lanesOf(options), log });
    closing.push(() => lanes.close());
    const factory = new Factory(store, batcher, {
      memoryLimitBytes: partOf(options.memoryLimit ?? defaultMemoryLimit(), options.processes),
      loadSession: lanes.load,
      ...(modelSettings && { settingsOf: modelSettings.of }),
    });
    closing.push(() => factory.close());
    const router = new Router(store, factory, log);
    const { accessLog: access = DEFAULT_CALL_LOG.access, slowMs = DEFAULT_CALL_LOG.slowMs } = options;
    const callLog = new CallLog(log, { access, slowMs });
    const calls = new EndedCalls(callLog, await CallSpans.open(parleyVersion()));
    const negotiator = new Negotiator();
    closing.push(() => negotiator.close());
    const generated = generatedServices(router, registryOn(store, registryRule), negotiator, calls);
    const dispatcher = new Dispatcher({
      router,
      batcher,
      calls,
      generated,
      defaultService: options.defaultService,
      access: security.access,
    });
    const server = new RpcServer(dispatcher.onFrame, batcher, limitsOf(options), log, security.certificates);
    router.warmBy((servable, aliasName) => dispatcher.warmUp(servable, aliasName));
    let unready: string | undefined = 'starting: the models are being read from the store';
    // Loaded for those who ask.
    const watching = async () => {
      const [{ Metrics }, { RuntimeWatch }] = await Promise.all([
        import('./http/metrics.js'),
        import('./http/process-metrics.js'),
      ]);
      const runtime = new RuntimeWatch();
      runtime.start();
      closing.push(() => runtime.stop());
      return new Metrics({
        serverVersion: parleyVersion(),
        router,
        factory,
        lanes,
        runtime,
        transport: server,
        refusals: security.access?.refusals ?? noRefusals(),
        errors: calls.errors,
        unknownMethods: () => calls.unknownMethods,
        methods: generated.answered,
        unlogged: callLog.suppressed,
      });
    };
    let counted: Promise<Metrics> | undefined;
    const metrics = () => (counted ??= watching());
    const models = (only?: string) => modelsPage({ router, factory }, only);
    let http: RunningServer['http'];
    if (options.httpPort !== undefined) {
      const watched = new HttpServer({
        metrics: await metrics(),
        models,
        unready: () => unready,
        certificates: security.certificates,
        access: isLoopback(options.host) ? undefined : security.access,
      });
      http = await watched.listen(options.host, options.httpPort);
      closing.push(() => watched.close());
    }
    closing.push(() => router.close());
    await router.start();
    warnOfStrangers(modelSettings?.models ?? [], router, log);
    const thrift = await server.listen(options.host, options.port);
    closing.push(() => server.close());
    closing.push(() => {
      unready = STOPPING;
      dispatcher.stop();
      return server.notice();
    });
    unready = undefined;
    return {
      thrift,
      ...(http === undefined ? {} : { http }),
      services: [...router.services.keys()],
      store: storeName(settings, store),
      ...protectedBy(security),
      metrics,
      models,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Serves a contract with made-up answers: no store, no model, nothing that changes.
 *
 * @throws ParleyError CONTRACT_MISMATCH, UNSUPPORTED for a contract that nothing could be made up for
 */
export async function serveMock(
  contract: Contract,
  { host, port, defaultService, seed, logLevel: level }: MockOptions,
  fallbackLogLevel: string,
): Promise<RunningServer> {
  const log = logOf(logLevel(level, fallbackLogLevel));
  const batcher = new Batcher(),
    negotiator = new Negotiator();
  const factory = await MockFactory.of(contract.model, mockVersion(contract, seed), batcher);
  const router = new Router(mockStore(contract), factory, log);
  const calls = new EndedCalls(new CallLog(log, DEFAULT_CALL_LOG), await CallSpans.open(parleyVersion()));
  const generated = new GeneratedServices(
    { Prediction: predictionHandlers(router), Operations: operationsOn(router, negotiator) },
    calls,
  );
  const dispatcher = new Dispatcher({ router, batcher, calls, generated, defaultService });
  const server = new RpcServer(dispatcher.onFrame, batcher, DEFAULT_LIMITS, log);
  await router.start();
  const close = () =>
    undoAll([() => factory.close(), () => negotiator.close(), () => router.close(), () => server.close()]);
  try {
    const thrift = await server.listen(host, port);
    return { thrift, services: [...router.services.keys()], store: 'none: a mock', tls: false, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A model may be published later; more often its name was mistyped. */
function warnOfStrangers(configured: readonly string[], { models }: Router, log: Logger): void {
  const names = Array.from(models, ({ name }) => name);
  for (const model of configured)
    if (!names.includes(model))
      log.warn({ model }, `the settings name a model that the store does not have${didYouMean(model, names)}`);
}

/** One process's part of what all may take together. */
const partOf = (limit: number, processes: number): number => Math.max(1, Math.floor(limit / processes));

/** The latest first; one that fails does not keep the others from being undone, and is told when they are. */
async function undoAll(closing: readonly (() => Promise<void> | void)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const undo of [...closing].reverse()) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Of one process: limits of all connections together are divided. */
const limitsOf = ({ maxConnections, maxFrame, processes }: ServeOptions): Limits => ({
  ...DEFAULT_LIMITS,
  connections: partOf(maxConnections ?? DEFAULT_LIMITS.connections, processes),
  calls: partOf(DEFAULT_LIMITS.calls, processes),
  allBufferedBytes: partOf(DEFAULT_LIMITS.allBufferedBytes, processes),
  frameBytes: maxFrame ?? DEFAULT_LIMITS.frameBytes,
});

/** Of one process, which has one at least where there are any. */
const lanesOf = ({ lanes = defaultLanes(), processes }: ServeOptions): number =>
  lanes === 0 ? 0 : Math.max(1, Math.round(lanes / processes));

const registryOn = (store: ConstructorParameters<typeof Registry>[0], contractsRequired: boolean): Registry =>
  new Registry(store, actorName(), { requireContract: contractsRequired });

function generatedServices(
  router: Router,
  registry: Registry,
  negotiator: Negotiator,
  calls: EndedCalls,
): GeneratedServices {
  return new GeneratedServices(
    {
      Prediction: predictionHandlers(router),
      Registry: registryHandlers(registry, (who) => registry.actingAs(who.name, (model) => who.checkModel(model))),
      Operations: operationsOn(router, negotiator),
    },
    calls,
  );
}

const operationsOn = (router: Router, negotiator: Negotiator): Handlers =>
  operationsHandlers({
    router,
    negotiator,
    serverVersion: parleyVersion(),
    genericIdl: readFileSync(genericIdlFile, 'utf8'),
  });
