/**
 * The general form of an acceptance bound, read: `recall(Gentoo)[sex=FEMALE] >= 0.9`, `f1(macro).drop <= 0.01`.
 *
 *     bound = metric [ "(" argument ")" ] [ ".drop" | ".gain" ] [ "[" term { "," term } "]" ] comparison number
 *     term  = field "=" value
 *
 * An argument and a slice's value are all that stands up to the next mark, without spaces around; in single quotes they may
 * hold marks too.
 */
import { RELATIVE } from './annotations.js';
import type { AcceptBound, Comparison, SliceTerm } from './contract.js';
import { parseNumber } from './read-annotations.js';

/** A part of the text, and where in it, from 0, it stands. */
export interface Placed {
  readonly text: string;
  readonly at: number;
}

export interface BoundText {
  readonly metric: Placed;
  readonly argument?: Placed;
  readonly relativeTo?: NonNullable<AcceptBound['relativeTo']>;
  readonly slice?: readonly { readonly field: Placed; readonly value: Placed }[];
  readonly comparison: Comparison;
  readonly bound: number;
  /** The comparison and the number as written. */
  readonly text: string;
}

/** What does not fit, and where. */
export interface BoundProblem {
  readonly problem: string;
  readonly at: number;
}

export function readBoundText(text: string): BoundText | BoundProblem {
  try {
    return new BoundReader(text).read();
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message, at: error.at };
    throw error;
  }
}

/** A slice as it stands in a bound: `sex=FEMALE,island=Biscoe`. */
export function sliceText(slice: readonly SliceTerm[]): string {
  return slice.map(({ field, value }) => `${field}=${quoted(value)}`).join(',');
}

/** What a bound is on, but its slice: `f1(macro).drop`. */
export function figureText({ metric, argument, relativeTo }: Pick<AcceptBound, 'metric' | 'argument' | 'relativeTo'>) {
  const ending = Object.entries(RELATIVE).find(([, to]) => to === relativeTo)?.[0];
  return `${metric}${argument === undefined ? '' : `(${quoted(argument)})`}${ending === undefined ? '' : `.${ending}`}`;
}

const quoted = (text: string): string => (/^[^\s'[\](),=]*$/.test(text) ? text : `'${text}'`);

class Unreadable extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

class BoundReader {
  private at = 0;

  constructor(private readonly text: string) {}

  read(): BoundText {
    this.skipSpaces();
    const metric = this.match(/[A-Za-z_]\w*/y, 'the name of a metric');
    const argument = this.taken('(') ? this.closed(')', 'an argument') : undefined;
    const ending = this.taken('.') ? this.match(/\w+/y, '"drop" or "gain"') : undefined;
    if (ending !== undefined && !isRelative(ending.text))
      throw new Unreadable(`expected ".drop" or ".gain", not ".${ending.text}"`, ending.at);
    const slice = this.taken('[') ? this.terms() : undefined;
    const comparison = this.match(/>=|>|<=|</y, 'a comparison: >=, >, <= or <');
    const number = { text: this.text.slice(this.at), at: this.at };
    const bound = parseNumber(number.text);
    if (bound === undefined)
      throw new Unreadable(`expected a number behind ${comparison.text}, ${found(number.text)}`, number.at);
    return {
      metric,
      ...(argument === undefined ? {} : { argument }),
      ...(ending === undefined ? {} : { relativeTo: RELATIVE[ending.text as keyof typeof RELATIVE] }),
      ...(slice === undefined ? {} : { slice }),
      comparison: comparison.text as Comparison,
      bound,
      text: this.text.slice(comparison.at).trim(),
    };
  }

  private terms(): { readonly field: Placed; readonly value: Placed }[] {
    const terms: { field: Placed; value: Placed }[] = [];
    for (;;) {
      const field = this.match(/[A-Za-z_][\w.]*/y, 'the name of a field');
      if (!this.taken('=')) throw this.unexpected('= behind the field');
      const value = this.word(/[^,\]]*/y);
      terms.push({ field, value });
      if (this.taken(']')) return terms;
      if (!this.taken(',')) throw this.unexpected('] behind the slice');
    }
  }

  private closed(mark: string, what: string): Placed {
    const word = this.word(/[^)]*/y);
    if (word.text === '') throw new Unreadable(`expected ${what} in the parentheses`, word.at);
    if (!this.taken(mark)) throw this.unexpected(`${mark} behind ${what}`);
    return word;
  }

  /** In single quotes, or up to a mark. */
  private word(pattern: RegExp): Placed {
    this.skipSpaces();
    if (this.text[this.at] !== "'") return this.match(pattern, 'a value', true);
    const at = this.at;
    const end = this.text.indexOf("'", at + 1);
    if (end < 0) throw new Unreadable("expected ' at the value's end", this.text.length);
    this.at = end + 1;
    this.skipSpaces();
    return { text: this.text.slice(at + 1, end), at };
  }

  private match(pattern: RegExp, expected: string, mayBeEmpty = false): Placed {
    const at = this.at;
    pattern.lastIndex = at;
    const match = pattern.exec(this.text)?.[0];
    if (match === undefined || (match === '' && !mayBeEmpty)) throw this.unexpected(expected);
    this.at += match.length;
    this.skipSpaces();
    return { text: match.trim(), at };
  }

  private taken(mark: string): boolean {
    if (this.text[this.at] !== mark) return false;
    this.at += mark.length;
    this.skipSpaces();
    return true;
  }

  private skipSpaces(): void {
    while (this.text[this.at] === ' ') this.at += 1;
  }

  private unexpected(expected: string): Unreadable {
    return new Unreadable(`expected ${expected}, ${found(this.text.slice(this.at))}`, this.at);
  }
}

const isRelative = (ending: string): boolean => Object.hasOwn(RELATIVE, ending);

const found = (rest: string): string => (rest.trim() === '' ? 'found the end' : `found "${rest.trim()}"`);
