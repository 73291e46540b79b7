/**
 * Which version answers a call: every model's aliases and contract, held in memory and kept in step with the store.
 *
 * A version is loaded on its first call. Once an alias's version is loaded, a version that the alias is moved to is
 * loaded before it takes over; the old one answers until then, and goes on answering when the new one does not load.
 */
import type { Logger } from 'pino';
import { bindService, type ServiceBinding } from '../contract/bind.js';
import type { Contract, ContractService } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import { notFound, ParleyError } from '../errors.js';
import type { ModelState, ModelStore } from '../model/store-port.js';
import { PRODUCTION, VERSION_PATTERN, type Version } from '../model/version.js';
import type { Factory } from './factory.js';
import type { Servable } from './servable.js';

const RETRY_MS = 1_000;
const VERSION_PREFIX = /^[0-9a-f]{8,64}$/;

/** An alias as this server sees it. */
export interface Target {
  readonly aliasName: string;
  readonly version: Version;
  /** Set once the version is loaded. */
  servable: Servable | undefined;
}

/** A typed service that can be called now. */
export interface TypedService {
  readonly contract: Contract;
  readonly service: ContractService;
}

/** Where a call goes. */
export interface Route {
  readonly servable: Servable;
  /** The alias that led here; undefined when the caller named a version. */
  readonly aliasName: string | undefined;
}

interface RoutedModel {
  readonly name: string;
  readonly targets: Map<string, Target>;
  contractFingerprint: string | undefined;
  contract: Contract | undefined;
}

export class Router {
  readonly #store: ModelStore;
  readonly #factory: Factory;
  readonly #log: Logger;
  readonly #models = new Map<string, RoutedModel>();
  readonly #bindings = new WeakMap<Servable, Map<string, ServiceBinding>>();
  readonly #following = new Map<string, Promise<void>>();
  readonly #retries = new Map<string, NodeJS.Timeout>();
  #services: ReadonlyMap<string, TypedService> = new Map();
  #generation = 0;
  #watch: { stop(): Promise<void> } | undefined;
  #connected = true;
  #closed = false;

  constructor(store: ModelStore, factory: Factory, log: Logger) {
    this.#store = store;
    this.#factory = factory;
    this.#log = log;
  }

  /** Follows the store; every model that is there now is known when this resolves. */
  async start(): Promise<void> {
    this.#watch = await this.#store.watch({
      onChange: (state) => this.#follow(state),
      onConnection: (connected) => {
        if (connected !== this.#connected)
          this.#log[connected ? 'info' : 'warn'](
            connected ? 'the store is back' : 'the store is away; loaded models go on serving',
          );
        this.#connected = connected;
      },
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#retries.values()) clearTimeout(timer);
    await this.#watch?.stop();
  }

  /** Grows whenever `services` changes: what was looked up before it grew is to be looked up again. */
  get generation(): number {
    return this.#generation;
  }

  /** By name. */
  get services(): ReadonlyMap<string, TypedService> {
    return this.#services;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** The loaded version that an alias leads to, when it can be said without waiting. */
  ready(model: string, aliasName: string): Servable | undefined {
    return this.#models.get(model)?.targets.get(aliasName)?.servable;
  }

  /**
   * @param reference an alias, a version or a unique prefix of one
   * @throws ParleyError NOT_FOUND with the way out, and what loading throws
   */
  async resolve(model: string, reference = PRODUCTION): Promise<Route> {
    const target = this.#models.get(model)?.targets.get(reference);
    if (target !== undefined) {
      target.servable ??= await this.#factory.load(model, target.version);
      return { servable: target.servable, aliasName: reference };
    }
    if (VERSION_PREFIX.test(reference)) {
      // A whole digest needs nobody to complete it: a version that is loaded answers while the store is away.
      const version = VERSION_PATTERN.test(reference) ? reference : await this.#store.resolveVersion(model, reference);
      return { servable: await this.#factory.load(model, version), aliasName: undefined };
    }
    throw this.#unknown(model, reference);
  }

  #unknown(model: string, reference: string): ParleyError {
    const routed = this.#models.get(model);
    if (routed === undefined) {
      const known = [...this.#models.keys()];
      return notFound(
        `there is no model "${model}"; ${known.length === 0 ? 'none has been published yet' : `the models are ${known.join(', ')}`}. Train one with "parley train PROJECT --promote"`,
      );
    }
    if (reference === PRODUCTION) {
      return notFound(
        `model "${model}" has no version in production; see "parley versions ${model}", then "parley accept ${model} VERSION" and "parley promote ${model} VERSION"`,
      );
    }
    return notFound(
      `model "${model}" has no alias "${reference}"; it has ${[...routed.targets.keys()].join(', ') || 'none'}`,
    );
  }

  /** The first typed service of a model's contract: what generic calls are checked against. */
  serviceOf(model: string): TypedService | undefined {
    const contract = this.#models.get(model)?.contract,
      service = contract?.services[0];
    return contract === undefined || service === undefined ? undefined : { contract, service };
  }

  /** How a typed service's methods feed a version. @throws ParleyError CONTRACT_MISMATCH */
  binding(servable: Servable, { contract, service }: TypedService): ServiceBinding {
    let bindings = this.#bindings.get(servable);
    if (bindings === undefined) this.#bindings.set(servable, (bindings = new Map()));
    const key = `${contract.fingerprint}:${service.name}`;
    let binding = bindings.get(key);
    if (binding === undefined) bindings.set(key, (binding = bindService(contract, service.name, servable)));
    return binding;
  }

  /** Changes of one model are taken up one after the other. */
  #follow(state: ModelState): Promise<void> {
    const following = (this.#following.get(state.model) ?? Promise.resolve()).then(() => this.#takeUp(state));
    this.#following.set(state.model, following);
    return following;
  }

  async #takeUp(state: ModelState): Promise<void> {
    let routed = this.#models.get(state.model);
    if (routed === undefined) {
      routed = { name: state.model, targets: new Map(), contractFingerprint: undefined, contract: undefined };
      this.#models.set(state.model, routed);
    }
    try {
      await this.#followContract(routed, state);
      await this.#followAliases(routed, state);
    } catch (error) {
      this.#log.error({ model: state.model, err: error }, 'a change could not be taken up; trying again');
      this.#retry(state.model);
    }
  }

  async #followContract(routed: RoutedModel, state: ModelState): Promise<void> {
    if (routed.contractFingerprint === state.contractFingerprint) return;
    const record = await this.#store.contract(routed.name, state.contractFingerprint);
    routed.contract =
      record === undefined
        ? undefined
        : parseContract({ file: `${routed.name}.thrift`, idl: record.idl, includes: record.includes });
    routed.contractFingerprint = state.contractFingerprint;
    this.#publishServices();
    this.#log.info(
      { model: routed.name, contract: state.contractFingerprint, services: record?.services },
      'contract in force',
    );
  }

  #publishServices(): void {
    const services = new Map<string, TypedService>();
    for (const { contract } of [...this.#models.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      for (const service of contract?.services ?? [])
        if (!services.has(service.name)) services.set(service.name, { contract: contract!, service });
    }
    this.#services = services;
    this.#generation++;
  }

  async #followAliases(routed: RoutedModel, state: ModelState): Promise<void> {
    const names = new Set(state.aliases.map((alias) => alias.aliasName));
    for (const name of routed.targets.keys()) if (!names.has(name)) routed.targets.delete(name);
    for (const { aliasName, version } of state.aliases) {
      const current = routed.targets.get(aliasName);
      if (current?.version === version) continue;
      const next: Target = { aliasName, version, servable: this.#factory.loaded(routed.name, version) };
      if (current?.servable !== undefined && next.servable === undefined) {
        next.servable = await this.#loadNext(routed.name, aliasName, version);
        if (next.servable === undefined) continue;
      }
      routed.targets.set(aliasName, next);
      this.#log.info({ model: routed.name, alias: aliasName, version }, 'alias follows');
    }
  }

  /** The version that is to take over; undefined when it does not load and the old one must go on. */
  async #loadNext(model: string, aliasName: string, version: Version): Promise<Servable | undefined> {
    try {
      return await this.#factory.load(model, version);
    } catch (error) {
      this.#log.error(
        { model, alias: aliasName, version, err: error },
        'the new version does not load; the old one goes on serving',
      );
      if (error instanceof ParleyError && error.retryable) this.#retry(model);
      return undefined;
    }
  }

  #retry(model: string): void {
    if (this.#closed || this.#retries.has(model)) return;
    this.#retries.set(
      model,
      setTimeout(async () => {
        this.#retries.delete(model);
        try {
          await this.#follow(await this.#store.state(model));
        } catch {
          this.#retry(model); // the store is away still
        }
      }, RETRY_MS),
    );
  }
}
