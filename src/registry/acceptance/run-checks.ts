/** Runs checks on a version: rows changed as they say and answered again, and example cases. */
import { sliceText } from '../../contract/bound-text.js';
import { fieldColumn, problemOf } from '../../contract/check.js';
import { labelClasses } from '../../contract/contract.js';
import type { FixtureAnswers } from '../../evaluation/acceptance.js';
import type { Column, ColumnBatch } from '../../model/row.js';
import type { Criterion } from '../../model/version.js';
import type { Answering } from './answering.js';
import { type Checks, classOf, type Direction, type Example, type Invariance } from './checks-file.js';
import { columnOf, rowsAt, rowsIn } from './rows.js';

const MOST_NOTED = 3;

/** What a version answered to rows. */
interface Answered {
  readonly rows: ColumnBatch;
  readonly answers: FixtureAnswers;
}

/** @returns one criterion for each check, in the file's order: invariances, directions, cases */
export async function runChecks(checks: Checks, asked: Answering, fixtures: ColumnBatch): Promise<Criterion[]> {
  const running = new Running(asked, fixtures);
  const criteria: Criterion[] = [];
  for (const check of checks.invariances) criteria.push(await running.invariance(check));
  for (const check of checks.directions) criteria.push(await running.direction(check));
  for (const check of checks.cases) criteria.push(await running.example(check));
  return criteria;
}

class Running {
  constructor(
    private readonly asked: Answering,
    private readonly fixtures: ColumnBatch,
  ) {}

  private get request() {
    return this.asked.method.request;
  }

  async invariance(check: Invariance): Promise<Criterion> {
    const { tolerance } = check;
    const isValue = this.answersValues;
    const moved = isValue || tolerance === undefined ? '' : `, and no probability moves by more than ${tolerance}`;
    const bound = isValue ? `the value stays within ${tolerance ?? 1e-6}` : `the label stays${moved}`;
    return this.changed(check, bound, (before, after, row) =>
      isValue
        ? Math.abs(after.predicted[row]! - before.predicted[row]!) <= (tolerance ?? 1e-6)
        : after.predicted[row] === before.predicted[row] &&
          (tolerance === undefined || largestMove(before, after, row) <= tolerance),
    );
  }

  async direction(check: Direction): Promise<Criterion> {
    const { must, of = 'value', tolerance } = check;
    const upwards = must === 'increase' || must === 'not_decrease';
    const bound = `${of} must ${must.replace('_', ' ')}`;
    const figure = (answers: FixtureAnswers, row: number) => figureOf(answers, of, row);
    return this.changed(check, bound, (before, after, row) => {
      const gained = (upwards ? 1 : -1) * (figure(after, row) - figure(before, row));
      return must.startsWith('not_') ? gained >= -tolerance : gained > tolerance;
    });
  }

  async example({ name, row, answer, tolerance }: Example): Promise<Criterion> {
    const rows = this.oneRow(row);
    const { answers } = await this.ask(rows);
    const { predicted } = answers;
    if (answers.task === 'regression') {
      const bound = `answers ${answer}${tolerance === 0 ? '' : ` within ${tolerance}`}`;
      const passed = Math.abs(predicted[0]! - Number(answer)) <= tolerance;
      return { name, bound, measured: predicted[0]!, passed, rows: 1 };
    }
    const told = answers.classNames?.[predicted[0]!] ?? 'none of the classes';
    const passed = told === String(answer);
    const note = passed ? {} : { note: `answered ${told}` };
    return { name, bound: `answers ${answer}`, measured: Number(passed), passed, rows: 1, ...note };
  }

  private get answersValues(): boolean {
    return this.asked.method.response.fields.some(({ role }) => role === 'value');
  }

  /** The rows that the check can change, asked before and after. */
  private async changed(
    check: Invariance | Direction,
    what: string,
    holds: (before: FixtureAnswers, after: FixtureAnswers, row: number) => boolean,
  ): Promise<Criterion> {
    const where = Object.entries(check.where ?? {}).map(([field, value]) => ({ field, value: String(value) }));
    const { before: from, after: to, places } = this.change(check, rowsIn(this.fixtures, this.request, where));
    const common = {
      name: check.name,
      bound: check.at_least === 1 ? what : `${what}, on ${Number((check.at_least * 100).toPrecision(6))} % of rows`,
      rows: from.rows,
      ...(where.length === 0 ? {} : { slice: sliceText(where) }),
    };
    if (from.rows === 0)
      return {
        ...common,
        measured: Number.NaN,
        passed: false,
        note: 'no fixture can be changed so and keep the contract',
      };
    const [before, after] = [(await this.ask(from)).answers, (await this.ask(to)).answers];
    const broken = Array.from(places, (_, row) => row).filter((row) => !holds(before, after, row));
    const measured = (from.rows - broken.length) / from.rows;
    const of = 'of' in check ? check.of : undefined;
    const noted = broken.slice(0, MOST_NOTED).map((row) => {
      return `fixture ${places[row]! + 1}: ${told(before, of, row)} became ${told(after, of, row)}`;
    });
    const more = broken.length > noted.length ? [`and ${broken.length - noted.length} more`] : [];
    return {
      ...common,
      measured,
      passed: measured >= check.at_least,
      ...(noted.length === 0 ? {} : { note: [...noted, ...more].join('; ') }),
    };
  }

  /** Rows that lack a number which is to be changed, would leave the contract or stay what they are are left out. */
  private change(check: Invariance | Direction, candidates: readonly number[]) {
    const { set = {}, add = {}, multiply = {} } = check;
    const changes = new Map<string, (value: number | string) => number | string>();
    for (const [field, value] of Object.entries(set)) changes.set(field, () => inColumn(value));
    for (const [field, amount] of Object.entries(add)) changes.set(field, (value) => Number(value) + amount);
    for (const [field, factor] of Object.entries(multiply)) changes.set(field, (value) => Number(value) * factor);
    const places = candidates.filter((row) => {
      const pairs = [...changes].map(([name, to]) => {
        const value = columnOf(this.fixtures, name)![row]!;
        return { name, value, changed: to(value) };
      });
      const fits = pairs.every(({ name, value, changed }) => {
        const missing = typeof value === 'number' && Number.isNaN(value) && !Object.hasOwn(set, name);
        const field = this.request.fields.find((candidate) => candidate.name === name)!;
        return !missing && problemOf(field, changed, '') === undefined;
      });
      return fits && pairs.some(({ value, changed }) => !Object.is(value, changed));
    });
    const before = rowsAt(this.fixtures, places);
    const columns = before.columns.map((column, index): Column => {
      const to = changes.get(before.specs[index]!.name);
      if (to === undefined) return column;
      return column instanceof Float64Array
        ? column.map((value) => Number(to(value)))
        : column.map((v) => String(to(v)));
    });
    return { before, after: { ...before, columns }, places };
  }

  private oneRow(row: Example['row']): ColumnBatch {
    const specs = this.request.fields.filter(({ role }) => role === 'feature').map(fieldColumn);
    const columns = specs.map(({ name, kind }): Column => {
      const value = Object.hasOwn(row, name) ? inColumn(row[name]!) : undefined;
      return kind === 'string'
        ? [String(value ?? '')]
        : Float64Array.of(value === undefined ? Number.NaN : Number(value));
    });
    return { specs, rows: 1, columns };
  }

  /** What is right is not asked here, so any class or number stands for it. */
  private async ask(rows: ColumnBatch): Promise<Answered> {
    const { response } = this.asked.method;
    const [someClass = ''] = labelClasses(response);
    const truth = this.answersValues ? new Float64Array(rows.rows) : new Array<string>(rows.rows).fill(someClass);
    return { rows, answers: await this.asked.answers(rows, truth) };
  }
}

const inColumn = (value: string | number | boolean): string | number =>
  typeof value === 'boolean' ? Number(value) : value;

function figureOf(answers: FixtureAnswers, of: string, row: number): number {
  if (answers.task === 'regression') return answers.predicted[row]!;
  const index = answers.classNames?.indexOf(classOf(of) ?? '') ?? -1;
  return answers.probabilities?.[row * answers.classes + index] ?? Number.NaN;
}

function largestMove(before: FixtureAnswers, after: FixtureAnswers, row: number): number {
  if (before.task !== 'classification' || after.task !== 'classification') return Number.NaN;
  const { classes, probabilities: from } = before;
  const to = after.probabilities;
  if (from === undefined || to === undefined) return Number.NaN;
  const moves = Array.from({ length: classes }, (_, index) => row * classes + index);
  return Math.max(...moves.map((at) => Math.abs(to[at]! - from[at]!)));
}

/** An answer in words: the figure that a direction is about, a value, or the label. */
function told(answers: FixtureAnswers, of: string | undefined, row: number): string {
  if (answers.task === 'classification' && of === undefined)
    return answers.classNames?.[answers.predicted[row]!] ?? 'none of the classes';
  return String(Number(figureOf(answers, of ?? 'value', row).toPrecision(4)));
}
