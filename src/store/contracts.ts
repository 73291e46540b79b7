/** Contracts with their fixtures, and the verdicts on versions that were judged by them. */
import { invalidInput, modelBroken, notFound } from '../errors.js';
import { digestOf, streamOf, wholeOf } from '../model/byte-stream.js';
import type { Change, ContractRecord } from '../model/store-port.js';
import type { Verdict, Version } from '../model/version.js';
import { checkModel, checkVersion, type StoreContext } from './context.js';
import { verdictField } from './keys.js';
import { lostParts, PART_BYTES, partCount, readParts, withStaging } from './parts.js';
import { contractToFields, type Fields, verdictToValue } from './records.js';
import { noVersion } from './versions.js';

export interface PublishContract extends Change {
  readonly model: string;
  readonly contract: ContractRecord;
  readonly fixtures?: Uint8Array;
}

export class Contracts {
  constructor(private readonly context: StoreContext) {}

  async publish(request: PublishContract): Promise<void> {
    await checkPublication(request);
    const { model, fixtures } = request;
    const { changes, keys } = this.context;
    // Before the contract itself: a crash in between leaves a name without a contract, which readers pass over.
    await changes.ask((redis) => redis.sadd(keys.models, model), { change: keys.modelsMark });
    if (fixtures === undefined) return this.runScript(request, keys.staging(model, 'none'), 0);
    await withStaging(this.context, model, streamOf(fixtures), (key) =>
      this.runScript(request, key, partCount(fixtures.length)),
    );
  }

  /** The contract in force, or the one with this fingerprint. */
  async find(model: string, fingerprint?: string): Promise<ContractRecord | undefined> {
    checkModel(model);
    const { commands, keys, records } = this.context;
    const wanted =
      fingerprint ?? (await commands.ask((redis) => redis.hget(keys.contractInForce(model), 'fingerprint')));
    if (wanted === null) return undefined;
    const key = keys.contract(model, wanted);
    const fields: Fields = await commands.ask((redis) => redis.hgetallBuffer(key));
    return Object.keys(fields).length === 0 ? undefined : records.contract(key, wanted, fields);
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

  async verdict(model: string, version: Version, contract: string, fixtures: string): Promise<Verdict | undefined> {
    checkModel(model);
    checkVersion(version);
    const key = this.context.keys.verdicts(model);
    const field = verdictField(version, contract, fixtures);
    const value = await this.context.commands.ask((redis) => redis.hgetBuffer(key, field));
    return value === null ? undefined : this.context.records.verdict(key, value);
  }

  private async runScript(request: PublishContract, stagingKey: string, parts: number): Promise<void> {
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
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          fingerprint,
          fixtureFingerprint,
          parts,
          request.actor,
          request.reason ?? '',
          environment,
          ...contractToFields(contract),
        ),
      { change: keys.mark(model) },
    );
    if (outcome === 'OK' || outcome === 'SAME') return;
    const what = `the fixtures ${fixtureFingerprint} of model "${model}"`;
    if (parts > 0) throw lostParts(what, detail ?? 0);
    throw notFound(`${what} are not in the store, and were not sent along; publish the contract with its fixtures`);
  }
}

async function checkPublication({ model, contract, fixtures }: PublishContract): Promise<void> {
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
