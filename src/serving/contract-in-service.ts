/**
 * Which contract a model's callers are answered by.
 *
 * The one in force, where the version in production fits it. Else the one that this version was accepted under: callers
 * keep the answers that they have until a version that fits the new contract is promoted.
 */
import { bindService } from '../contract/bind.js';
import type { Contract } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import { ParleyError } from '../errors.js';
import type { ModelStore } from '../model/store-port.js';
import { PRODUCTION, type Version } from '../model/version.js';
import type { Factory } from './factory.js';

/** Contracts that are kept as they were parsed, which holds the event loop for milliseconds. */
const MOST_PARSED = 64;
/** How far back the alias's moves are searched. */
const LINES = 100;

export interface ContractInService {
  readonly contract: Contract | undefined;
  /** Why it is not the one in force. */
  readonly behind?: ParleyError;
}

export class ContractChoice {
  readonly #parsed = new Map<string, Contract>();

  constructor(
    private readonly store: Pick<ModelStore, 'contract' | 'version' | 'ledger'>,
    private readonly factory: Pick<Factory, 'load'>,
  ) {}

  /**
   * @param inForce fingerprint of the contract in force, if the model has one
   * @param production the version that is to answer, if there is one
   * @throws ParleyError STORE_UNAVAILABLE; INVALID_INPUT for a contract that this release cannot read
   */
  async choose(
    model: string,
    inForce: string | undefined,
    production: Version | undefined,
  ): Promise<ContractInService> {
    if (inForce === undefined) return { contract: undefined };
    const contract = await this.read(model, inForce);
    if (contract === undefined || production === undefined) return { contract };
    const earlier = await this.promised(model, production, inForce);
    // Nothing needs to be loaded to know that a version fits what it was published for or accepted under.
    if (earlier === undefined || earlier === inForce) return { contract };
    const behind = await this.misfit(contract, model, production);
    if (behind === undefined) return { contract };
    const kept = await this.read(model, earlier);
    return kept === undefined || (await this.misfit(kept, model, production)) !== undefined
      ? { contract }
      : { contract: kept, behind };
  }

  private async read(model: string, fingerprint: string): Promise<Contract | undefined> {
    const key = `${model} ${fingerprint}`,
      known = this.#parsed.get(key);
    if (known !== undefined) return known;
    const record = await this.store.contract(model, fingerprint);
    if (record === undefined) return undefined;
    const contract = parseContract({ file: `${model}.thrift`, idl: record.idl, includes: record.includes });
    if (this.#parsed.size >= MOST_PARSED) this.#parsed.clear();
    this.#parsed.set(key, contract);
    return contract;
  }

  /**
   * Fingerprint of the contract that the version keeps for sure: `wanted` where that is known, else the one whose gate it
   * passed last on its way to production, else the one that it was published for.
   */
  private async promised(model: string, version: Version, wanted: string): Promise<string | undefined> {
    const published = (await this.store.version(model, version))?.contractFingerprint;
    if (published === wanted) return wanted;
    const lines = await this.store.ledger(model, { aliasName: PRODUCTION, limit: LINES });
    const passed = lines.find((line) => line.version === version && line.contractFingerprint !== undefined);
    return passed?.contractFingerprint ?? published;
  }

  /** Undefined where the version fits, and where it does not load: no contract can be answered then. */
  private async misfit(contract: Contract, model: string, version: Version): Promise<ParleyError | undefined> {
    const servable = await this.factory.load(model, version).catch((error: unknown) => {
      if (error instanceof ParleyError && !error.retryable) return undefined;
      throw error;
    });
    if (servable === undefined) return undefined;
    try {
      for (const service of contract.services) bindService(contract, service.name, servable);
      return undefined;
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'CONTRACT_MISMATCH') return error;
      throw error;
    }
  }
}
