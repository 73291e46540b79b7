/**
 * The composition root: every part is built and joined here. Constructing is cheap; what does I/O is opened in order and
 * closed in the reverse.
 */
import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { type Logger, pino } from 'pino';
import type {
  CliContext,
  OpenArchives,
  OpenRegistry,
  RunningServer,
  ServeOptions,
  StoreOptions,
} from './cli/context.js';
import {
  actorName,
  DEFAULT_HOST,
  DEFAULT_PORT,
  defaultMemoryLimit,
  logLevel,
  parleyVersion,
  requireContract,
  type ServerAddress,
  type StoreSettings,
  serverAddress,
  storeSettings,
  token,
} from './config.js';
import { invalidInput } from './errors.js';
import type { Metrics } from './http/metrics.js';
import { HttpServer } from './http/server.js';
import { checkRecordFields } from './model-types/record-fields.js';
import { loadRuntimeAhead } from './onnx/session.js';
import { Supervisor } from './processes/supervisor.js';
import { Archives } from './registry/archive/archives.js';
import { Registry } from './registry/registry.js';
import { ParleyClient } from './rpc/client/parley-client.js';
import { Dispatcher } from './rpc/dispatcher.js';
import { GeneratedServices } from './rpc/generated.js';
import { operationsHandlers } from './rpc/handlers/operations.js';
import { predictionHandlers } from './rpc/handlers/prediction.js';
import { registryHandlers } from './rpc/handlers/registry.js';
import { DEFAULT_LIMITS } from './rpc/limits.js';
import { RpcServer } from './rpc/server.js';
import { Batcher } from './serving/batcher.js';
import { Factory } from './serving/factory.js';
import { Router } from './serving/router.js';
import { openStore } from './store/connect.js';

const genericIdlFile = new URL('../idl/parley.thrift', import.meta.url);

/** A registry on the store, or behind the server that the options or the environment name. */
export async function openRegistry(options: StoreOptions, warn: (message: string) => void): Promise<OpenRegistry> {
  const address = serverAddress(options.server);
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
  if (serverAddress(options.server) !== undefined && options.redis === undefined && options.dataDir === undefined)
    throw invalidInput(
      'whole models move between stores, not through a server: name the store with --redis or --data-dir, or unset PARLEY_SERVER',
    );
  const registryRule = requireContract(undefined);
  const store = await openStore({ ...settings, checkTypeFields: checkRecordFields, warn });
  const registry = registryOn(store, registryRule);
  return { archives: new Archives(store, actorName(), registry), close: () => store.close() };
}

export const predict: CliContext['predict'] = async (options, model, rows, call) => {
  const client = await ParleyClient.connect(serverAddress(options.server) ?? defaultAddress, token(options.token));
  try {
    return await client.predict(model, rows, call);
  } finally {
    client.close();
  }
};

const defaultAddress: ServerAddress = { host: DEFAULT_HOST, port: DEFAULT_PORT };

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** What one serving process is told. Limits are the whole server's: each of `processes` takes its part. */
export type ProcessOptions = ServeOptions & { readonly logLevel: string };

/** A server that this very process is. */
export interface ServingProcess extends RunningServer {
  metrics(): Promise<Metrics>;
}

/**
 * Serves, in this process or in several behind one port.
 *
 * @throws ParleyError when it cannot begin; nothing stays open then
 */
export async function serve(told: ServeOptions, fallbackLogLevel: string): Promise<RunningServer> {
  if (!isLoopback(told.host) && !told.insecure) {
    throw invalidInput(
      `${told.host} can be reached from other machines, without TLS or tokens; add --insecure if that is meant, or listen on ${DEFAULT_HOST}`,
    );
  }
  const options = { ...told, logLevel: logLevel(told.logLevel, fallbackLogLevel) };
  return options.processes === 1 ? serveHere(options) : serveByProcesses(options);
}

const servingMain = new URL('./serving-main.js', import.meta.url);

/** Several processes serve; this one starts and watches them, and is what is asked over HTTP. */
async function serveByProcesses(options: ProcessOptions): Promise<RunningServer> {
  const log = logOf(options.logLevel);
  const settings = storeSettings(options);
  const { httpPort, ...told } = options;
  const supervisor = new Supervisor({
    main: servingMain,
    count: options.processes,
    drainMs: DEFAULT_LIMITS.drainMs,
    log,
  });
  const closing = [() => supervisor.close()];
  let state: string | undefined = 'starting: the serving processes begin';
  const close = () => {
    state = STOPPING;
    return undoAll(closing.splice(0));
  };
  try {
    // Closed last: it outlives the serving processes, so that the embedded Redis is started and stopped once.
    const store = await openStore({ ...settings, warn: (message) => log.warn(message) });
    closing.unshift(() => store.close());
    let http: RunningServer['http'];
    if (httpPort !== undefined) {
      const { SummedMetrics } = await import('./http/summed-metrics.js');
      const metrics = new SummedMetrics(supervisor);
      const unready = () => state ?? (supervisor.ready.length === 0 ? 'no serving process takes calls now' : undefined);
      const watched = new HttpServer({ metrics, unready });
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

/**
 * Opens the store, follows it, listens: all of one serving process.
 *
 * @throws ParleyError when any of it cannot be done; nothing stays open then
 */
export async function serveHere(options: ProcessOptions): Promise<ServingProcess> {
  const log = logOf(options.logLevel);
  const settings = storeSettings(options);
  const registryRule = requireContract(options.requireContract);
  const opening = openStore({
    ...settings,
    checkTypeFields: checkRecordFields,
    warn: (message) => log.warn(message),
  });
  // While Redis starts or connects.
  setImmediate(loadRuntimeAhead);
  const store = await opening;
  const closing: (() => Promise<void> | void)[] = [() => store.close()];
  const close = () => undoAll(closing.splice(0));
  try {
    const batcher = new Batcher();
    const memoryLimitBytes = partOf(options.memoryLimit ?? defaultMemoryLimit(), options.processes);
    const factory = new Factory(store, batcher, { memoryLimitBytes });
    closing.push(() => factory.close());
    const router = new Router(store, factory, log);
    const dispatcher = new Dispatcher({
      router,
      batcher,
      log,
      generated: generatedServices(router, registryOn(store, registryRule), log),
      defaultService: options.defaultService,
    });
    router.warmBy((servable, aliasName) => dispatcher.warmUp(servable, aliasName));
    let unready: string | undefined = 'starting: the models are being read from the store';
    // Their library is only loaded for those who ask.
    let counted: Promise<Metrics> | undefined;
    const metrics = () =>
      (counted ??= import('./http/metrics.js').then(
        (module) => new module.Metrics({ serverVersion: parleyVersion(), router, factory, errors: dispatcher.errors }),
      ));
    let http: RunningServer['http'];
    if (options.httpPort !== undefined) {
      const watched = new HttpServer({ metrics: await metrics(), unready: () => unready });
      http = await watched.listen(options.host, options.httpPort);
      closing.push(() => watched.close());
    }
    closing.push(() => router.close());
    await router.start();
    const limits = { ...DEFAULT_LIMITS, connections: partOf(DEFAULT_LIMITS.connections, options.processes) };
    const server = new RpcServer(dispatcher.onFrame, batcher, limits, log);
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
      metrics,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
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

const registryOn = (store: ConstructorParameters<typeof Registry>[0], contractsRequired: boolean): Registry =>
  new Registry(store, actorName(), { requireContract: contractsRequired });

function generatedServices(
  router: Router,
  registry: Registry,
  log: ConstructorParameters<typeof GeneratedServices>[1],
): GeneratedServices {
  return new GeneratedServices(
    {
      Prediction: predictionHandlers(router),
      Registry: registryHandlers(registry),
      Operations: operationsHandlers({
        router,
        serverVersion: parleyVersion(),
        genericIdl: readFileSync(genericIdlFile, 'utf8'),
      }),
    },
    log,
  );
}
