/** Values against a schema, with messages that name the place, what was expected, what was there and the nearest key. */
import { z } from 'zod';
import { didYouMean } from '../contract/nearest.js';
import { invalidInput, type Problem } from '../errors.js';

/**
 * @param where what the messages start with: `parley.yaml`
 * @param at the value's own path in the file: `['trainer']`
 * @param taken keys beside those of the schema that are known here and were read before
 * @throws INVALID_INPUT with all that is wrong, the first in the message
 */
export function checkValues<T>(
  schema: z.ZodType<T>,
  value: unknown,
  where: string,
  at: readonly string[] = [],
  taken: readonly string[] = [],
): T {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  // A key that is missing is often the one that was mistyped: that comes first.
  const issues = parsed.error.issues.toSorted((a, b) => rank(a) - rank(b));
  const problems = issues.flatMap((issue) => problemsOf(issue, schema, where, at, taken));
  const rest = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  throw invalidInput(`${problems[0].path}: ${problems[0].message}${rest}`, { problems });
}

const rank = (issue: z.core.$ZodIssue): number => (issue.code === 'unrecognized_keys' ? 0 : 1);

function problemsOf(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  where: string,
  at: readonly string[],
  taken: readonly string[],
): Problem[] {
  const path = [...at, ...issue.path.map(String)];
  const shownPath = (keys: readonly string[]) => `${where}: ${keys.join('.')}`;
  if (issue.code === 'unrecognized_keys') {
    const known = [...(issue.path.length === 0 ? taken : []), ...keysOf(schemaAt(schema, issue.path))];
    return issue.keys.map((key) => ({ path: shownPath([...path, key]), message: unknownKey(key, known) }));
  }
  const message = issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '');
  if (issue.input === undefined) return [{ path: shownPath(path), message: `is missing; ${message}` }];
  const got = shown(issue.input);
  return [{ path: shownPath(path), message: `${message}, got ${got}`, got }];
}

function unknownKey(key: string, known: readonly string[]): string {
  const allowed = known.length === 0 ? 'none is expected here' : `expected one of ${known.join(', ')}`;
  return `there is no such key${didYouMean(key, known)}; ${allowed}`;
}

/** The schema of a value inside another's, where it can be told. */
function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): z.core.$ZodType | undefined {
  let found: z.core.$ZodType | undefined = bare(schema);
  for (const key of path) {
    if (found instanceof z.ZodObject) found = bare(found.shape[String(key)]);
    else if (found instanceof z.ZodRecord) found = bare(found.valueType);
    else if (found instanceof z.ZodArray) found = bare(found.element);
    else return undefined;
  }
  return found;
}

function bare(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault)
    inner = inner.unwrap();
  return inner;
}

const keysOf = (schema: z.core.$ZodType | undefined): string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
