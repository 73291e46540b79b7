/** The typed services that can be called now, and how their methods feed the versions that answer them. */
import { bindService, type ServiceBinding } from '../contract/bind.js';
import type { Contract, ContractService } from '../contract/contract.js';
import { ParleyError } from '../errors.js';
import type { RoutedModel } from './routed-model.js';
import type { Servable } from './servable.js';

/** A typed service that can be called now. */
export interface TypedService {
  readonly contract: Contract;
  readonly service: ContractService;
}

export class TypedServices {
  readonly #bindings = new WeakMap<Servable, Map<string, ServiceBinding>>();
  #services: ReadonlyMap<string, TypedService> = new Map();
  #generation = 0;

  /** Grows whenever `byName` changes. */
  get generation(): number {
    return this.#generation;
  }

  get byName(): ReadonlyMap<string, TypedService> {
    return this.#services;
  }

  /** Takes what the models' contracts promise now. */
  publish(models: Iterable<RoutedModel>): void {
    const services = new Map<string, TypedService>();
    for (const { contract } of [...models].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      for (const service of contract?.services ?? [])
        if (!services.has(service.name)) services.set(service.name, { contract: contract!, service });
    }
    this.#services = services;
    this.#generation++;
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

  /** Whether a version can answer every typed service of a contract. */
  fits(contract: Contract | undefined, servable: Servable): boolean {
    try {
      for (const service of contract?.services ?? []) this.binding(servable, { contract: contract!, service });
      return true;
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'CONTRACT_MISMATCH') return false;
      throw error;
    }
  }
}
