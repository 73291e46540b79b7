/**
 * Which of a table's rows become fixtures, and which seed splits the rest well. Pure, and in bounded memory.
 *
 * A row's number is made of the SHA-256 of its line in fixtures.csv, so that the same file gives the same fixtures, rows
 * that are equal are all fixtures or none, and every class keeps at least half of its different rows to learn from.
 */
import { createHash } from 'node:crypto';
import { isHeldOut } from '../training/split.js';

export const FIXTURE_SHARE = 0.2;
export const MOST_FIXTURES = 1000;
/** Rows that each class has, where it has twice as many that differ. */
const FEWEST_OF_A_CLASS = 5;
/** Different rows of a class that are kept though their number is over the share. */
const KEPT_OF_A_CLASS = 64;
/** Of one row, so that a common one does not crowd out the others. */
const MOST_COPIES = 100;
/** Larger tables split well by themselves. */
const MOST_ROWS_FOR_SEEDS = 2000;
const MOST_SEEDS = 200;
/** `split.test` of parley.yaml where it says nothing. */
const DEFAULT_TEST_SHARE = 0.2;
const FEWEST_HELD_OUT = 0.1;

interface Entry {
  readonly share: number;
  readonly line: string;
  /** The place in the file of the first such row. */
  readonly place: number;
  copies: number;
}

interface SmallRow {
  readonly bytes: Uint8Array;
  readonly line: string;
  readonly className: string;
}

/** The first four bytes of the line's SHA-256 as a share of 2^32. */
export function shareOf(line: string): number {
  return createHash('sha256').update(line).digest().readUInt32BE(0) / 2 ** 32;
}

export class FixtureChoice {
  private readonly classes = new Map<string, ClassRows>();
  private readonly share: number;
  private rows = 0;
  private small: SmallRow[] | undefined = [];

  /** @param rows how many there are, about */
  constructor(rows: number) {
    this.share = Math.min(FIXTURE_SHARE, MOST_FIXTURES / Math.max(1, rows));
  }

  /**
   * @param line as it would stand in fixtures.csv
   * @param bytes as the split sees the row; copied
   * @param className the row's class, or nothing in a regression
   * @param isComplete whether it may be a fixture
   */
  add(line: string, bytes: Uint8Array, className: string, isComplete: boolean): void {
    if (isComplete) {
      let rows = this.classes.get(className);
      if (rows === undefined) this.classes.set(className, (rows = new ClassRows(this.share)));
      rows.add({ share: shareOf(line), line, place: this.rows, copies: 1 });
    }
    this.rows++;
    this.small?.push({ bytes: bytes.slice(), line, className });
    if (this.rows > MOST_ROWS_FOR_SEEDS) this.small = undefined;
  }

  /** @returns the fixtures' lines in the file's order, copies too, and the seed for `split` */
  finish(): { readonly lines: readonly string[]; readonly seed: number } {
    const chosen = [...this.classes.values()].map((rows) => rows.choose());
    while (total(chosen.flat()) > MOST_FIXTURES) {
      chosen.reduce((largest, each) => (total(each) > total(largest) ? each : largest)).pop();
    }
    const entries = chosen.flat().sort((a, b) => a.place - b.place);
    const lines = entries.flatMap(({ line, copies }) => new Array<string>(copies).fill(line));
    return { lines, seed: seedFor(this.small ?? [], new Set(entries.map(({ line }) => line))) };
  }
}

const total = (entries: readonly Entry[]) => entries.reduce((sum, { copies }) => sum + copies, 0);

/** Different rows of one class, the lowest numbers first. */
class ClassRows {
  private readonly entries: Entry[] = [];
  private hasAll = true;

  constructor(private readonly share: number) {}

  add(entry: Entry): void {
    const at = this.place(entry);
    const there = this.entries[at];
    if (there?.line === entry.line) there.copies = Math.min(there.copies + 1, MOST_COPIES);
    else this.entries.splice(at, 0, entry);
    while (this.entries.length > KEPT_OF_A_CLASS && this.entries.at(-1)!.share >= this.share) {
      this.entries.pop();
      this.hasAll = false;
    }
  }

  choose(): Entry[] {
    const most = this.hasAll ? Math.floor(this.entries.length / 2) : this.entries.length;
    const chosen: Entry[] = [];
    for (const entry of this.entries.slice(0, most)) {
      if (entry.share >= this.share && total(chosen) >= FEWEST_OF_A_CLASS) break;
      chosen.push(entry);
    }
    return chosen;
  }

  /** Of the first entry that is not before this one. */
  private place({ share, line }: Entry): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.entries[middle]!;
      if (entry.share < share || (entry.share === share && entry.line < line)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first seed that leaves every class to learn from and holds out enough; else the first that can be used at all. */
function seedFor(rows: readonly SmallRow[], fixtures: ReadonlySet<string>): number {
  const rest = rows.filter(({ line }) => !fixtures.has(line));
  const classes = new Set(rest.map(({ className }) => className)).size;
  let usable: number | undefined;
  for (let seed = 1; rest.length > 0 && seed <= MOST_SEEDS; seed++) {
    const learned = rest.filter(({ bytes }) => !isHeldOut(bytes, DEFAULT_TEST_SHARE, seed));
    const known = new Set(learned.map(({ className }) => className)).size;
    const heldOut = rest.length - learned.length;
    if (known === classes && heldOut >= rest.length * FEWEST_HELD_OUT) return seed;
    if (heldOut > 0 && known >= Math.min(2, classes)) usable ??= seed;
  }
  return usable ?? 1;
}
