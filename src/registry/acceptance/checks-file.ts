/** checks.yaml: what must hold of a version's answers beside its bounds, read and checked against the contract. */
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { problemOf } from '../../contract/check.js';
import { type InputField, labelClasses, type RequestStruct, type ResponseStruct } from '../../contract/contract.js';
import { didYouMean } from '../../contract/nearest.js';
import { taskOf } from '../../contract/read-response.js';
import { invalidInput, type Problem } from '../../errors.js';

export const CHECKS_FILE = 'checks.yaml';
const MOST_BYTES = 256 * 1024;

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const values = z.record(z.string(), scalar);
const amounts = z.record(z.string(), z.number());
const name = z.string().min(1).max(200).describe("the criterion's name in the verdict");
const change = {
  name,
  where: values.optional().describe('only rows whose fields have these values'),
  set: values.optional().describe('fields that get another value'),
  add: amounts.optional().describe('what is added to numbers'),
  multiply: amounts.optional().describe('what numbers are multiplied by'),
  at_least: z.number().gt(0).max(1).default(1).describe('the share of the changed rows on which it must hold'),
};

export const MUST = ['not_decrease', 'not_increase', 'increase', 'decrease'] as const;

const invariance = z.strictObject({
  ...change,
  tolerance: z.number().min(0).optional().describe('how far a value, or a probability, may move; a label never may'),
});
const direction = z.strictObject({
  ...change,
  of: z.string().optional().describe('`probability(Class)`, or `value`, which needs not be said'),
  must: z.enum(MUST).describe('where it goes when the row is changed'),
  tolerance: z.number().min(0).default(1e-6).describe('how far it may go the other way'),
});
const example = z.strictObject({
  name,
  row: values.describe('the fields of one request'),
  answer: z.union([z.string(), z.number()]).describe('the label as the contract spells it, or the value'),
  tolerance: z.number().min(0).default(0).describe('of a value'),
});
const schema = z.strictObject({
  invariances: z.array(invariance).default([]),
  directions: z.array(direction).default([]),
  cases: z.array(example).default([]),
});

export type Checks = z.infer<typeof schema>;
export type Invariance = z.infer<typeof invariance>;
export type Direction = z.infer<typeof direction>;
export type Example = z.infer<typeof example>;

/** What the checks ask: the first method of the service. */
export interface Asked {
  readonly request: RequestStruct;
  readonly response: ResponseStruct;
}

/** @throws ParleyError INVALID_INPUT with all that is wrong, by line and column */
export function readChecks(text: string, asked: Asked, shownAs = CHECKS_FILE): Checks {
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_BYTES) throw invalidInput(`${shownAs} has ${bytes} bytes; at most ${MOST_BYTES} are read`);
  const file = new ChecksFile(text, shownAs);
  const parsed = schema.safeParse(file.value(), { reportInput: true });
  if (!parsed.success) {
    for (const issue of parsed.error.issues) file.issue(issue);
    throw file.error();
  }
  new CheckedChecks(file, asked).look(parsed.data);
  if (file.problems.length > 0) throw file.error();
  return parsed.data;
}

type Path = readonly PropertyKey[];

/** The text, and where in it each value stands. */
class ChecksFile {
  readonly problems: Problem[] = [];
  readonly #lines = new LineCounter();
  readonly #document;

  constructor(
    text: string,
    readonly shownAs: string,
  ) {
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    for (const { pos, message } of this.#document.errors) this.#add(pos[0], message);
    if (this.problems.length > 0) throw this.error();
  }

  value(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 20 }) ?? {};
    } catch (cause) {
      throw invalidInput(`${this.shownAs}: ${(cause as Error).message}`, { cause });
    }
  }

  report(path: Path, message: string, got?: unknown): void {
    this.#add(this.#place(path), `${path.join('.')} ${message}`, got);
  }

  issue(issue: z.core.$ZodIssue): void {
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(issue.path);
      for (const key of issue.keys)
        this.report([...issue.path, key], `is no key here${didYouMean(key, known)}; known are ${known.join(', ')}`);
      return;
    }
    const message = issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, '');
    if (issue.input === undefined) this.report(issue.path, `is missing: ${message}`);
    else this.report(issue.path, `is not right: ${message}`, issue.input);
  }

  error(): Error {
    const { problems } = this;
    const rest = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
    return invalidInput(`${problems[0]!.path}: ${problems[0]!.message}${rest}`, { problems });
  }

  #add(offset: number, message: string, got?: unknown): void {
    const { line, col } = this.#lines.linePos(offset);
    const shown = got === undefined ? {} : { got: String(JSON.stringify(got)).slice(0, 60) };
    this.problems.push({ path: `${this.shownAs}:${line}:${col}`, message, ...shown });
  }

  /** Of the value, or of the nearest one around it that there is. */
  #place(path: Path): number {
    for (let length = path.length; length > 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true) as
        | { readonly range?: readonly number[] }
        | undefined;
      if (node?.range?.[0] !== undefined) return node.range[0];
    }
    return 0;
  }
}

function keysAt(path: Path): readonly string[] {
  if (path.length === 0) return Object.keys(schema.shape);
  const kinds: Readonly<Record<string, z.ZodObject>> = {
    invariances: invariance,
    directions: direction,
    cases: example,
  };
  return Object.keys(kinds[String(path[0])]?.shape ?? {});
}

/** What the schema cannot see: fields, classes, values that the contract takes. */
class CheckedChecks {
  readonly #features: readonly InputField[];

  constructor(
    private readonly file: ChecksFile,
    private readonly asked: Asked,
  ) {
    this.#features = asked.request.fields.filter(({ role, tensor }) => role === 'feature' && tensor === undefined);
  }

  look(checks: Checks): void {
    const { invariances, directions, cases } = checks;
    if (invariances.length + directions.length + cases.length === 0)
      this.file.report([], 'there is no check; write some under invariances, directions or cases');
    this.names(checks);
    for (const [index, check] of invariances.entries()) this.change(check, ['invariances', index]);
    for (const [index, check] of directions.entries()) {
      this.change(check, ['directions', index]);
      this.measure(check, ['directions', index]);
    }
    for (const [index, check] of cases.entries()) this.example(check, ['cases', index]);
  }

  private names(checks: Checks): void {
    const seen = new Set<string>();
    for (const kind of ['invariances', 'directions', 'cases'] as const)
      checks[kind].forEach((check, index) => {
        if (seen.has(check.name))
          this.file.report([kind, index, 'name'], 'is the name of an earlier check', check.name);
        seen.add(check.name);
      });
  }

  private change({ where = {}, set = {}, add = {}, multiply = {} }: Invariance | Direction, at: Path): void {
    for (const [key, fields] of Object.entries({ where, set }))
      for (const [field, value] of Object.entries(fields)) this.value(field, value, [...at, key, field]);
    for (const [key, fields] of Object.entries({ add, multiply }))
      for (const field of Object.keys(fields)) this.number(field, [...at, key, field]);
    const changed = [set, add, multiply].flatMap((fields) => Object.keys(fields));
    if (changed.length === 0) this.file.report(at, 'changes nothing; give it set, add or multiply');
    const twice = changed.find((field, index) => changed.indexOf(field) < index);
    if (twice !== undefined) this.file.report(at, `changes ${twice} twice; keep one`);
  }

  private field(field: string, at: Path): InputField | undefined {
    const found = this.#features.find((candidate) => candidate.name === field);
    if (found !== undefined) return found;
    const names = this.#features.map((candidate) => candidate.name);
    const message = `: ${this.asked.request.name} feeds the model no single value ${field}${didYouMean(field, names)}; it has ${names.join(', ')}`;
    this.file.report(at, message);
    return undefined;
  }

  private number(name: string, at: Path): void {
    const field = this.field(name, at);
    if (field !== undefined && !['byte', 'i16', 'i32', 'i64', 'double'].includes(field.type))
      this.file.report(at, `is of a ${field.type}, and only numbers can be added to or multiplied`);
  }

  private value(name: string, value: string | number | boolean, at: Path): void {
    const field = this.field(name, at);
    if (field === undefined) return;
    const problem = problemOf(field, typeof value === 'boolean' ? Number(value) : value, '');
    if (problem !== undefined) this.file.report(at, problem.message, value);
  }

  private measure({ of }: Direction, at: Path): void {
    const { response } = this.asked;
    const regression = taskOf(response) === 'regression';
    if (regression) {
      if (of !== undefined && of !== 'value') this.file.report([...at, 'of'], 'must be value in a regression', of);
      return;
    }
    const classes = labelClasses(response);
    const found = classOf(of);
    if (found === undefined) this.file.report([...at, 'of'], 'must be as in probability(Gentoo)', of);
    else if (classes.length > 0 && !classes.includes(found))
      this.file.report(
        [...at, 'of'],
        `names no class${didYouMean(found, classes)}; they are ${classes.join(', ')}`,
        of,
      );
  }

  private example({ row, answer }: Example, at: Path): void {
    for (const [field, value] of Object.entries(row)) this.value(field, value, [...at, 'row', field]);
    for (const field of this.#features) {
      const problem = Object.hasOwn(row, field.name) ? undefined : problemOf(field, undefined, '');
      if (problem !== undefined) this.file.report([...at, 'row'], `lacks ${field.name}, which is required`);
    }
    const { response } = this.asked;
    if (taskOf(response) === 'regression') {
      if (typeof answer !== 'number') this.file.report([...at, 'answer'], 'must be a number in a regression', answer);
      return;
    }
    const classes = labelClasses(response);
    if (classes.length === 0 || classes.includes(String(answer))) return;
    const message = `is no class${didYouMean(String(answer), classes)}; they are ${classes.join(', ')}`;
    this.file.report([...at, 'answer'], message, answer);
  }
}

/** The class in `probability(Gentoo)`. */
export const classOf = (of: string | undefined): string | undefined => /^probability\((.+)\)$/.exec(of ?? '')?.[1];
