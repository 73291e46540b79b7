/**
 * Which version answers a call: every model's aliases and contract, held in memory and kept in step with the store.
 *
 * A version is loaded on its first call. Once an alias's version is loaded, a version that the alias is moved to is
 * loaded before it takes over; the old one answers until then, and goes on answering when the new one does not load.
 * A contract that the version in production does not fit waits, too, until one is promoted that does.
 *
 * A canary takes calls once both of its alias's versions are loaded; one that does not load, or does not fit the contract
 * that callers are answered by, takes none. A version that has gone because memory was short is loaded by the next call.
 */
import type { Logger } from 'pino';
import type { ServiceBinding } from '../contract/bind.js';
import { ParleyError } from '../errors.js';
import type { ModelState, ModelStore, Watching } from '../model/store-port.js';
import { type AliasPointer, PRODUCTION, SHADOW, VERSION_PATTERN, type Version } from '../model/version.js';
import { RunningCanary } from './canary.js';
import { ContractChoice } from './contract-in-service.js';
import type { Factory } from './factory.js';
import { LoadFailures } from './load-failures.js';
import {
  endCanaries,
  importanceOf,
  isGone,
  leadsThere,
  letGo,
  type RoutedModel,
  type Target,
  unknownReference,
} from './routed-model.js';
import type { Servable } from './servable.js';
import type { Tallies } from './tallies.js';
import { type TypedService, TypedServices } from './typed-services.js';

const RETRY_MS = 1_000;
const VERSION_PREFIX = /^[0-9a-f]{8,64}$/;
/** Stands for the choice of a contract that has not been made yet. */
const NOT_CHOSEN = '';

/** What is asked of the store. */
export type RoutedStore = Pick<ModelStore, 'watch' | 'state' | 'contract' | 'version' | 'ledger' | 'resolveVersion'>;

/** Where a call goes. */
export interface Route {
  readonly servable: Servable;
  /** The alias that led here; undefined when the caller named a version. */
  readonly aliasName: string | undefined;
}

/** Makes sure that a version answers as quickly as it will later. @throws what its calls would be answered with */
export type WarmUp = (servable: Servable, aliasName: string) => Promise<void>;

export class Router {
  readonly #store: RoutedStore;
  readonly #factory: Factory;
  readonly #choice: ContractChoice;
  readonly #log: Logger;
  readonly #models = new Map<string, RoutedModel>();
  readonly #typed = new TypedServices();
  readonly #following = new Map<string, Promise<void>>();
  readonly #retries = new Map<string, NodeJS.Timeout>();
  readonly #failures: LoadFailures;
  #warmUp: WarmUp = async () => {};
  #watch: Watching | undefined;
  #closed = false;

  constructor(store: RoutedStore, factory: Factory, log: Logger) {
    this.#store = store;
    this.#factory = factory;
    this.#choice = new ContractChoice(store, factory);
    this.#log = log;
    this.#failures = new LoadFailures(log);
    factory.followedBy(
      ({ model, version }) => importanceOf(this.#models.get(model), version),
      (servable) => letGo(this.#models.get(servable.model), servable),
    );
  }

  /** What a version must have done before an alias leads to it. */
  warmBy(warmUp: WarmUp): void {
    this.#warmUp = warmUp;
  }

  /** Follows the store; every model that is there now is known when this resolves. */
  async start(): Promise<void> {
    this.#watch = await this.#store.watch({
      onChange: ({ model }) => this.#follow(model),
      onConnection: (connected) => {
        if (connected) this.#log.info('the store is back');
        else this.#log.warn('the store is away; loaded models go on serving');
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
    return this.#typed.generation;
  }

  /** By name. */
  get services(): ReadonlyMap<string, TypedService> {
    return this.#typed.byName;
  }

  /** Whether the store answers: what others promote is followed. */
  get connected(): boolean {
    return this.#watch?.reachable === true;
  }

  /** Since the store last answered; Infinity before it did. */
  get sinceHeardMs(): number {
    return this.#watch === undefined ? Number.POSITIVE_INFINITY : performance.now() - this.#watch.heardMs;
  }

  /** Models of which the store is known to say something else than what is served, sorted. */
  get lagging(): readonly string[] {
    const own = [...this.#models.values()].filter(({ behind }) => behind).map(({ name }) => name);
    return [...new Set([...own, ...(this.#watch?.behind ?? [])])].sort();
  }

  /** By model: the epoch that is served, and whether its production version answers without a contract. */
  get followed(): ReadonlyMap<string, { readonly epoch: number; readonly uncontracted: boolean }> {
    return new Map(
      [...this.#models.values()].map(({ name, epoch, targets, contract }) => [
        name,
        { epoch, uncontracted: contract === undefined && targets.has(PRODUCTION) },
      ]),
    );
  }

  /** Whether the store has such a model. */
  knows(model: string): boolean {
    return this.#models.has(model);
  }

  /** What every version has answered. */
  get tallies(): Tallies {
    return this.#factory.tallies;
  }

  /** Every model as it is answered for now. */
  get models(): Iterable<Readonly<RoutedModel>> {
    return this.#models.values();
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
    const target = this.#models.get(model)?.targets.get(aliasName),
      canary = target?.canary;
    if (canary === undefined) return target?.servable;
    const servable = canary.takes(routingKey) ? canary.servable : target?.servable;
    // `resolveCall` asks for the same call again.
    if (servable === undefined) canary.takeBack();
    return servable;
  }

  /**
   * An alias's own version, or the one that is named; loaded when it is not yet.
   *
   * @param reference an alias, a version or a unique prefix of one
   * @throws ParleyError NOT_FOUND with the way out, and what loading throws
   */
  async resolve(model: string, reference = PRODUCTION): Promise<Route> {
    const target = this.#models.get(model)?.targets.get(reference);
    if (target !== undefined) return this.#ofAlias(model, target);
    if (VERSION_PREFIX.test(reference)) {
      // A whole digest needs nobody to complete it: a version that is loaded answers while the store is away.
      const version = VERSION_PATTERN.test(reference) ? reference : await this.#store.resolveVersion(model, reference);
      return { servable: await this.#load(model, version, version), aliasName: undefined };
    }
    throw unknownReference(this.#models, model, reference);
  }

  /**
   * What answers the call that `choose` has just had no version for. The version stays loaded until this turn ends.
   *
   * @throws ParleyError as `resolve`
   */
  async resolveCall(model: string, reference = PRODUCTION, routingKey?: Uint8Array): Promise<Route> {
    const target = this.#models.get(model)?.targets.get(reference),
      canary = target?.canary;
    if (canary === undefined || !canary.takes(routingKey)) return this.resolve(model, reference);
    canary.servable ??= await this.#load(model, reference, canary.version);
    return { servable: canary.servable, aliasName: reference };
  }

  async #ofAlias(model: string, target: Target): Promise<Route> {
    target.servable ??= await this.#load(model, target.aliasName, target.version);
    return { servable: target.servable, aliasName: target.aliasName };
  }

  /** For a call, which is answered with what goes wrong. */
  async #load(model: string, reference: string, version: Version): Promise<Servable> {
    const place = `${model} ${reference}`;
    try {
      const servable = await this.#factory.load(model, version);
      this.#failures.forget(place);
      return servable;
    } catch (error) {
      // Whoever asks for what is not there, or while the server stops, is told so, and nobody else.
      const ours = !(error instanceof ParleyError) || !(error.code === 'NOT_FOUND' || error.code === 'SHUTTING_DOWN');
      if (ours)
        this.#failures.tell(place, { model, reference, version }, error, 'a version that is called does not load');
      throw error;
    }
  }

  /** The first typed service of a model's contract: what generic calls are checked against. */
  serviceOf(model: string): TypedService | undefined {
    const contract = this.#models.get(model)?.contract,
      service = contract?.services[0];
    return contract === undefined || service === undefined ? undefined : { contract, service };
  }

  /** How a typed service's methods feed a version. @throws ParleyError CONTRACT_MISMATCH */
  binding(servable: Servable, typed: TypedService): ServiceBinding {
    return this.#typed.binding(servable, typed);
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
      this.#failures.forget(model);
    } catch (error) {
      if (this.#closed) return;
      const again = !(error instanceof ParleyError) || error.retryable;
      this.#failures.tell(model, { model }, error, `a change could not be taken up${again ? '; trying again' : ''}`);
      if (again) this.#retry(model);
    }
  }

  #routed(name: string): RoutedModel {
    let routed = this.#models.get(name);
    if (routed === undefined) {
      routed = { name, epoch: 0, behind: false, targets: new Map(), chosenFor: NOT_CHOSEN, contract: undefined };
      this.#models.set(name, routed);
    }
    return routed;
  }

  #forget(model: string): void {
    if (!this.#models.delete(model)) return;
    const shadowing = this.#factory.shadowingOf(model);
    shadowing.active?.end();
    shadowing.active = undefined;
    this.#typed.publish(this.#models.values());
    this.#log.warn({ model }, 'the model is gone from the store');
  }

  /** Aliases come first: a contract that this release cannot read must not hold up a rollback. */
  async #followState(routed: RoutedModel, state: ModelState): Promise<void> {
    const names = new Set(state.aliases.map((alias) => alias.aliasName));
    for (const name of routed.targets.keys()) if (!names.has(name)) routed.targets.delete(name);
    routed.behind = true;
    for (const pointer of state.aliases) await this.#followAlias(routed, state, pointer);
    endCanaries(routed, state);
    try {
      (await this.#choose(routed, state, routed.targets.get(PRODUCTION)?.version))?.();
    } finally {
      for (const pointer of state.aliases) await this.#beginCanary(routed, pointer);
    }
    this.#followShadow(routed);
    routed.epoch = state.epoch;
    routed.behind = state.aliases.some((pointer) => !leadsThere(routed, pointer));
  }

  /** The old version stays loaded until the new one has taken over. */
  async #followAlias(routed: RoutedModel, state: ModelState, { aliasName, version }: AliasPointer): Promise<void> {
    const current = routed.targets.get(aliasName),
      place = `${routed.name} ${aliasName}`;
    if (current?.version === version) {
      this.#failures.forget(place);
      return;
    }
    const old = current?.servable;
    old?.users.enter();
    let next: Servable | undefined;
    try {
      next = this.#factory.loaded(routed.name, version);
      next?.users.enter();
      if (old !== undefined || current?.hasAnswered) {
        const ready = await this.#prepare(routed.name, aliasName, version);
        if (ready === undefined) return;
        if (next === undefined) (next = ready).users.enter();
      }
      // A version that answers another contract takes over together with it, in one step.
      const choose = aliasName === PRODUCTION ? await this.#tryToChoose(routed, state, version) : undefined;
      routed.targets.set(aliasName, { aliasName, version, servable: next, canary: undefined });
      choose?.();
      this.#log.info({ model: routed.name, alias: aliasName, version }, 'alias follows');
    } finally {
      old?.users.leave();
      next?.users.leave();
    }
  }

  /** Gives the alias's canary its share, once both versions are loaded. */
  async #beginCanary(routed: RoutedModel, { aliasName, version, canary }: AliasPointer): Promise<void> {
    const target = routed.targets.get(aliasName);
    if (canary === undefined || target?.version !== version) return;
    if (target.canary?.version === canary.version && target.canary.weight === canary.weight) return;
    target.servable ??= await this.#prepare(routed.name, aliasName, version);
    const own = target.servable;
    own?.users.enter();
    const servable = own && (await this.#prepare(routed.name, aliasName, canary.version));
    own?.users.leave();
    if (servable === undefined) return;
    const told = { model: routed.name, alias: aliasName, version, canary: canary.version, weight: canary.weight };
    if (aliasName === PRODUCTION && !this.#typed.fits(routed.contract, servable)) {
      this.#log.warn(told, 'the canary does not fit the contract that callers are answered by; it takes no calls');
      return;
    }
    target.canary = new RunningCanary(canary, servable);
    this.#log.info(told, 'canary takes its share');
  }

  /** The alias `shadow` is asked what production answers; it needs no production to be loaded, nor to be there yet. */
  #followShadow({ name, targets }: RoutedModel): void {
    const shadowing = this.#factory.shadowingOf(name),
      version = targets.get(SHADOW)?.version;
    if (shadowing.active?.version === version) return;
    shadowing.active?.end();
    shadowing.active =
      version === undefined
        ? undefined
        : this.#factory.shadowOn(name, version, shadowing, this.#log, (asked) => {
            const target = targets.get(PRODUCTION);
            return target?.version === asked || target?.canary?.version === asked;
          });
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
      if (target?.canary !== undefined) {
        const { servable } = target.canary;
        // One that is not loaded now is begun again, which finds out.
        if (servable === undefined || !this.#typed.fits(routed.contract, servable)) target.canary = undefined;
      }
      const told = { model: routed.name, contract: contract?.fingerprint, version: production };
      if (behind !== undefined)
        this.#log.warn(
          { ...told, inForce: contractFingerprint, reason: behind.message },
          'the version in production does not fit the contract in force; callers are answered by the contract that it was accepted under, until a version that fits is promoted',
        );
      if (contract?.fingerprint === before) return;
      this.#typed.publish(this.#models.values());
      this.#log.info({ ...told, services: contract?.services.map(({ name }) => name) }, 'contract in service');
    };
  }

  /** Loads and warms what is to take over; undefined when that fails and the old version must go on. */
  async #prepare(model: string, aliasName: string, version: Version): Promise<Servable | undefined> {
    const place = `${model} ${aliasName}`;
    try {
      const servable = await this.#factory.load(model, version);
      await this.#warmUp(servable, aliasName);
      this.#failures.forget(place);
      // The warm-up took its turn.
      servable.users.enterForThisTurn();
      return servable;
    } catch (error) {
      const told = { model, alias: aliasName, version };
      this.#failures.tell(place, told, error, 'the new version does not load; the old one goes on serving');
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
