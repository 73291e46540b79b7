/** What commands print: results on stdout, everything else on stderr. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { ParleyError } from '../errors.js';

/** A stream that may be a terminal. */
type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export class Output {
  readonly #out: Terminal;
  readonly #err: Terminal;

  constructor(out: Terminal, err: Terminal) {
    this.#out = out;
    this.#err = err;
  }

  /** Whether progress may redraw and colours may be used on stderr. */
  get isTerminal(): boolean {
    return this.#err.isTTY === true;
  }

  /** Characters that fit into a line of stderr. */
  get columns(): number {
    return this.#err.columns || 80;
  }

  get outIsTerminal(): boolean {
    return this.#out.isTTY === true;
  }

  /** Some bytes of a result that is not text; waits until the reader has room. */
  async bytes(piece: Uint8Array): Promise<void> {
    if (!this.#out.write(piece)) await once(this.#out, 'drain');
  }

  get err(): Writable {
    return this.#err;
  }

  /** One line of result. */
  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value, undefined, 2));
  }

  /** One compact line, for what is read by programs as it comes. */
  event(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** Columns as wide as their widest cell; numbers to the right. */
  table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const cells = [header, ...rows].map((row) => row.map(String));
    const widths = header.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
    const numeric = header.map(
      (_, column) =>
        rows.length > 0 &&
        rows.every((row) => typeof row[column] === 'number' || /^[\d.,]+%?$/.test(String(row[column]))),
    );
    cells.forEach((row, index) => {
      const text = row
        .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join('  ');
      this.line(index === 0 && this.#out.isTTY === true ? styleText('bold', text.trimEnd()) : text.trimEnd());
    });
  }

  /** Something to know that is not the result. */
  note(text: string): void {
    this.#err.write(`${text}\n`);
  }

  failure(error: ParleyError): void {
    const mark = this.isTerminal ? styleText(['red', 'bold'], 'error') : 'error';
    this.#err.write(`${mark} ${error.code}: ${error.message}\n`);
    for (const { path, message, got } of error.problems) {
      // Most messages tell the first problems themselves.
      if (error.message.includes(path) && error.message.includes(message)) continue;
      const told = got === undefined || message.endsWith(`got ${got}`);
      this.#err.write(`  ${path}: ${message}${told ? '' : `, got ${got}`}\n`);
    }
  }
}

/** A version as people read it: enough to be unique, and accepted in its place. */
export const short = (version: string): string => version.slice(0, 12);

/** Microseconds since the epoch as UTC to the second. */
export const timeText = (microseconds: number): string =>
  `${new Date(microseconds / 1000).toISOString().slice(0, 19).replace('T', ' ')}Z`;

/** A share of 0 to 1, in per cent. */
export const share = (weight: number): string => `${figure(weight * 100)} %`;

/** Up to four significant digits. */
export const figure = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toPrecision(4).replace(/\.?0+$/, '');
