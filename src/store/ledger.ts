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

  /** The line that last pointed `aliasName` at `version`. */
  async lastMove(model: string, aliasName: string, version: string): Promise<LedgerEntry | undefined> {
    for await (const entry of this.backwards(model, LINES_A_PAGE)) {
      if (entry.aliasName === aliasName && entry.version === version) return entry;
    }
    return undefined;
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
