/** A model as it is at one moment, to be written elsewhere. */
import { conflict, notFound } from '../errors.js';
import type { ModelSnapshot } from '../model/archive-port.js';
import type { ContractRecord, ModelState, VersionRecord } from '../model/store-port.js';
import type { LedgerEntry, Verdict, Version } from '../model/version.js';
import type { Aliases } from './aliases.js';
import { replies } from './connection.js';
import { checkModel, type StoreContext } from './context.js';
import type { Contracts } from './contracts.js';
import type { Versions } from './versions.js';

const LINES_A_PAGE = 500;
const TRIES = 5;

export class Snapshots {
  constructor(
    private readonly context: StoreContext,
    private readonly versions: Versions,
    private readonly contracts: Contracts,
    private readonly aliases: Aliases,
  ) {}

  /** Read again while the model changes under the reader's hands; CONFLICT when that does not end. */
  async read(model: string): Promise<ModelSnapshot> {
    checkModel(model);
    for (let tries = 0; tries < TRIES; tries++) {
      const state = await this.aliases.state(model);
      if (state.epoch === 0)
        throw notFound(`there is no model "${model}" in this store; "parley versions" lists what there is`);
      const snapshot = await this.readOnce(model, state);
      if ((await this.aliases.state(model)).epoch === state.epoch) return snapshot;
    }
    throw conflict(`model "${model}" is being changed faster than it can be read; try again`);
  }

  /** Oldest first, up to line `last`, in pages. */
  async *ledger(model: string, last: number): AsyncGenerator<readonly LedgerEntry[]> {
    const { commands, keys, records } = this.context;
    const key = keys.ledger(model);
    for (let first = 1; first <= last; first += LINES_A_PAGE) {
      const to = Math.min(last, first + LINES_A_PAGE - 1);
      const page = await commands.ask((redis) => redis.xrange(key, `${first}-0`, `${to}-0`));
      yield page.map(([id, fields]) => records.ledgerEntry(key, id, fields));
    }
  }

  private async readOnce(model: string, state: ModelState): Promise<ModelSnapshot> {
    const { epoch } = state;
    const [newestFirst, sequences, verdicts] = [
      await this.versions.list(model),
      await this.sequences(model),
      await this.verdicts(model),
    ];
    const versions = [...newestFirst]
      .reverse()
      .map((record) => ({ ...record, sequence: sequences.get(record.version)! }));
    const contracts = await this.contractsOf(model, epoch, versions, state.contractFingerprint);
    const aliases = [];
    for (const pointer of state.aliases)
      aliases.push({ ...pointer, trail: await this.aliases.trail(model, pointer.aliasName) });
    const testedAs = (await this.contracts.find(model))?.testedAs;
    return {
      model,
      epoch,
      aliases,
      versions,
      verdicts,
      contracts,
      fixtures: await this.fixturesOf(model, contracts, verdicts),
      runs: await this.runs(model, versions),
      ...(state.contractFingerprint === undefined ? {} : { contractFingerprint: state.contractFingerprint }),
      ...(testedAs === undefined ? {} : { testedAs }),
    };
  }

  private async sequences(model: string): Promise<ReadonlyMap<Version, number>> {
    const { commands, keys } = this.context;
    const flat = await commands.ask((redis) => redis.zrange(keys.versions(model), '0', '-1', 'WITHSCORES'));
    return new Map(Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, Number(flat[2 * i + 1])]));
  }

  private async verdicts(model: string): Promise<ModelSnapshot['verdicts']> {
    const { commands, keys, records } = this.context;
    const key = keys.verdicts(model);
    const fields = await commands.ask((redis) => redis.hgetallBuffer(key));
    return Object.entries(fields)
      .map(([field, value]) => ({ version: field.split(':')[0]!, verdict: records.verdict(key, value) }))
      .sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  }

  /** Every contract that a version, a line of the ledger or the model itself names, and that is still there. */
  private async contractsOf(
    model: string,
    epoch: number,
    versions: readonly VersionRecord[],
    inForce: string | undefined,
  ): Promise<readonly ContractRecord[]> {
    const named = new Set([inForce, ...versions.map(({ contractFingerprint }) => contractFingerprint)]);
    for await (const page of this.ledger(model, epoch))
      for (const { contractFingerprint } of page) named.add(contractFingerprint);
    const found: ContractRecord[] = [];
    for (const fingerprint of [...named].filter((each) => each !== undefined).sort()) {
      const contract = await this.contracts.find(model, fingerprint);
      if (contract !== undefined) found.push(contract);
    }
    return found;
  }

  private async fixturesOf(
    model: string,
    contracts: readonly ContractRecord[],
    verdicts: ModelSnapshot['verdicts'],
  ): Promise<readonly string[]> {
    const { commands, keys } = this.context;
    const named = new Set([
      ...contracts.map(({ fixtureFingerprint }) => fixtureFingerprint),
      ...verdicts.map(({ verdict }) => verdict.fixtureFingerprint),
    ]);
    const there: string[] = [];
    for (const fingerprint of [...named].filter((each) => each !== undefined).sort())
      if ((await commands.ask((redis) => redis.exists(keys.fixtures(model, fingerprint)))) === 1)
        there.push(fingerprint);
    return there;
  }

  private async runs(model: string, versions: readonly VersionRecord[]): Promise<ModelSnapshot['runs']> {
    const { commands, keys } = this.context;
    const ids = [...new Set(versions.map(({ runId }) => runId))].filter((runId) => runId !== undefined).sort();
    const texts = await commands.ask((redis) => {
      const pipeline = redis.pipeline();
      for (const runId of ids) pipeline.get(keys.run(model, runId));
      return replies(pipeline);
    });
    return ids.flatMap((runId, i) => (texts[i] === null ? [] : [{ runId, configurationJson: String(texts[i]) }]));
  }
}

const placeOf = ({ version, verdict }: { version: Version; verdict: Verdict }): string =>
  `${version}:${verdict.contractFingerprint}:${verdict.fixtureFingerprint}`;
