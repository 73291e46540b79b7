/**
 * Which version answers a call: every model's aliases and contract, held in memory and kept in step with the store.
 *
 * A version is loaded on its first call. Once an alias's version is loaded, a version that the alias is moved to is
 * loaded before it takes over; the old one answers until then, and goes on answering when the new one does not load.
 * A contract that the version in production does not fit waits, too, until one is promoted that does.
 *
 * A canary takes calls once both of its alias's versions are loaded; one that does not load, or does not fit the contract
 * that callers are answered by, takes none.
 */
import type { Logger } from 'pino';
import { bindService, type ServiceBinding } from '../contract/bind.js';
import type { Contract, ContractService } from '../contract/contract.js';
import { notFound, ParleyError } from '../errors.js';
import type { ModelState, ModelStore } from '../model/store-port.js';
import { type AliasPointer, PRODUCTION, VERSION_PATTERN, type Version } from '../model/version.js';
import { RunningCanary } from './canary.js';
import { ContractChoice } from './contract-in-service.js';
import type { Factory } from './factory.js';
import type { Servable } from './servable.js';

const RETRY_MS = 1_000;
/** Callers' names are repeated to them, but not at any length. */
const shortened = (name: string): string => (name.length <= 64 ? name : `${name.slice(0, 63)}…`);
const VERSION_PREFIX = /^[0-9a-f]{8,64}$/;
/** Stands for the choice of a contract that has not been made yet. */
const NOT_CHOSEN = '';

/** An alias as this server sees it. */
export interface Target {
  readonly aliasName: string;
  readonly version: Version;
  /** Set once the version is loaded. */
  servable: Servable | undefined;
  /** Set while a canary runs and takes calls: both versions are loaded. */
  canary: RunningCanary | undefined;
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
  /** The contract in force and the version in production for which `contract` was chosen. */
  chosenFor: string;
  contract: Contract | undefined;
}

export class Router {
  readonly #store: ModelStore;
  readonly #factory: Factory;
  readonly #choice: ContractChoice;
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
    this.#choice = new ContractChoice(store, factory);
    this.#log = log;
  }

  /** Follows the store; every model that is there now is known when this resolves. */
  async start(): Promise<void> {
    this.#watch = await this.#store.watch({
      onChange: ({ model }) => this.#follow(model),
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

  /** The loaded version that answers all calls of an alias, when it can be said without waiting; none while a canary runs. */
  ready(model: string, aliasName: string): Servable | undefined {
    const target = this.#models.get(model)?.targets.get(aliasName);
    return target === undefined || target.canary !== undefined ? undefined : target.servable;
  }

  /**
   * The loaded version that answers one call of an alias, when it can be said without waiting.
   *
   * @param routingKey equal keys meet the same version while a canary runs; without one, each call is on its own
   */
  choose(model: string, aliasName: string, routingKey?: Uint8Array): Servable | undefined {
    const target = this.#models.get(model)?.targets.get(aliasName);
    return target?.canary?.takes(routingKey) ? target.canary.servable : target?.servable;
  }

  /**
   * An alias's own version, or the one that is named; loaded when it is not yet.
   *
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

  #unknown(name: string, alias: string): ParleyError {
    const routed = this.#models.get(name),
      model = shortened(name),
      reference = shortened(alias);
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

  /** Changes of one model are taken up one after the other, and each by what the store says when its turn comes. */
  #follow(model: string): Promise<void> {
    const following = (this.#following.get(model) ?? Promise.resolve()).then(() => this.#takeUp(model));
    this.#following.set(model, following);
    return following;
  }

  async #takeUp(model: string): Promise<void> {
    if (this.#closed) return;
    try {
      const state = await this.#store.state(model);
      if (isGone(state)) this.#forget(model);
      else await this.#followState(this.#routed(model), state);
      await this.#forgetUnreachable(model);
    } catch (error) {
      if (this.#closed) return;
      const again = !(error instanceof ParleyError) || error.retryable;
      this.#log.error({ model, err: error }, `a change could not be taken up${again ? '; trying again' : ''}`);
      if (again) this.#retry(model);
    }
  }

  #routed(name: string): RoutedModel {
    let routed = this.#models.get(name);
    if (routed === undefined) {
      routed = { name, targets: new Map(), chosenFor: NOT_CHOSEN, contract: undefined };
      this.#models.set(name, routed);
    }
    return routed;
  }

  #forget(model: string): void {
    if (!this.#models.delete(model)) return;
    this.#publishServices();
    this.#log.warn({ model }, 'the model is gone from the store');
  }

  /** Aliases come first: a contract that this release cannot read must not hold up a rollback. */
  async #followState(routed: RoutedModel, state: ModelState): Promise<void> {
    const names = new Set(state.aliases.map((alias) => alias.aliasName));
    for (const name of routed.targets.keys()) if (!names.has(name)) routed.targets.delete(name);
    for (const { aliasName, version } of state.aliases) {
      const next = await this.#next(routed, aliasName, version);
      if (next === undefined) continue;
      // A version that answers another contract takes over together with it, in one step.
      const choose = aliasName === PRODUCTION ? await this.#tryToChoose(routed, state, version) : undefined;
      routed.targets.set(aliasName, next);
      choose?.();
      this.#log.info({ model: routed.name, alias: aliasName, version }, 'alias follows');
    }
    endCanaries(routed, state);
    try {
      (await this.#choose(routed, state, routed.targets.get(PRODUCTION)?.version))?.();
    } finally {
      for (const pointer of state.aliases) await this.#beginCanary(routed, pointer);
    }
  }

  /** Gives the alias's canary its share, once both versions are loaded. */
  async #beginCanary(routed: RoutedModel, { aliasName, version, canary }: AliasPointer): Promise<void> {
    const target = routed.targets.get(aliasName);
    if (canary === undefined || target?.version !== version) return;
    if (target.canary?.version === canary.version && target.canary.weight === canary.weight) return;
    target.servable ??= await this.#loadNext(routed.name, aliasName, version);
    const servable = target.servable && (await this.#loadNext(routed.name, aliasName, canary.version));
    if (servable === undefined) return;
    const told = { model: routed.name, alias: aliasName, version, canary: canary.version, weight: canary.weight };
    if (aliasName === PRODUCTION && !this.#fits(routed, servable)) {
      this.#log.warn(told, 'the canary does not fit the contract that callers are answered by; it takes no calls');
      return;
    }
    target.canary = new RunningCanary(canary, servable);
    this.#log.info(told, 'canary takes its share');
  }

  /** Whether a version can answer every typed service of the model. */
  #fits({ contract }: RoutedModel, servable: Servable): boolean {
    try {
      for (const service of contract?.services ?? []) this.binding(servable, { contract: contract!, service });
      return true;
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'CONTRACT_MISMATCH') return false;
      throw error;
    }
  }

  /** What callers reached by its digest is answered no longer once it is retired or pruned. */
  async #forgetUnreachable(model: string): Promise<void> {
    const targets = [...(this.#models.get(model)?.targets.values() ?? [])];
    const inUse = new Set(targets.flatMap(({ version, canary }) => [version, canary?.version]));
    for (const version of this.#factory.versionsOf(model)) {
      if (inUse.has(version)) continue;
      const record = await this.#store.version(model, version);
      if (record === undefined || record.retiredAt !== undefined) this.#factory.forget(model, version);
    }
  }

  async #tryToChoose(routed: RoutedModel, state: ModelState, production: Version): Promise<(() => void) | undefined> {
    try {
      return await this.#choose(routed, state, production);
    } catch {
      return undefined; // it is tried again behind the aliases, where the failure is told
    }
  }

  /** @returns what puts the chosen contract into service; undefined where nothing changes */
  async #choose(
    routed: RoutedModel,
    { contractFingerprint }: ModelState,
    production: Version | undefined,
  ): Promise<(() => void) | undefined> {
    const chosenFor = `${contractFingerprint ?? 'none'} ${production ?? 'none'}`;
    if (routed.chosenFor === chosenFor) return undefined;
    const { contract, behind } = await this.#choice.choose(routed.name, contractFingerprint, production);
    return () => {
      const before = routed.contract?.fingerprint;
      routed.chosenFor = chosenFor;
      routed.contract = contract;
      const target = routed.targets.get(PRODUCTION);
      if (target?.canary !== undefined && !this.#fits(routed, target.canary.servable)) target.canary = undefined;
      const told = { model: routed.name, contract: contract?.fingerprint, version: production };
      if (behind !== undefined)
        this.#log.warn(
          { ...told, inForce: contractFingerprint, reason: behind.message },
          'the version in production does not fit the contract in force; callers are answered by the contract that it was accepted under, until a version that fits is promoted',
        );
      if (contract?.fingerprint === before) return;
      this.#publishServices();
      this.#log.info({ ...told, services: contract?.services.map(({ name }) => name) }, 'contract in service');
    };
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

  /** Where the alias is to lead now; undefined where it leads there already, or must stay where it is. */
  async #next(routed: RoutedModel, aliasName: string, version: Version): Promise<Target | undefined> {
    const current = routed.targets.get(aliasName);
    if (current?.version === version) return undefined;
    let servable = this.#factory.loaded(routed.name, version);
    if (current?.servable !== undefined && servable === undefined) {
      servable = await this.#loadNext(routed.name, aliasName, version);
      if (servable === undefined) return undefined;
    }
    return { aliasName, version, servable, canary: undefined };
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
      setTimeout(() => {
        this.#retries.delete(model);
        void this.#follow(model);
      }, RETRY_MS),
    );
  }
}

/** Canaries that were ended, or whose alias leads elsewhere; a change of weight alone ends none. */
function endCanaries(routed: RoutedModel, { aliases }: ModelState): void {
  for (const { aliasName, version, canary } of aliases) {
    const target = routed.targets.get(aliasName);
    if (target?.canary === undefined) continue;
    if (target.version !== version || target.canary.version !== canary?.version) target.canary = undefined;
  }
}

/** A model without a line in its ledger: the store was emptied, or is another one. */
const isGone = ({ epoch, aliases, contractFingerprint }: ModelState): boolean =>
  epoch === 0 && aliases.length === 0 && contractFingerprint === undefined;
