/** Rows that do not keep the contract: all counted, the first few kept, one error in the end. */
import { invalidInput, type Problem } from '../errors.js';

const KEPT = 5;

export class Refusals {
  private rows = 0;
  private refused = 0;
  private problems = 0;
  private readonly first: Problem[] = [];

  add(problem: Problem): void {
    this.problems++;
    if (this.first.length < KEPT) this.first.push(problem);
  }

  countRows(fits: Uint8Array): void {
    this.rows += fits.length;
    for (const fit of fits) this.refused += 1 - fit;
  }

  /** @throws INVALID_INPUT when a row was refused */
  raise(where: string, wayOut: string): void {
    if (this.problems === 0) return;
    const shown = this.first.map(
      ({ path, message, got }) => `${path} ${message}${got === undefined ? '' : `, got ${got}`}`,
    );
    const rest = this.problems > shown.length ? `; and ${this.problems - shown.length} more` : '';
    const count = `${this.refused} of ${this.rows} rows do not keep the contract`;
    throw invalidInput(`${where}: ${count}: ${shown.join('; ')}${rest}. ${wayOut}`, { problems: this.first });
  }
}
