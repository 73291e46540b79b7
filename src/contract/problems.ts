/** What is wrong with a contract, collected while it is read, so that one run shows all of it. */
import { invalidInput, type Problem } from '../errors.js';
import type { Position } from './contract.js';

export class Problems {
  readonly #found: { readonly position: Position; readonly problem: Problem }[] = [];

  get count(): number {
    return this.#found.length;
  }

  add(position: Position, message: string, got?: string): void {
    const path = `${position.file}:${position.line}:${position.column}`;
    if (this.#found.some(({ problem }) => problem.path === path && problem.message === message)) return;
    this.#found.push({ position, problem: { path, message, ...(got === undefined ? {} : { got: shorten(got) }) } });
  }

  /** Throws INVALID_INPUT, in the order of the text, when anything was found. */
  raise(): void {
    if (this.#found.length === 0) return;
    const problems = this.#found.sort(inOrderOfText).map(({ problem }) => problem);
    const first = problems[0]!;
    const rest = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
    throw invalidInput(`${first.path}: ${first.message}${rest}`, { problems });
  }
}

/** At most 64 characters, so that a message stays a line. */
export function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= 64 ? text : `${characters.slice(0, 63).join('')}…`;
}

function inOrderOfText(a: { readonly position: Position }, b: { readonly position: Position }): number {
  const files = Number(a.position.file > b.position.file) - Number(a.position.file < b.position.file);
  return files || a.position.line - b.position.line || a.position.column - b.position.column;
}
