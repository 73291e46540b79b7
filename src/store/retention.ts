/** What becomes of versions that are no longer wanted: retired, they stay on the record; pruned, they are gone. */
import { conflict, internal, invalidInput } from '../errors.js';
import type { PruneVersion, RetireVersion } from '../model/store-port.js';
import type { LedgerEntry } from '../model/version.js';
import { checkModel, checkVersion, type StoreContext } from './context.js';
import { type Ledger, written } from './ledger.js';
import { noVersion } from './versions.js';

export class Retention {
  constructor(
    private readonly context: StoreContext,
    private readonly ledger: Ledger,
  ) {}

  /** A version that is retired already stays so, and the line that retired it is told. */
  async retire(request: RetireVersion): Promise<LedgerEntry> {
    const { model, version } = request;
    checkModel(model);
    checkVersion(version);
    const { changes, keys, environment } = this.context;
    const [outcome, ...details] = await changes.ask(
      (redis) =>
        redis.retireVersion(
          keys.aliases(model),
          keys.canaries(model),
          keys.versions(model),
          keys.ensembles(model),
          keys.version(model, version),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          version,
          request.actor,
          request.reason ?? '',
          environment,
        ),
      { change: keys.mark(model) },
    );
    switch (outcome) {
      case 'OK':
        return written(entryOf(request, 'retire', details), environment);
      case 'SAME':
        return this.lineThatRetired(request);
      case 'NO_VERSION':
        throw noVersion(model, version);
      case 'IN_USE':
        throw conflict(
          `version ${version} of model "${model}" cannot be retired: alias "${details[0]}" leads to it; promote another ` +
            'version there, or end its canary, first',
        );
      case 'MEMBER':
        throw conflict(
          `version ${version} of model "${model}" cannot be retired: the ensemble ${details[0]} is made of it; retire the ` +
            'ensemble first',
        );
      default:
        throw internal(`retireVersion answered ${JSON.stringify([outcome, ...details])}`);
    }
  }

  /** @returns undefined where the version is to be kept, or is gone already */
  async prune(request: PruneVersion): Promise<LedgerEntry | undefined> {
    const { model, version, keep } = request;
    checkModel(model);
    checkVersion(version);
    if (!Number.isInteger(keep) || keep < 0)
      throw invalidInput(`${keep} of the newest versions cannot be kept; give a whole number from 0 on`);
    const { changes, keys, environment } = this.context;
    const [outcome, ...details] = await changes.ask(
      (redis) =>
        redis.pruneVersion(
          keys.aliases(model),
          keys.canaries(model),
          keys.versions(model),
          keys.ensembles(model),
          keys.version(model, version),
          keys.blob(model, version),
          keys.verdicts(model),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          version,
          keep,
          request.actor,
          request.reason ?? '',
          environment,
        ),
      // Asking again after a lost reply could find nothing, and would not tell of the version as removed.
      { change: keys.mark(model), repeat: false },
    );
    return outcome === 'OK' ? written(entryOf(request, 'prune', details), environment) : undefined;
  }

  private async lineThatRetired({ model, version }: RetireVersion): Promise<LedgerEntry> {
    const isIt = (line: LedgerEntry) => line.action === 'retire' && line.version === version;
    const entry = await this.ledger.last(model, isIt);
    if (entry !== undefined) return entry;
    throw internal(`version ${version} of model "${model}" is retired, and no line of its ledger says so`);
  }
}

function entryOf(
  request: RetireVersion,
  action: 'retire' | 'prune',
  [sequence, at]: readonly (string | number)[],
): LedgerEntry {
  return {
    sequence: Number(sequence),
    at: Number(at),
    action,
    version: request.version,
    actor: request.actor,
    ...(request.reason ? { reason: request.reason } : {}),
  };
}
