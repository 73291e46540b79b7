/**
 * How contracts come into force: published by one, or proposed by one and agreed to by another; never breaking callers of
 * the one in force unnoticed.
 */
import { createHash } from 'node:crypto';
import type { ContractChange } from '../../contract/change.js';
import type { Contract } from '../../contract/contract.js';
import { parseContract } from '../../contract/parse.js';
import { conflict, invalidInput, notFound, permissionDenied } from '../../errors.js';
import type {
  ChosenProposal,
  ContractProposal,
  PublishContract,
  PublishedContract,
} from '../../model/registry-port.js';
import type {
  PublishContract as Change,
  ContractRecord,
  ModelStore,
  ProposedContract,
} from '../../model/store-port.js';
import type { LedgerEntry } from '../../model/version.js';
import { type Comparison, checkAgreement, checkBreaks, compareWith, evidenceOf } from './publication.js';

const FORMATS: readonly string[] = ['csv', 'jsonl', 'parquet'];
const LEAST_PREFIX = 8;

export class Contracts {
  /** @param actor whose name the ledger's lines carry */
  constructor(
    private readonly store: ModelStore,
    private readonly actor: string,
  ) {}

  /** @param fixtures what `request` brings, whole */
  async publish(
    contract: Contract,
    fixtures: Uint8Array | undefined,
    request: PublishContract,
  ): Promise<PublishedContract> {
    const { store, actor } = this,
      { model } = contract,
      { allowBreaking, propose } = request;
    await this.#checkServiceNames(contract);
    const inForce = await store.contract(model);
    const record = recordOf(contract, fixturesOf(request, fixtures, inForce));
    const comparison = compareWith(model, inForce, contract);
    const { before, verdictsStand } = comparison;
    checkBreaks(contract, comparison, allowBreaking);
    const reason = joined(request.reason, allowBreaking);
    const change = {
      model,
      contract: record,
      actor,
      expected: before,
      ...(fixtures === undefined ? {} : { fixtures }),
      ...(reason === undefined ? {} : { reason }),
      ...evidence(comparison),
    };
    if (propose === true) {
      await store.proposeContract({ ...change, ...(allowBreaking === undefined ? {} : { allowBreaking }) });
      return published(model, record, comparison, true);
    }
    if (!isInForce(record, inForce)) checkAgreement(contract, comparison);
    await store.publishContract({ ...change, verdictsStand });
    return published(model, record, comparison);
  }

  async agree({ model, fingerprint, reason, fixtureFingerprint }: ChosenProposal): Promise<PublishedContract> {
    const proposal = await this.#proposal(model, fingerprint);
    checkFixtures(model, proposal, fixtureFingerprint);
    const { proposedBy, contract: record, allowBreaking } = proposal;
    if (proposedBy === this.actor) throw own(model, proposal);
    const contract = contractOf(model, record);
    await this.#checkServiceNames(contract);
    const comparison = compareWith(model, await this.store.contract(model), contract);
    checkCurrent(model, proposal, comparison);
    checkBreaks(contract, comparison, allowBreaking);
    const why = reason === undefined ? proposal.reason : joined(reason, allowBreaking);
    const change: Change = {
      model,
      contract: record,
      actor: this.actor,
      verdictsStand: comparison.verdictsStand,
      ...(why === undefined ? {} : { reason: why }),
      ...evidence(comparison),
    };
    await this.store.agreeContract({ ...change, expected: comparison.before });
    return published(model, record, comparison);
  }

  async withdraw({ model, fingerprint, reason }: ChosenProposal): Promise<LedgerEntry> {
    const { contract } = await this.#proposal(model, fingerprint);
    const change = { model, fingerprint: contract.fingerprint, actor: this.actor };
    return this.store.withdrawContract({ ...change, ...(reason === undefined ? {} : { reason }) });
  }

  /** Oldest first. */
  async proposals(model: string): Promise<readonly ContractProposal[]> {
    const proposals = await this.store.proposedContracts(model);
    return Promise.all(
      proposals.map(async ({ contract, proposedAt, ...proposal }) => {
        const { previousContractFingerprint: earlier } = proposal;
        const before = earlier === undefined ? undefined : await this.store.contract(model, earlier);
        const { fingerprint, services, idl, includes, fixtureFingerprint } = contract;
        return {
          model,
          fingerprint,
          services,
          idl,
          includes,
          ...(fixtureFingerprint === undefined ? {} : { fixtureFingerprint }),
          ...proposal,
          at: proposedAt,
          differences: withoutPlaces(compareWith(model, before, contractOf(model, contract)).differences),
        };
      }),
    );
  }

  async #proposal(model: string, prefix: string): Promise<ProposedContract> {
    const proposals = await this.store.proposedContracts(model);
    const found = proposals.filter(({ contract }) => contract.fingerprint.startsWith(prefix));
    if (prefix.length < LEAST_PREFIX)
      throw invalidInput(`"${prefix}" names no proposal: write ${LEAST_PREFIX} or more characters of its fingerprint`);
    if (found.length > 1)
      throw invalidInput(
        `"${prefix}" begins the fingerprints of ${found.length} proposals of model "${model}"; write more of it`,
      );
    if (found[0] !== undefined) return found[0];
    const there = proposals.map(({ contract }) => contract.fingerprint.slice(0, 12));
    throw notFound(
      `model "${model}" has no proposal "${prefix.slice(0, 64)}"; ${there.length === 0 ? 'there is none: make one with "parley contract publish PROJECT --propose"' : `there are ${there.join(', ')}`}`,
    );
  }

  /** A service's name belongs to one model: callers name services, not models. */
  async #checkServiceNames(contract: Contract): Promise<void> {
    for (const model of await this.store.models()) {
      if (model === contract.model) continue;
      const taken = (await this.store.contract(model))?.services.find((name) =>
        contract.services.some((service) => service.name === name),
      );
      if (taken !== undefined)
        throw conflict(
          `service "${taken}" is already answered by model "${model}"; choose another name for the service`,
        );
    }
  }
}

/** For the ledger's line, which has one. */
function joined(...reasons: readonly (string | undefined)[]): string | undefined {
  const given = [...new Set(reasons)].filter((reason) => reason !== undefined && reason !== '');
  return given.length === 0 ? undefined : given.join('; ');
}

const contractOf = (model: string, { idl, includes }: ContractRecord): Contract =>
  parseContract({ file: `${model}.thrift`, idl, includes });

const recordOf = (
  { fingerprint, idl, includes, services }: Contract,
  fixtures: Pick<ContractRecord, 'fixtureFingerprint' | 'fixturesFormat'>,
): ContractRecord => ({ fingerprint, idl, includes, services: services.map(({ name }) => name), ...fixtures });

const isInForce = (record: ContractRecord, inForce: ContractRecord | undefined): boolean =>
  inForce?.fingerprint === record.fingerprint && inForce.fixtureFingerprint === record.fixtureFingerprint;

function evidence(comparison: Comparison): { evidenceJson?: string } {
  const evidenceJson = evidenceOf(comparison);
  return evidenceJson === undefined ? {} : { evidenceJson };
}

function published(
  model: string,
  { services, fingerprint, fixtureFingerprint }: ContractRecord,
  { before, differences, verdictsStand }: Comparison,
  proposed = false,
): PublishedContract {
  return {
    model,
    services,
    fingerprint,
    ...(fixtureFingerprint === undefined ? {} : { fixtureFingerprint }),
    differences: withoutPlaces(differences),
    ...(proposed ? { proposed } : {}),
    ...(before === null ? {} : { verdictsStand }),
  };
}

/** Places are in texts that whoever is told does not see. */
const withoutPlaces = (differences: readonly ContractChange[]): readonly ContractChange[] =>
  differences.map(({ position: _, ...difference }) => difference);

function own(model: string, { proposedBy, contract }: ProposedContract): Error {
  return permissionDenied(
    `${proposedBy} proposed contract ${contract.fingerprint.slice(0, 12)} of model "${model}", and cannot agree to it as well: that is for somebody else, who shows a token of another name to the server, or is another user of the system`,
  );
}

/** What one has looked at is what one agrees to. */
function checkFixtures(model: string, { contract }: ProposedContract, looked: string | undefined): void {
  if (looked === undefined) return;
  if (looked.length < LEAST_PREFIX)
    throw invalidInput(`"${looked}" names no fixtures: write ${LEAST_PREFIX} or more characters of their fingerprint`);
  const { fixtureFingerprint: there } = contract;
  if (there?.startsWith(looked) === true) return;
  throw conflict(
    `contract ${contract.fingerprint.slice(0, 12)} of model "${model}" is proposed with ${there === undefined ? 'no fixtures' : `fixtures ${there.slice(0, 12)}`} by now, not ${looked.slice(0, 12)}; look at it again`,
  );
}

/** What one has agreed to is the difference that the other has proposed. */
function checkCurrent(
  model: string,
  { contract, previousContractFingerprint }: ProposedContract,
  { before }: Comparison,
): void {
  if (before === (previousContractFingerprint ?? null)) return;
  throw conflict(
    `contract ${contract.fingerprint.slice(0, 12)} of model "${model}" was proposed in place of ${previousContractFingerprint?.slice(0, 12) ?? 'none'}, and ${before?.slice(0, 12) ?? 'none'} is in force by now; propose it again`,
  );
}

/** New fixtures, or those that are in force already. */
function fixturesOf(
  request: PublishContract,
  fixtures: Uint8Array | undefined,
  inForce: ContractRecord | undefined,
): Pick<ContractRecord, 'fixtureFingerprint' | 'fixturesFormat'> {
  if (fixtures !== undefined) {
    if (request.fixturesFormat === undefined || !FORMATS.includes(request.fixturesFormat))
      throw invalidInput(
        `fixtures_format is ${request.fixturesFormat ?? 'missing'}; it must be one of ${FORMATS.join(', ')}`,
      );
    return {
      fixtureFingerprint: createHash('sha256').update(fixtures).digest('hex'),
      fixturesFormat: request.fixturesFormat,
    };
  }
  if (inForce?.fixtureFingerprint === undefined || inForce.fixturesFormat === undefined) return {};
  return { fixtureFingerprint: inForce.fixtureFingerprint, fixturesFormat: inForce.fixturesFormat };
}
