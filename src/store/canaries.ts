/** Canaries: a second version beside an alias's own, with a share of its calls. */
import { internal, invalidInput } from '../errors.js';
import type { SetCanary } from '../model/store-port.js';
import type { Canary, LedgerEntry } from '../model/version.js';
import { aliasRefusal, gateOf } from './alias-refusals.js';
import { checkAlias, checkModel, checkVersion, type StoreContext } from './context.js';
import { type Ledger, written } from './ledger.js';

export class Canaries {
  constructor(
    private readonly context: StoreContext,
    private readonly ledger: Ledger,
  ) {}

  async set(request: SetCanary): Promise<LedgerEntry> {
    check(request);
    const reply = (await this.runScript(request)).map(String);
    const [outcome, ...details] = reply;
    if (outcome === 'OK') return written(entryOf(request, details), this.context.environment);
    if (outcome === 'SAME') return this.lastSetting(request);
    throw await aliasRefusal(request, reply, this.ledger);
  }

  private runScript(request: SetCanary): Promise<(string | number)[]> {
    const { changes, keys, environment } = this.context;
    const { model, aliasName, version, gate } = request;
    return changes.ask(
      (redis) =>
        redis.setCanary(
          keys.aliases(model),
          keys.canaries(model),
          keys.holds(model),
          keys.versions(model),
          keys.version(model, version),
          keys.verdicts(model),
          keys.contractInForce(model),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          aliasName,
          version,
          String(request.weight),
          request.expected ?? '',
          gateOf(request),
          gate?.contractFingerprint ?? '',
          gate?.fixtureFingerprint ?? '',
          request.actor,
          request.reason ?? '',
          environment,
        ),
      // Asking again after a lost reply could meet our own change: an ending would find nothing to end.
      { change: keys.mark(model), repeat: false },
    );
  }

  private async lastSetting({ model, aliasName, version }: SetCanary): Promise<LedgerEntry> {
    const isIt = (line: LedgerEntry) =>
      line.action === 'canary' && line.aliasName === aliasName && line.version === version;
    const entry = await this.ledger.last(model, isIt);
    if (entry !== undefined) return entry;
    throw internal(`${version} is the canary of "${aliasName}" of model "${model}", and no line of its ledger says so`);
  }
}

/** As `canaries` holds it: `<version> <weight>`; '' for none. */
export function canaryOf(text: string): Canary | undefined {
  const [version, weight] = text.split(' ');
  return version && weight ? { version, weight: Number(weight) } : undefined;
}

function check({ model, aliasName, version, weight, expected }: SetCanary): void {
  checkModel(model);
  checkAlias(aliasName);
  checkVersion(version);
  if (expected !== undefined) checkVersion(expected);
  if (weight >= 0 && weight < 1) return;
  throw invalidInput(`a canary's weight is ${weight}; it must be above 0 and below 1, or 0 to end it`);
}

function entryOf(request: SetCanary, [sequence, at, earlier]: readonly string[]): LedgerEntry {
  return {
    sequence: Number(sequence),
    at: Number(at),
    action: request.weight === 0 ? 'canary_end' : 'canary',
    aliasName: request.aliasName,
    version: request.version,
    actor: request.actor,
    ...(request.reason ? { reason: request.reason } : {}),
    canaryWeight: request.weight,
    ...(request.gate ?? {}),
    ...(earlier ? { previousContractFingerprint: earlier } : {}),
  };
}
