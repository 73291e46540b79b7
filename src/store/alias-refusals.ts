/** Why a script did not change an alias, in words: the same for a move, a canary and a hold. */
import { conflict, internal, invalidInput, notAccepted, notFound } from '../errors.js';
import { heldAlias } from '../model/hold.js';
import type { Gate, MoveAlias } from '../model/store-port.js';
import type { Version } from '../model/version.js';
import type { Ledger } from './ledger.js';
import { noVersion, retiredVersion } from './versions.js';

/** What the caller wanted of the alias. */
export interface AliasWish {
  readonly model: string;
  readonly aliasName: string;
  readonly version: Version;
  readonly expected?: Version | null;
  readonly gate?: Gate;
}

/** How the scripts are told of a gate. */
export function gateOf({ gate, uncontracted }: Pick<MoveAlias, 'gate' | 'uncontracted'>): string {
  if (gate !== undefined) return 'verdict';
  return uncontracted === true ? 'none' : '';
}

/** @param outcome the script's reply, with what follows it */
export async function aliasRefusal(
  wish: AliasWish,
  [outcome, ...details]: readonly string[],
  ledger: Ledger,
): Promise<Error> {
  const { model, aliasName, version } = wish;
  const alias = `alias "${aliasName}" of model "${model}"`;
  const [detail = ''] = details;
  switch (outcome) {
    case 'NO_VERSION':
      return noVersion(model, version);
    case 'RETIRED':
      return retiredVersion(model, version, Number(detail));
    case 'HELD':
      return heldAlias(model, aliasName, await ledger.line(model, Number(detail)));
    case 'NO_ALIAS':
      return notFound(
        `model "${model}" has no alias "${aliasName}"; point it at a version first, with \`parley promote\``,
      );
    case 'CONFLICT':
      return elsewhere(alias, wish, detail);
    case 'NOT_IN_FORCE':
      if (wish.gate === undefined)
        return notAccepted(
          `${alias} was not moved: contract ${detail} has come into force meanwhile; judge version ${version} by it with ` +
            '`parley accept`',
        );
      return notAccepted(
        `${alias} was not moved: version ${version} was judged for contract ${wish.gate?.contractFingerprint} and fixtures ` +
          `${wish.gate?.fixtureFingerprint}, and in force are contract ${detail || 'none'} and fixtures ` +
          `${details[1] || 'none'}; judge it again with \`parley accept\``,
      );
    case 'NOT_ACCEPTED':
      return notAccepted(
        detail === 'rejected'
          ? `${alias} was not moved: version ${version} has failed its contract's acceptance suite`
          : `${alias} was not moved: version ${version} has not been judged by its contract's acceptance suite; run \`parley accept\``,
      );
    case 'NOT_IN_TRAIL':
      return invalidInput(
        `${alias} cannot be rolled back to ${version}: it has not pointed there, or that was undone; a rollback goes to what ` +
          'the alias pointed at before, anything else is a promotion',
      );
    case 'CANARY':
      return conflict(
        `${alias} has the canary ${detail}; end it first: \`parley promote ${model} ${detail.slice(0, 12)} --alias ${aliasName} --canary 0\``,
      );
    case 'NO_CANARY':
      return notFound(`${alias} has no canary to end; see \`parley aliases ${model}\``);
    case 'CURRENT':
      return invalidInput(`${alias} points at ${version} already; a canary is a second version beside it`);
    default:
      return internal(`a script answered ${JSON.stringify([outcome, ...details])}`);
  }
}

function elsewhere(alias: string, { version, expected }: AliasWish, current: string): Error {
  const now = current === '' ? 'points nowhere' : `points at ${current}`;
  const done =
    current === version ? '; it leads where it is to lead: nothing is left to do' : '; look at it and decide again';
  return conflict(`${alias} ${now}, and ${expected ?? 'nothing'} was expected${done}`);
}
