/** A program's way to one server: a few connections, and everything that can be asked over them. */
import type { Contract } from '../contract/contract.js';
import { invalidInput, notFound } from '../errors.js';
import {
  type Description,
  describeCall,
  type Label,
  type Ping,
  type Prediction,
  type PredictRequest,
  pingCall,
  predictCall,
  type RecordedLabels,
  recordLabelsCall,
} from '../rpc/client/generic-calls.js';
import { Caller, type ClientStats } from './caller.js';
import { type ContractMethods, type ContractServices, contractOf, negotiate, servicesOf } from './contract-services.js';
import { type CallOptions, type ClientOptions, settingsOf } from './options.js';
import { type StubMethods, type Stubs, stubMethods } from './stub-services.js';

export class Parley {
  readonly #caller: Caller;
  readonly #services: ContractServices;

  private constructor(caller: Caller, services: ContractServices) {
    this.#caller = caller;
    this.#services = services;
    // What is called like something here is reached by `service`.
    for (const [name, methods] of Object.entries(services))
      if (!(name in this)) Object.defineProperty(this, name, { value: methods, enumerable: true });
  }

  /** @throws ParleyError when the server cannot be reached, does not keep the contract, or the options are wrong */
  static async open(address: string, options: ClientOptions): Promise<Parley> {
    const contract = options.contract === undefined ? undefined : contractOf(options.contract);
    if (options.negotiate && contract === undefined)
      throw invalidInput(
        'negotiate: there is nothing to ask about; name the contract too: { contract: "FILE.thrift" }',
      );
    const caller = new Caller(settingsOf(address, options), async (ask) => {
      if (options.negotiate) await negotiate(contract!, ask);
    });
    await caller.open();
    return new Parley(caller, servicesFor(contract, caller));
  }

  /**
   * A service of the contract, by its name: `Penguins`.
   *
   * @throws ParleyError NOT_FOUND
   */
  service(name: string): ContractMethods {
    const found = this.#services[name.charAt(0).toLowerCase() + name.slice(1)];
    if (found !== undefined) return found;
    const there = Object.keys(this.#services).join(', ');
    throw notFound(
      `there is no service "${name}"${there === '' ? '; connect with { contract: "FILE.thrift" }' : `; the contract has ${there}`}`,
    );
  }

  /**
   * The methods of generated stubs, a contract's or those of parley.thrift.
   *
   * @param service what the server knows the service by, where the stubs do not say it
   */
  of<Client>(stubs: Stubs<Client>, service?: string): StubMethods<Client> {
    return stubMethods(stubs, this.#caller, service);
  }

  ping(options?: CallOptions): Promise<Ping> {
    return this.#caller.run(pingCall(), options);
  }

  /** Answers of any model, with a contract or without: tensors in, tensors out. */
  async predict(request: PredictRequest, options?: CallOptions): Promise<Prediction> {
    return this.#caller.run(predictCall(request), options);
  }

  /** What a model takes and gives. @param reference an alias or a version; `production` when absent */
  describe(model: string, reference?: string, options?: CallOptions): Promise<Description> {
    return this.#caller.run(describeCall(model, reference), options);
  }

  /** Tells the truth about earlier answers. */
  recordLabels(model: string, labels: readonly Label[], options?: CallOptions): Promise<RecordedLabels> {
    return this.#caller.run(recordLabelsCall(model, labels), options);
  }

  get stats(): ClientStats {
    return this.#caller.stats;
  }

  /** Ends the connections; calls under way are rejected with SHUTTING_DOWN. */
  close(): void {
    this.#caller.close();
  }
}

const servicesFor = (contract: Contract | undefined, caller: Caller): ContractServices =>
  contract === undefined ? {} : servicesOf(contract, caller);
