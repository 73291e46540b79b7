/** Holds: who keeps an alias where it is. The hold itself stands in the ledger; the key names its line. */
import { conflict } from '../errors.js';
import type { HoldAlias } from '../model/store-port.js';
import type { LedgerEntry } from '../model/version.js';
import { aliasRefusal } from './alias-refusals.js';
import { checkAlias, checkModel, type StoreContext } from './context.js';
import { type Ledger, written } from './ledger.js';

export class Holds {
  constructor(
    private readonly context: StoreContext,
    private readonly ledger: Ledger,
  ) {}

  async change(request: HoldAlias): Promise<LedgerEntry> {
    const { model, aliasName, action } = request;
    checkModel(model);
    checkAlias(aliasName);
    const { changes, keys, environment } = this.context;
    const reply = await changes.ask(
      (redis) =>
        redis.holdAlias(
          keys.aliases(model),
          keys.holds(model),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          aliasName,
          action,
          request.actor,
          request.reason ?? '',
          environment,
        ),
      // Asking again after a lost reply could meet our own hold.
      { change: keys.mark(model), repeat: false },
    );
    const [outcome, sequence, at, version] = reply.map(String);
    if (outcome === 'FREE')
      throw conflict(`alias "${aliasName}" of model "${model}" is not held; nothing is left to do`);
    if (outcome !== 'OK' || version === undefined)
      throw await aliasRefusal({ model, aliasName, version: '' }, reply.map(String), this.ledger);
    const entry: LedgerEntry = {
      sequence: Number(sequence),
      at: Number(at),
      action,
      aliasName,
      version,
      actor: request.actor,
      ...(request.reason ? { reason: request.reason } : {}),
    };
    return written(entry, environment);
  }
}
