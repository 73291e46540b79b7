/** What comes from another store: staged part by part, then made visible in one step. */
import { conflict, internal, invalidInput } from '../errors.js';
import type { ImportVersion, ModelSnapshot, RestoreModel, Staged, StagedLedger } from '../model/archive-port.js';
import type { LedgerEntry } from '../model/version.js';
import { replies } from './connection.js';
import { checkModel, checkVersion, randomId, type StoreContext } from './context.js';
import { verdictField } from './keys.js';
import { lostParts, partCount, writeParts } from './parts.js';
import { contractToFields, ledgerToFields, recordToFields, verdictToValue, versionToFields } from './records.js';
import { noVersion, retiredVersion } from './versions.js';

/** Long enough for the whole file to arrive behind its first piece. */
const STAGED_SECONDS = 24 * 3600;
/** Keys, or fields and values, that one command takes: Lua's stack has a bound. */
const MOST_ARGUMENTS = 1_000;

type Value = string | number | Buffer;

export class Imports {
  constructor(private readonly context: StoreContext) {}

  async stage(model: string, digest: string, sizeBytes: number, bytes: AsyncIterable<Uint8Array>): Promise<Staged> {
    checkModel(model);
    const key = this.context.keys.staging(model, randomId());
    let received = 0;
    async function* counted() {
      for await (const piece of bytes) {
        received += piece.length;
        yield piece;
      }
    }
    try {
      const found = await writeParts(this.context, key, { sizeBytes, parts: counted }, STAGED_SECONDS);
      if (found !== digest || received !== sizeBytes)
        throw invalidInput(
          `the archive is damaged: ${sizeBytes} bytes of model "${model}" with the digest ${digest} were announced, and ${received} bytes with the digest ${found} came; export it again`,
        );
      return { digest, sizeBytes, key };
    } catch (error) {
      await this.discard([{ key }]);
      throw error;
    }
  }

  async stageLedger(model: string, pages: AsyncIterable<readonly LedgerEntry[]>): Promise<StagedLedger> {
    const key = this.context.keys.staging(model, randomId());
    let lines = 0;
    try {
      for await (const page of pages) {
        for (const entry of page)
          if (entry.sequence !== ++lines)
            throw invalidInput(`the archive is damaged: line ${entry.sequence} of the ledger comes as number ${lines}`);
        await this.context.bulk.ask(
          (redis) => {
            const pipeline = redis.multi();
            for (const entry of page) pipeline.xadd(key, `${entry.sequence}-0`, ...ledgerToFields(entry));
            return replies(pipeline.expire(key, STAGED_SECONDS));
          },
          { repeat: false },
        );
      }
      return { lines, key };
    } catch (error) {
      await this.discard([{ key }]);
      throw error;
    }
  }

  async discard(staged: readonly { readonly key: string }[]): Promise<void> {
    // All of one model. In few commands: each may wait for a Redis that is away.
    for (let at = 0; at < staged.length; at += MOST_ARGUMENTS) {
      const some = staged.slice(at, at + MOST_ARGUMENTS).map(({ key }) => key);
      await this.context.commands.ask((redis) => redis.unlink(...some), { deadlineMs: 200 }).catch(() => {});
    }
  }

  async importVersion(request: ImportVersion): Promise<'imported' | 'verdicts' | 'there'> {
    const { model, staged, verdicts, evidenceJson } = request;
    checkModel(model);
    checkVersion(request.record.version);
    const record = this.context.records.checked(model, request.record);
    const { changes, keys, environment } = this.context;
    await changes.ask((redis) => redis.sadd(keys.models, model), { change: keys.modelsMark });
    const judged = verdicts.flatMap((verdict) => [
      verdictField(record.version, verdict.contractFingerprint, verdict.fixtureFingerprint),
      verdictToValue(verdict),
    ]);
    const [outcome, detail, retiredAt] = await changes.ask(
      (redis) =>
        redis.importVersion(
          staged?.key ?? keys.staging(model, 'none'),
          keys.blob(model, record.version),
          keys.version(model, record.version),
          keys.versions(model),
          keys.ensembles(model),
          keys.run(model, record.runId ?? ''),
          keys.verdicts(model),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          record.version,
          staged === undefined ? 0 : partCount(staged.sizeBytes),
          request.members?.join(' ') ?? '',
          record.runId === undefined ? '' : (request.runConfigurationJson ?? ''),
          request.actor,
          request.reason ?? '',
          environment,
          evidenceJson,
          verdicts.length,
          ...judged,
          ...versionToFields(record),
        ),
      { change: keys.mark(model) },
    );
    switch (outcome) {
      case 'OK':
        return 'imported';
      case 'VERDICTS':
        return 'verdicts';
      case 'THERE':
        return 'there';
      case 'NO_MEMBER':
        throw noVersion(model, String(detail));
      case 'MEMBER_RETIRED':
        throw retiredVersion(model, String(detail), Number(retiredAt));
      case 'INCOMPLETE':
        throw lostParts(`version ${record.version} of model "${model}"`, detail ?? 0);
      default:
        throw internal(`importVersion answered ${JSON.stringify([outcome, detail])}`);
    }
  }

  async restore(request: RestoreModel): Promise<void> {
    const { snapshot, ledger, evidenceJson } = request;
    const { model } = snapshot;
    checkModel(model);
    const { changes, keys, environment } = this.context;
    const plan = this.planOf(request);
    await changes.ask((redis) => redis.sadd(keys.models, model), { change: keys.modelsMark });
    const [outcome, detail] = await changes.ask(
      (redis) =>
        redis.restoreModel(
          plan.keys.length,
          ...plan.keys,
          keys.events,
          model,
          ledger.lines,
          request.actor,
          request.reason ?? '',
          environment,
          evidenceJson,
          ...plan.steps,
        ),
      // Asked again after a lost reply it would meet its own work.
      { change: keys.mark(model), repeat: false },
    );
    if (outcome === 'OK') return;
    if (outcome === 'THERE')
      throw conflict(`model "${model}" has appeared in this store while it was imported; import again to merge`);
    throw lostParts(`model "${model}"`, detail ?? 0);
  }

  private planOf({ snapshot, versions, members, fixtures, ledger }: RestoreModel): Plan {
    const { keys, records } = this.context;
    const { model } = snapshot;
    const plan = new Plan([keys.epoch(model), keys.ledger(model), ledger.key]);
    for (const [version, staged] of versions) plan.move(staged, keys.blob(model, version));
    for (const [fingerprint, staged] of fixtures) plan.move(staged, keys.fixtures(model, fingerprint));
    for (const contract of snapshot.contracts)
      plan.add('HSET', keys.contract(model, contract.fingerprint), contractToFields(contract));
    plan.add('HSET', keys.contractInForce(model), inForceFields(snapshot));
    for (const { runId, configurationJson } of snapshot.runs)
      plan.add('SET', keys.run(model, runId), [configurationJson]);
    for (const { sequence, ...record } of snapshot.versions) {
      plan.add('HSET', keys.version(model, record.version), recordToFields(records.checked(model, record)));
      plan.add('ZADD', keys.versions(model), [sequence, record.version]);
    }
    for (const [version, names] of members) plan.add('HSET', keys.ensembles(model), [version, names.join(' ')]);
    for (const { version, verdict } of snapshot.verdicts)
      plan.add('HSET', keys.verdicts(model), [
        verdictField(version, verdict.contractFingerprint, verdict.fixtureFingerprint),
        verdictToValue(verdict),
      ]);
    for (const { aliasName, version, canary, holdSequence, trail } of snapshot.aliases) {
      plan.add('HSET', keys.aliases(model), [aliasName, version]);
      plan.add('RPUSH', keys.trail(model, aliasName), trail);
      if (canary !== undefined)
        plan.add('HSET', keys.canaries(model), [aliasName, `${canary.version} ${canary.weight}`]);
      if (holdSequence !== undefined) plan.add('HSET', keys.holds(model), [aliasName, holdSequence]);
    }
    return plan;
  }
}

/** The steps of restoreModel.lua, and the keys that they name. */
class Plan {
  readonly steps: Value[] = [];
  readonly #places = new Map<string, number>();

  constructor(readonly keys: string[]) {}

  add(command: 'HSET' | 'ZADD' | 'RPUSH' | 'SET', key: string, values: readonly Value[]): void {
    for (let at = 0; at < values.length; at += MOST_ARGUMENTS)
      this.#step(command, [this.#place(key), ...values.slice(at, at + MOST_ARGUMENTS)]);
  }

  move({ key, sizeBytes }: Staged, target: string): void {
    this.#step('MOVE', [this.#place(key), this.#place(target), partCount(sizeBytes)]);
  }

  #step(command: string, values: readonly Value[]): void {
    this.steps.push(command, values.length, ...values);
  }

  #place(key: string): number {
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.keys.push(key);
    this.#places.set(key, this.keys.length);
    return this.keys.length;
  }
}

function inForceFields({ contracts, contractFingerprint, testedAs = [] }: ModelSnapshot): Value[] {
  const contract = contracts.find(({ fingerprint }) => fingerprint === contractFingerprint);
  if (contract === undefined) return [];
  const { fingerprint, fixtureFingerprint } = contract;
  return [
    'fingerprint',
    fingerprint,
    ...(fixtureFingerprint === undefined ? [] : ['fixtureFingerprint', fixtureFingerprint]),
    ...(testedAs.length === 0 ? [] : ['testedAs', testedAs.join(' ')]),
  ];
}
