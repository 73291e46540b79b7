/** A field's `pattern`: RE2's syntax, whose matching takes time in proportion to the text, whatever the pattern. */
import { RE2JS } from 're2js';

const LONGEST = 1000;

/** Contracts have few patterns, and those of contracts that are gone cost little. */
const compiled = new Map<string, RE2JS>();
const MOST_COMPILED = 1000;

/** @returns why it cannot be one; undefined when it can */
export function wrongPattern(pattern: string): string | undefined {
  if (pattern.length > LONGEST) return `must be at most ${LONGEST} characters`;
  try {
    expressionOf(pattern);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return `is not a regular expression of RE2's syntax (${why}); it has no look-around and no back-references`;
  }
}

/** Whether the whole of `text` matches. */
export function matchesPattern(pattern: string, text: string): boolean {
  return expressionOf(pattern).testExact(text);
}

function expressionOf(pattern: string): RE2JS {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    expression = RE2JS.compile(pattern);
    if (compiled.size >= MOST_COMPILED) compiled.clear();
    compiled.set(pattern, expression);
  }
  return expression;
}
