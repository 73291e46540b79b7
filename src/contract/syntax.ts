/**
 * Thrift text to a syntax tree, with every place counted from the text itself.
 *
 * The npm scanner is not asked to read comments (an empty block comment makes it swallow the declarations that follow),
 * to count lines, or to undo escapes in strings; its parse() prints to the console. So comments are blanked out here,
 * with every index kept, and scanner and parser are called one by one.
 */
import {
  createParser,
  createScanner,
  SyntaxType,
  type TextLocation,
  type ThriftError,
  type ThriftStatement,
  type Token,
} from '@creditkarma/thrift-parser';
import type { Position } from './contract.js';
import type { Problems } from './problems.js';
import { mendSeparators } from './separators.js';

/** One file of Thrift. */
export class SourceText {
  readonly #lineStarts: readonly number[];

  constructor(
    readonly file: string,
    readonly text: string,
  ) {
    this.#lineStarts = [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
  }

  /** Line and column count from 1; columns in UTF-16 units, as editors do. */
  position(index: number): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle]! <= index) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: index - this.#lineStarts[low]! + 1 };
  }

  at(location: TextLocation): Position {
    return this.position(location.start.index);
  }

  /** The value of the string literal at `location`, with Thrift's escapes undone. */
  literal(location: TextLocation): string {
    const raw = this.text.slice(location.start.index + 1, location.end.index - 1);
    return raw.replace(/\\(.)/g, (_, character: string) => ESCAPES.get(character) ?? character);
  }
}

const ESCAPES = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** The statements in order of appearance. What could not be read is in `problems`, and is left out. */
export function readSyntax(source: SourceText, problems: Problems): readonly ThriftStatement[] {
  const before = problems.count;
  const text = blankComments(source, problems);
  if (problems.count > before) return [];
  const tokens = mendSeparators(scan(source, text, problems));
  if (problems.count > before) return [];
  const parser = createParser(tokens, (error) => {
    problems.add(source.position(placeOf(error, tokens)), describe(error, tokens));
    parser.synchronize();
  });
  return parser.parse().body;
}

function scan(source: SourceText, text: string, problems: Problems): Token[] {
  const scanner = createScanner(text, (error) => {
    problems.add(source.at(error.loc), `cannot be read as Thrift: ${lowerFirst(error.message)}`);
    scanner.syncronize();
  });
  // A name such as `constructor` finds Object's own members in the scanner's table of keywords.
  return scanner.scan().map((token) => {
    return typeof token.type === 'string' ? token : { ...(token as Token), type: SyntaxType.Identifier };
  });
}

/**
 * Spaces in place of comments: same length, same line breaks.
 *
 * Also finds strings and comments that are not closed, which would otherwise be reported far away.
 */
function blankComments(source: SourceText, problems: Problems): string {
  const pattern = /"(?:\\.|[^"\\\n])*("?)|'(?:\\.|[^'\\\n])*('?)|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|&/g;
  return source.text.replace(
    pattern,
    (found, double: string | undefined, single: string | undefined, index: number) => {
      const report = (message: string) => problems.add(source.position(index), message);
      if (found[0] === '"' || found[0] === "'") {
        if ((double ?? single) === '') report(`a string that is not closed on its line; end it with ${found[0]}`);
        const unknown = /\\[^"'\\nrt]/.exec(found.replaceAll('\\\\', '  '));
        if (unknown !== null) report(`Thrift has no escape ${unknown[0]} in strings; write \\\\ for a backslash`);
        return found;
      }
      if (found === '&') report('references (&) are not supported yet; write the type itself');
      if (found.startsWith('/*') && (found.length < 4 || !found.endsWith('*/'))) {
        report('a comment that is not closed; end it with */');
      }
      return found.replace(/[^\n]/g, ' ');
    },
  );
}

/** The parser reports the token before the one that it could not take, except where it had already taken it. */
function offender(error: ThriftError, tokens: readonly Token[]): Token {
  const location = error.loc as TextLocation | undefined;
  if (location === undefined) return tokens[0]!;
  const index = tokens.findIndex((token) => token.loc.start.index === location.start.index);
  const taken = /^(?:FieldType|IntConstant|DoubleConstant) expected/.test(error.message);
  return tokens[Math.min(taken ? index : index + 1, tokens.length - 1)]!;
}

function placeOf(error: ThriftError, tokens: readonly Token[]): number {
  return offender(error, tokens).loc.start.index;
}

function describe(error: ThriftError, tokens: readonly Token[]): string {
  const token = offender(error, tokens);
  const found = token.type === SyntaxType.EOF ? 'the end of the file' : `"${token.text || SYMBOLS.get(token.type)}"`;
  // Before the first token, the parser fails to find a place for its own error.
  if (error.loc === undefined || error.message.startsWith('Invalid start')) {
    return `a declaration starts with include, namespace, typedef, const, enum, struct, exception or service; found ${found}`;
  }
  const expected = EXPECTED.find(([pattern]) => pattern.test(error.message))?.[1] ?? lowerFirst(error.message);
  return `expected ${expected}, found ${found}`;
}

/** The parser's messages, in words that say what to write. */
const EXPECTED: readonly (readonly [RegExp, string])[] = [
  [/^FieldType expected/, 'a type (double, i32, string, a name …)'],
  [/identifier for field/, "the field's name"],
  [/function identifier/, "the method's name"],
  [/EnumMember must have/, "a member's name"],
  [/followed by an Integer/, 'a whole number'],
  [/Annotation must have a name/, 'an annotation such as min = "20", or )'],
  [/Annotation must have a value/, 'the value in quotes'],
  [/curly brace expected|closing (?:curly )?brace/i, '}'],
  [/opening (?:curly )?brace/i, '{'],
  [/^Opening paren/, '('],
  [/^Closing paren/, ')'],
  [/contained types/, '< and > around the types inside'],
  [/identifier/i, 'a name'],
];

const SYMBOLS = new Map<SyntaxType, string>([
  [SyntaxType.LeftParenToken, '('],
  [SyntaxType.RightParenToken, ')'],
  [SyntaxType.LeftBraceToken, '{'],
  [SyntaxType.RightBraceToken, '}'],
  [SyntaxType.LeftBracketToken, '['],
  [SyntaxType.RightBracketToken, ']'],
  [SyntaxType.CommaToken, ','],
  [SyntaxType.SemicolonToken, ';'],
  [SyntaxType.ColonToken, ':'],
  [SyntaxType.EqualToken, '='],
  [SyntaxType.LessThanToken, '<'],
  [SyntaxType.GreaterThanToken, '>'],
  [SyntaxType.MinusToken, '-'],
  [SyntaxType.StringLiteral, '""'],
]);

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
