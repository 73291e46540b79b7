/** Contracts with their fixtures, and the verdicts on versions that were judged by them. */
import { conflict, invalidInput, modelBroken, notFound, permissionDenied } from '../errors.js';
import { digestOf, streamOf, wholeOf } from '../model/byte-stream.js';
import type { AgreeContract, Change, ContractRecord, PublishContract } from '../model/store-port.js';
import type { Verdict, Version } from '../model/version.js';
import { checkModel, checkVersion, type StoreContext } from './context.js';
import { verdictField } from './keys.js';
import { lostParts, PART_BYTES, partCount, readParts, withStaging } from './parts.js';
import { contractToFields, type Fields, verdictToValue } from './records.js';
import { noVersion } from './versions.js';

export class Contracts {
  constructor(private readonly context: StoreContext) {}

  async publish(request: PublishContract): Promise<void> {
    await checkPublication(request);
    const { model, fixtures } = request;
    const { changes, keys } = this.context;
    // Before the contract itself: a crash in between leaves a name without a contract, which readers pass over.
    await changes.ask((redis) => redis.sadd(keys.models, model), { change: keys.modelsMark });
    if (fixtures === undefined) return this.runScript('publish', request, keys.staging(model, 'none'), 0);
    await withStaging(this.context, model, streamOf(fixtures), (key) =>
      this.runScript('publish', request, key, partCount(fixtures.length)),
    );
  }

  /** Its fixtures came with the proposal. */
  async agree(request: AgreeContract): Promise<void> {
    checkModel(request.model);
    await this.runScript('agree', request, this.context.keys.staging(request.model, 'none'), 0);
  }

  /** The contract in force, or the one with this fingerprint. */
  async find(model: string, fingerprint?: string): Promise<ContractRecord | undefined> {
    checkModel(model);
    const { commands, keys, records } = this.context;
    const [wanted, testedAs] =
      fingerprint === undefined
        ? await commands.ask((redis) => redis.hmget(keys.contractInForce(model), 'fingerprint', 'testedAs'))
        : [fingerprint];
    if (wanted == null) return undefined;
    const key = keys.contract(model, wanted);
    const fields: Fields = await commands.ask((redis) => redis.hgetallBuffer(key));
    if (Object.keys(fields).length === 0) return undefined;
    return { ...records.contract(key, wanted, fields), ...(testedAs ? { testedAs: testedAs.split(' ') } : {}) };
  }

  async fixtures(model: string, fixtureFingerprint: string): Promise<Buffer> {
    checkModel(model);
    const key = this.context.keys.fixtures(model, fixtureFingerprint);
    const what = `the fixtures ${fixtureFingerprint} of model "${model}"`;
    const parts = await this.context.commands.ask((redis) => redis.hlen(key));
    if (parts === 0) throw notFound(`${what} are not in the store; publish the contract with its fixtures again`);
    const last = await this.context.commands.ask((redis) => redis.hstrlen(key, String(parts - 1)));
    const sizeBytes = (parts - 1) * PART_BYTES + last;
    const bytes = await wholeOf({ sizeBytes, parts: () => readParts(this.context, key, sizeBytes, what) });
    const digest = digestOf(bytes);
    if (digest === fixtureFingerprint) return bytes;
    throw modelBroken(`${what} are damaged: the stored bytes have the digest ${digest}; publish them again`);
  }

  async recordVerdict(request: Change & { model: string; version: Version; verdict: Verdict }): Promise<void> {
    const { model, version, verdict } = request;
    checkModel(model);
    checkVersion(version);
    const { changes, keys, environment } = this.context;
    const { contractFingerprint, fixtureFingerprint, criteria, fixtureRows } = verdict;
    const [outcome] = await changes.ask(
      (redis) =>
        redis.recordVerdict(
          keys.verdicts(model),
          keys.versions(model),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          version,
          verdictField(version, contractFingerprint, fixtureFingerprint),
          verdictToValue(verdict),
          verdict.accepted ? 'accept' : 'reject',
          contractFingerprint,
          fixtureFingerprint,
          JSON.stringify({ fixtureRows, criteria }),
          request.actor,
          request.reason ?? '',
          environment,
        ),
      { change: keys.mark(model), repeat: false },
    );
    if (outcome !== 'OK') throw noVersion(model, version);
  }

  async verdict(
    model: string,
    version: Version,
    contract: string,
    fixtures: string,
    earlier: readonly string[] = [],
  ): Promise<Verdict | undefined> {
    checkModel(model);
    checkVersion(version);
    const key = this.context.keys.verdicts(model);
    const fields = [contract, ...earlier].map((each) => verdictField(version, each, fixtures));
    const values = await this.context.commands.ask((redis) => redis.hmgetBuffer(key, ...fields));
    const value = values.find((each) => each !== null);
    return value == null ? undefined : this.context.records.verdict(key, value);
  }

  private async runScript(
    how: 'publish' | 'agree',
    request: PublishContract,
    stagingKey: string,
    parts: number,
  ): Promise<void> {
    const { changes, keys, environment } = this.context;
    const { model, contract } = request;
    const { fingerprint, fixtureFingerprint = '' } = contract;
    const [outcome, detail] = await changes.ask(
      (redis) =>
        redis.publishContract(
          stagingKey,
          keys.fixtures(model, fixtureFingerprint),
          keys.contract(model, fingerprint),
          keys.contractInForce(model),
          keys.proposals(model),
          keys.proposal(model, fingerprint),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          fingerprint,
          fixtureFingerprint,
          parts,
          how,
          request.expected === undefined ? '' : (request.expected ?? 'none'),
          request.verdictsStand === true ? '1' : '',
          request.actor,
          request.reason ?? '',
          environment,
          request.evidenceJson ?? '',
          ...contractToFields(contract),
        ),
      { change: keys.mark(model) },
    );
    if (outcome === 'OK' || outcome === 'SAME') return;
    throw publicationRefusal(request, String(outcome), detail, parts);
  }
}

/** Why a contract was neither put in force nor proposed. */
export function publicationRefusal(
  { model, contract, expected }: Pick<PublishContract, 'model' | 'contract' | 'expected'>,
  outcome: string,
  detail: string | number | undefined,
  parts: number,
): Error {
  const { fingerprint, fixtureFingerprint } = contract;
  const proposal = `the proposal ${fingerprint} of model "${model}"`;
  switch (outcome) {
    case 'CONFLICT':
      return conflict(
        `model "${model}": ${detail ? `contract ${detail} is in force` : 'no contract is in force'}, and ${expected ?? 'none'} was when this one was compared; look at it again`,
      );
    case 'NO_PROPOSAL':
      return notFound(`${proposal} is not there; "parley contract proposals ${model}" lists what is`);
    case 'OWN':
      return permissionDenied(`${proposal} is to be agreed to by somebody else than the one who proposed it`);
    default: {
      const what = `the fixtures ${fixtureFingerprint} of model "${model}"`;
      if (parts > 0) return lostParts(what, detail ?? 0);
      return notFound(`${what} are not in the store, and were not sent along; publish the contract with its fixtures`);
    }
  }
}

export async function checkPublication({
  model,
  contract,
  fixtures,
}: Pick<PublishContract, 'model' | 'contract' | 'fixtures'>): Promise<void> {
  checkModel(model);
  if (contract.fingerprint === '') throw invalidInput(`model "${model}": the contract to publish has no fingerprint`);
  if (fixtures === undefined) return;
  if (fixtures.length === 0)
    throw invalidInput(`model "${model}": the fixtures are empty; give rows to judge versions by`);
  const digest = digestOf(fixtures);
  if (digest === contract.fixtureFingerprint) return;
  throw invalidInput(
    `model "${model}": the fixtures have the digest ${digest}, and the contract names ${contract.fixtureFingerprint ?? 'none'}`,
  );
}
