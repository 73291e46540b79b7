/** A model's history, read backwards in pages. */
import { invalidInput } from '../errors.js';
import type { LedgerEntry } from '../model/version.js';
import { checkAlias, checkModel, type StoreContext } from './context.js';

const LINES_A_PAGE = 500;

export interface LedgerQuery {
  readonly aliasName?: string;
  readonly limit?: number;
}

export class Ledger {
  constructor(private readonly context: StoreContext) {}

  /** Newest first. */
  async read(model: string, query: LedgerQuery = {}): Promise<readonly LedgerEntry[]> {
    checkModel(model);
    if (query.aliasName !== undefined) checkAlias(query.aliasName);
    const limit = query.limit ?? Number.POSITIVE_INFINITY;
    if (!(limit >= 0)) throw invalidInput(`the ledger's limit must be 0 or more; ${query.limit} was given`);
    const wanted: LedgerEntry[] = [];
    for await (const entry of this.backwards(model, Math.min(LINES_A_PAGE, Math.max(1, limit)))) {
      if (wanted.length >= limit) break;
      if (query.aliasName === undefined || entry.aliasName === query.aliasName) wanted.push(entry);
    }
    return wanted;
  }

  /** The newest line that is what is looked for. */
  async last(model: string, isIt: (entry: LedgerEntry) => boolean): Promise<LedgerEntry | undefined> {
    for await (const entry of this.backwards(model, LINES_A_PAGE)) if (isIt(entry)) return entry;
    return undefined;
  }

  /** The newest line on each of these aliases, up to line `epoch`. */
  async lastOfAliases(
    model: string,
    aliasNames: readonly string[],
    epoch: number,
  ): Promise<ReadonlyMap<string, LedgerEntry>> {
    const missing = new Set(aliasNames);
    const found = new Map<string, LedgerEntry>();
    if (missing.size === 0) return found;
    for await (const entry of this.backwards(model, LINES_A_PAGE)) {
      if (entry.sequence > epoch || entry.aliasName === undefined || !missing.delete(entry.aliasName)) continue;
      found.set(entry.aliasName, entry);
      if (missing.size === 0) break;
    }
    return found;
  }

  /** One line by its number. */
  async line(model: string, sequence: number): Promise<LedgerEntry | undefined> {
    const { commands, keys, records } = this.context;
    const key = keys.ledger(model);
    const [found] = await commands.ask((redis) => redis.xrange(key, `${sequence}-0`, `${sequence}-0`));
    return found && records.ledgerEntry(key, found[0], found[1]);
  }

  private async *backwards(model: string, pageLines: number): AsyncGenerator<LedgerEntry> {
    const { commands, keys, records } = this.context;
    const key = keys.ledger(model);
    let from = '+';
    for (;;) {
      const page = await commands.ask((redis) => redis.xrevrange(key, from, '-', 'COUNT', pageLines));
      for (const [id, fields] of page) yield records.ledgerEntry(key, id, fields);
      const last = page.at(-1);
      if (last === undefined || page.length < pageLines) return;
      from = `(${last[0]}`;
    }
  }
}

/** A line as it was just written by this process. */
export const written = (entry: LedgerEntry, environment: string): LedgerEntry =>
  environment === '' ? entry : { ...entry, environment };
