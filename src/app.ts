/**
 * The composition root: every part is built and joined here. Constructing is cheap; what does I/O is opened in order and
 * closed in the reverse.
 */
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
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
  protection,
  requireContract,
  serverAddress,
  serverTls,
  storeSettings,
  token,
} from './config.js';
import { invalidInput } from './errors.js';
import { Metrics } from './http/metrics.js';
import { HttpServer } from './http/server.js';
import { checkRecordFields } from './model-types/record-fields.js';
import { Archives } from './registry/archive/archives.js';
import { Registry } from './registry/registry.js';
import { ParleyClient } from './rpc/client/parley-client.js';
import { Dispatcher } from './rpc/dispatcher.js';
import { GeneratedServices } from './rpc/generated.js';
import { operationsHandlers } from './rpc/handlers/operations.js';
import { predictionHandlers } from './rpc/handlers/prediction.js';
import { registryHandlers } from './rpc/handlers/registry.js';
import { DEFAULT_LIMITS, type Limits } from './rpc/limits.js';
import { present } from './rpc/registry-mapping.js';
import { RpcServer } from './rpc/server.js';
import { checkExposure, isLoopback } from './security/exposure.js';
import { Security, type SecuritySettings } from './security/security.js';
import { Batcher } from './serving/batcher.js';
import { Factory } from './serving/factory.js';
import { Router } from './serving/router.js';
import { openStore } from './store/connect.js';

const packageFile = new URL('../package.json', import.meta.url);
const genericIdlFile = new URL('../idl/parley.thrift', import.meta.url);

export const parleyVersion = (): string =>
  (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;

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

export const predict: CliContext['predict'] = async (options, model, rows, call) => {
  const address = serverAddress(options) ?? { host: DEFAULT_HOST, port: DEFAULT_PORT, ...serverTls(options) };
  const client = await ParleyClient.connect(address, token(options.token));
  try {
    return await client.predict(model, rows, call);
  } finally {
    client.close();
  }
};

/** Opens the store, follows it, listens. @throws ParleyError when any of it cannot be done; nothing stays open then */
export async function serve(options: ServeOptions, fallbackLogLevel: string): Promise<RunningServer> {
  const { tokensFile, tls } = protection(options);
  checkExposure(options.host, {
    tls: tls !== undefined,
    insecure: options.insecure,
    tokens: tokensFile !== undefined,
    anonymous: options.anonymous !== undefined,
  });
  const log = pino({ level: logLevel(options.logLevel, fallbackLogLevel) }, pino.destination({ fd: 2, sync: false }));
  const settings = storeSettings(options);
  const registryRule = requireContract(options.requireContract);
  const security = await Security.open(
    present({ tokensFile, tls, anonymous: options.anonymous }) as SecuritySettings,
    log,
  );
  const closing: (() => Promise<void> | void)[] = [() => security.close()];
  const close = () => undoAll(closing.splice(0));
  try {
    const store = await openStore({
      ...settings,
      checkTypeFields: checkRecordFields,
      warn: (message) => log.warn(message),
    });
    closing.push(() => store.close());
    const batcher = new Batcher();
    const factory = new Factory(store, batcher, { memoryLimitBytes: options.memoryLimit ?? defaultMemoryLimit() });
    closing.push(() => factory.close());
    const router = new Router(store, factory, log);
    const dispatcher = new Dispatcher({
      router,
      batcher,
      log,
      generated: generatedServices(router, registryOn(store, registryRule), log),
      defaultService: options.defaultService,
      access: security.access,
    });
    const server = new RpcServer(dispatcher.onFrame, batcher, limitsOf(options), log, security.certificates);
    router.warmBy((servable, aliasName) => dispatcher.warmUp(servable, aliasName));
    let unready: string | undefined = 'starting: the models are being read from the store';
    const metrics = new Metrics({
      serverVersion: parleyVersion(),
      router,
      factory,
      errors: dispatcher.errors,
      transport: server,
      refusals: security.access?.refusals,
    });
    const watched = new HttpServer({
      metrics,
      unready: () => unready,
      certificates: security.certificates,
      access: isLoopback(options.host) ? undefined : security.access,
    });
    const http = options.httpPort === undefined ? undefined : await watched.listen(options.host, options.httpPort);
    if (http !== undefined) closing.push(() => watched.close());
    closing.push(() => router.close());
    await router.start();
    const thrift = await server.listen(options.host, options.port);
    closing.push(() => server.close());
    closing.push(() => {
      unready = 'stopping: accepted calls are answered, no new ones are taken';
      dispatcher.stop();
      return server.notice();
    });
    unready = undefined;
    return {
      thrift,
      ...(http === undefined ? {} : { http }),
      services: [...router.services.keys()],
      store: settings.redisUrl === undefined ? `${settings.dataFolder} (embedded Redis)` : store.address.text,
      tls: security.certificates !== undefined,
      ...(security.follows ? { reload: () => void security.reload() } : {}),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

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

const limitsOf = ({ maxConnections, maxFrame }: ServeOptions): Limits => ({
  ...DEFAULT_LIMITS,
  connections: maxConnections ?? DEFAULT_LIMITS.connections,
  frameBytes: maxFrame ?? DEFAULT_LIMITS.frameBytes,
});

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
      Registry: registryHandlers(registry, (who) => registry.actingAs(who.name, (model) => who.checkModel(model))),
      Operations: operationsHandlers({
        router,
        serverVersion: parleyVersion(),
        genericIdl: readFileSync(genericIdlFile, 'utf8'),
      }),
    },
    log,
  );
}
