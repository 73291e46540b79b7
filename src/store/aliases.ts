/** Aliases: what they point at, how they move, and what they pointed at before. */
import { conflict, internal, invalidInput, notAccepted } from '../errors.js';
import type { ModelState, MoveAlias } from '../model/store-port.js';
import type { AliasState, LedgerEntry, Version } from '../model/version.js';
import { checkAlias, checkModel, checkVersion, type StoreContext } from './context.js';
import { verdictField } from './keys.js';
import type { Ledger } from './ledger.js';
import { noVersion } from './versions.js';

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
      redis.readState(keys.aliases(model), keys.epoch(model), keys.contractInForce(model)),
    );
    const [epoch, fingerprint, ...pairs] = reply.map(String);
    const aliases: AliasState[] = [];
    for (let i = 0; i + 1 < pairs.length; i += 2) aliases.push({ aliasName: pairs[i]!, version: pairs[i + 1]! });
    aliases.sort((a, b) => (a.aliasName < b.aliasName ? -1 : 1));
    return { model, epoch: Number(epoch), aliases, ...(fingerprint ? { contractFingerprint: fingerprint } : {}) };
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
    const [outcome, ...details] = (await this.runScript(request)).map(String);
    if (outcome === 'OK') return entryOf(request, details);
    if (outcome === 'SAME') return this.lastMove(request);
    throw refusalOf(request, outcome, details);
  }

  private runScript(request: MoveAlias): Promise<(string | number)[]> {
    const { commands, keys, environment } = this.context;
    const { model, aliasName, version, gate } = request;
    return commands.ask(
      (redis) =>
        redis.moveAlias(
          keys.aliases(model),
          keys.trail(model, aliasName),
          keys.versions(model),
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
          gate === undefined ? '' : verdictField(version, gate.contractFingerprint, gate.fixtureFingerprint),
          gate?.contractFingerprint ?? '',
          gate?.fixtureFingerprint ?? '',
          request.actor,
          request.reason ?? '',
          environment,
        ),
      // Asking again after a lost reply could meet our own change and call it a conflict.
      { repeat: false },
    );
  }

  private async lastMove({ model, aliasName, version }: MoveAlias): Promise<LedgerEntry> {
    const entry = await this.ledger.lastMove(model, aliasName, version);
    if (entry !== undefined) return entry;
    throw internal(`alias "${aliasName}" of model "${model}" points at ${version}, and no line of its ledger says so`);
  }
}

function entryOf(request: MoveAlias, [sequence, at, previous]: readonly string[]): LedgerEntry {
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
  };
}

function refusalOf(request: MoveAlias, outcome: string | undefined, details: readonly string[]): Error {
  const { model, aliasName, version, expected } = request;
  const alias = `alias "${aliasName}" of model "${model}"`;
  switch (outcome) {
    case 'NO_VERSION':
      return noVersion(model, version);
    case 'CONFLICT': {
      const now = details[0] === '' ? 'points nowhere' : `points at ${details[0]}`;
      const done =
        details[0] === version ? ', which is what was wanted: nothing is left to do' : '; look at it and decide again';
      return conflict(`${alias} ${now}, and ${expected ?? 'nothing'} was expected${done}`);
    }
    case 'NOT_IN_FORCE':
      return notAccepted(
        `${alias} was not moved: version ${version} was judged for contract ${request.gate?.contractFingerprint} and fixtures ` +
          `${request.gate?.fixtureFingerprint}, and in force are contract ${details[0] || 'none'} and fixtures ` +
          `${details[1] || 'none'}; judge it again with \`parley accept\``,
      );
    case 'NOT_ACCEPTED':
      return notAccepted(
        details[0] === 'rejected'
          ? `${alias} was not moved: version ${version} has failed its contract's acceptance suite`
          : `${alias} was not moved: version ${version} has not been judged by its contract's acceptance suite; run \`parley accept\``,
      );
    case 'NOT_IN_TRAIL':
      return invalidInput(
        `${alias} cannot be rolled back to ${version}: it has not pointed there, or that was undone; a rollback goes to what ` +
          'the alias pointed at before, anything else is a promotion',
      );
    default:
      return internal(`moveAlias answered ${JSON.stringify([outcome, ...details])}`);
  }
}
