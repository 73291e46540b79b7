/** How a held alias refuses to be changed: the same words from the store and from the registry. */
import { conflict, type ParleyError } from '../errors.js';
import type { LedgerEntry } from './version.js';

/** Names who holds it, since when and why, and the way out. @param line of the ledger, that holds it */
export function heldAlias(model: string, aliasName: string, line: LedgerEntry | undefined): ParleyError {
  const since = line === undefined ? '' : ` by ${line.actor} since ${new Date(line.at / 1000).toISOString()}`;
  const why = line?.reason === undefined ? 'without a reason' : `"${line.reason}"`;
  return conflict(
    `alias "${aliasName}" of model "${model}" is held${since}, ${why}; release it with \`parley release ${model} --alias ${aliasName}\``,
  );
}
