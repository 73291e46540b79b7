/** What is wrong with a typed request, in words, as far as anybody reads it. */
import { isUtf8 } from 'node:buffer';
import type { InputField } from '../../contract/contract.js';
import { shorten } from '../../contract/problems.js';
import { MAX_FLOAT32, valueProblem } from '../../contract/value.js';
import type { ParleyError, Problem } from '../../errors.js';
import { invalidRequest } from '../invalid-request.js';

/** A request with this many problems is told these, and not read further. */
const MOST_PROBLEMS = 100;
/** The contract has nothing against it. */
const TOO_LARGE = `must be between ${-MAX_FLOAT32} and ${MAX_FLOAT32}, because the graph computes with float32`;

export class RequestProblems {
  count = 0;
  #problems: Problem[] = [];
  /** Of the row at hand; -1: the request is one row. */
  row = -1;

  /** @param argument what carries the rows, as paths begin */
  constructor(readonly argument: string) {}

  clear(): void {
    if (this.count > 0) this.#problems = [];
    this.count = 0;
    this.row = -1;
  }

  get full(): boolean {
    return this.count >= MOST_PROBLEMS;
  }

  /** Counts one that nobody is told any more, so that no words are made for it. @returns false: it is to be told */
  countsOnly(): boolean {
    if (!this.full) return false;
    this.count++;
    return true;
  }

  /** @param place inside of the field: `[3]`, or nothing @param got what was there; of a sensitive field nobody is told */
  add(field: Pick<InputField, 'name' | 'sensitive'>, place: string, message: string, got: string | undefined): void {
    if (this.countsOnly()) return;
    this.count++;
    this.#problems.push({
      path: this.pathOf(field) + place,
      message,
      ...(got === undefined || field.sensitive ? {} : { got }),
    });
  }

  pathOf({ name }: Pick<InputField, 'name'>): string {
    return `${this.argument}${this.row < 0 ? '' : `[${this.row}]`}.${name}`;
  }

  /** What the contract says of a value that it does not allow. */
  value(field: InputField, place: string, value: number | string | undefined): void {
    if (this.countsOnly()) return;
    const problem = valueProblem(field, value, '');
    this.add(
      field,
      place,
      problem?.message ?? (Math.abs(Number(value)) > MAX_FLOAT32 ? TOO_LARGE : 'is not allowed'),
      problem?.got ?? (value === undefined ? undefined : String(value)),
    );
  }

  /** An enum's number that is none of the contract's. */
  enumValue(field: InputField, place: string, labels: ReadonlyMap<number, string>, value: number): void {
    if (this.countsOnly()) return;
    const all = [...labels].map(([number, name]) => `${number} (${name})`).join(', ');
    this.add(field, place, `must be one of ${all}`, String(value));
  }

  /** Text that is not UTF-8, or not what the contract allows. */
  text(field: InputField, place: string, bytes: Buffer): void {
    if (this.countsOnly()) return;
    if (isUtf8(bytes)) this.value(field, place, bytes.toString('utf8'));
    else this.add(field, place, 'must be UTF-8', `${bytes.length} bytes that are not`);
  }

  /** What a caller sent, as far as it is shown. */
  quoted(bytes: Buffer): string {
    return isUtf8(bytes) ? shorten(bytes.toString('utf8')) : `${bytes.length} bytes that are not UTF-8`;
  }

  error(): ParleyError {
    return invalidRequest(this.#problems, this.count, this.full);
  }
}
