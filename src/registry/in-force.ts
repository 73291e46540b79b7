/** What was in force at a time, read from the ledger. Pure. */
import type { LedgerEntry } from '../model/version.js';

/**
 * The lines that decided, at `at`, where each alias led: the one that pointed it there and, while a canary ran, the one
 * that gave the canary its share.
 *
 * @param lines newest first
 * @param at microseconds since the epoch
 * @returns newest first
 */
export function inForceAt(lines: readonly LedgerEntry[], at: number): LedgerEntry[] {
  const found: LedgerEntry[] = [];
  const pointed = new Set<string>(),
    shared = new Set<string>();
  for (const line of lines) {
    const { action, aliasName } = line;
    if (line.at > at || aliasName === undefined || pointed.has(aliasName)) continue;
    if (action === 'promote' || action === 'rollback') {
      // A move ends the canary that ran before it.
      pointed.add(aliasName);
      found.push(line);
    } else if (action === 'canary' || action === 'canary_end') {
      if (action === 'canary' && !shared.has(aliasName)) found.push(line);
      shared.add(aliasName);
    }
  }
  return found;
}
