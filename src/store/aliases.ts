/** Aliases: what they point at, how they move, and what they pointed at before. */
import { internal } from '../errors.js';
import type { ModelState, MoveAlias } from '../model/store-port.js';
import type { AliasPointer, AliasState, LedgerEntry, Version } from '../model/version.js';
import { aliasRefusal, gateOf } from './alias-refusals.js';
import { canaryOf } from './canaries.js';
import { checkAlias, checkModel, checkVersion, type StoreContext } from './context.js';
import { type Ledger, written } from './ledger.js';

export class Aliases {
  constructor(
    private readonly context: StoreContext,
    private readonly ledger: Ledger,
  ) {}

  /** All that routes calls, at one moment. */
  async state(model: string): Promise<ModelState> {
    checkModel(model);
    const { commands, keys } = this.context;
    const reply = await commands.ask((redis) =>
      redis.readState(
        keys.aliases(model),
        keys.canaries(model),
        keys.holds(model),
        keys.epoch(model),
        keys.contractInForce(model),
      ),
    );
    const [epoch, fingerprint, ...fields] = reply.map(String);
    const aliases: AliasPointer[] = [];
    for (let i = 0; i + 3 < fields.length; i += 4) aliases.push(pointerOf(fields.slice(i, i + 4)));
    aliases.sort((a, b) => (a.aliasName < b.aliasName ? -1 : 1));
    return { model, epoch: Number(epoch), aliases, ...(fingerprint ? { contractFingerprint: fingerprint } : {}) };
  }

  /** All that can be said of each alias. */
  async list(model: string): Promise<readonly AliasState[]> {
    const { aliases, epoch } = await this.state(model);
    const changes = await this.ledger.lastOfAliases(
      model,
      aliases.map(({ aliasName }) => aliasName),
      epoch,
    );
    return aliases.map(({ holdSequence, ...pointer }) => {
      const lastChange = changes.get(pointer.aliasName);
      return { ...pointer, held: holdSequence !== undefined, ...(lastChange === undefined ? {} : { lastChange }) };
    });
  }

  async trail(model: string, aliasName: string): Promise<readonly Version[]> {
    checkModel(model);
    checkAlias(aliasName);
    return this.context.commands.ask((redis) => redis.lrange(this.context.keys.trail(model, aliasName), 0, -1));
  }

  async move(request: MoveAlias): Promise<LedgerEntry> {
    checkModel(request.model);
    checkAlias(request.aliasName);
    checkVersion(request.version);
    if (typeof request.expected === 'string') checkVersion(request.expected);
    const reply = (await this.runScript(request)).map(String);
    const [outcome, ...details] = reply;
    if (outcome === 'OK') return written(entryOf(request, details), this.context.environment);
    if (outcome === 'SAME') return this.lastMove(request);
    throw await aliasRefusal(request, reply, this.ledger);
  }

  private runScript(request: MoveAlias): Promise<(string | number)[]> {
    const { changes, keys, environment } = this.context;
    const { model, aliasName, version, gate } = request;
    return changes.ask(
      (redis) =>
        redis.moveAlias(
          keys.aliases(model),
          keys.canaries(model),
          keys.holds(model),
          keys.trail(model, aliasName),
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
          request.action,
          request.expected === undefined ? '' : (request.expected ?? 'none'),
          gateOf(request),
          gate?.contractFingerprint ?? '',
          gate?.fixtureFingerprint ?? '',
          request.actor,
          request.reason ?? '',
          environment,
        ),
      // Asking again after a lost reply could meet our own change and call it a conflict.
      { change: keys.mark(model), repeat: false },
    );
  }

  private async lastMove({ model, aliasName, version }: MoveAlias): Promise<LedgerEntry> {
    const isIt = (line: LedgerEntry) => isMove(line) && line.aliasName === aliasName && line.version === version;
    const entry = await this.ledger.last(model, isIt);
    if (entry !== undefined) return entry;
    throw internal(`alias "${aliasName}" of model "${model}" points at ${version}, and no line of its ledger says so`);
  }
}

const isMove = ({ action }: LedgerEntry): boolean => action === 'promote' || action === 'rollback';

/** @param fields alias, version, canary, line that holds it, as `readState` replies them */
function pointerOf([aliasName, version, canaryText = '', hold]: readonly string[]): AliasPointer {
  const canary = canaryOf(canaryText);
  return {
    aliasName: aliasName!,
    version: version!,
    ...(canary === undefined ? {} : { canary }),
    ...(hold ? { holdSequence: Number(hold) } : {}),
  };
}

function entryOf(request: MoveAlias, [sequence, at, previous, earlier]: readonly string[]): LedgerEntry {
  return {
    sequence: Number(sequence),
    at: Number(at),
    action: request.action,
    aliasName: request.aliasName,
    version: request.version,
    ...(previous ? { previousVersion: previous } : {}),
    actor: request.actor,
    ...(request.reason ? { reason: request.reason } : {}),
    ...(request.gate ?? {}),
    ...(earlier ? { previousContractFingerprint: earlier } : {}),
  };
}
