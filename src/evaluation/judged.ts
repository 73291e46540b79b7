/** One version's answers, held against bounds. */
import { figureText, sliceText } from '../contract/bound-text.js';
import type { AcceptBound, Comparison, SliceTerm } from '../contract/contract.js';
import { METRICS, type MetricRow, metricOf } from '../contract/metrics.js';
import { internal, invalidInput } from '../errors.js';
import type { Criterion } from '../model/version.js';
import type { JudgeInput } from './acceptance.js';
import { answersTo, baselineAnswers, type FixtureAnswers } from './answers.js';
import { type Figure, statisticOf } from './figures.js';
import { closedInterval, resampledInterval } from './intervals.js';
import type { Statistic } from './statistic.js';
import type { Interval } from './wilson.js';

/** Of intervals that are told although no bound asks for confidence. */
const USUAL_LEVEL = 0.95;

/** A bound's metric and what it is of. */
type Bounded = Omit<MetricRow, 'argument'> & Figure;

/** What was found for a bound; without a note there is nothing to add. */
interface Found {
  readonly measured: number;
  readonly interval?: Interval;
  readonly compared?: number;
  readonly note?: string;
}

export class Judged {
  constructor(private readonly input: JudgeInput) {}

  criterion(bound: AcceptBound): Criterion {
    const metric = this.metric(bound);
    const { slice } = bound;
    const rows = slice === undefined ? undefined : this.rowsIn(slice);
    const count = rows?.length ?? this.input.answers.truth.length;
    const common = {
      name: figureText(bound),
      bound: bound.text,
      rows: count,
      ...(slice === undefined ? {} : { slice: sliceText(slice) }),
    };
    if (count === 0) return { ...common, measured: Number.NaN, passed: false, note: 'no fixture is in the slice' };
    const found = this.find(bound, metric, rows);
    const few = metric.task === 'any' ? undefined : this.tooFew(count);
    const notes = [few, found.note, this.confidenceNote(bound, found)].filter((note) => note !== undefined);
    return {
      ...common,
      measured: found.measured,
      passed: few === undefined && this.holds(bound, found, metric),
      ...(found.interval === undefined ? {} : { intervalLow: found.interval.low, intervalHigh: found.interval.high }),
      ...(found.compared === undefined ? {} : { compared: found.compared }),
      ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
    };
  }

  /** One for all fixtures and one for each slice that a bound is on; none where the contract asks for no number. */
  fixtureCounts(): Criterion[] {
    const { minFixtures, bounds } = this.input.acceptance;
    if (minFixtures === undefined) return [];
    const count = (rows: number, slice?: string): Criterion => ({
      name: 'min_fixtures',
      bound: `>= ${minFixtures}`,
      measured: rows,
      passed: rows >= minFixtures,
      rows,
      ...(slice === undefined ? {} : { slice }),
    });
    const slices = new Map(bounds.flatMap(({ slice }) => (slice === undefined ? [] : [[sliceText(slice), slice]])));
    return [
      count(this.input.answers.truth.length),
      ...[...slices].map(([text, slice]) => count(this.rowsIn(slice).length, text)),
    ];
  }

  private metric(bound: AcceptBound): Bounded {
    const { metric: name, position, argument } = bound;
    const where = `${position.file}:${position.line}: accept.${name}`;
    const metric = metricOf(name);
    if (metric === undefined)
      throw invalidInput(`${where} is no metric; they are ${METRICS.map((row) => row.name).join(', ')}`);
    const { task } = this.input.answers;
    if (metric.task !== 'any' && metric.task !== task)
      throw invalidInput(`${where} is for ${metric.task}, and the model does ${task}`);
    const { argument: _, ...row } = metric;
    return { ...row, metric: metric.name, ...(argument === undefined ? {} : { argument }) };
  }

  private rowsIn(slice: readonly SliceTerm[]): ArrayLike<number> {
    if (this.input.rowsIn === undefined) throw internal(`nobody knows which rows are in [${sliceText(slice)}]`);
    return this.input.rowsIn(slice);
  }

  private tooFew(rows: number): string | undefined {
    const { minFixtures = 0 } = this.input.acceptance;
    return rows >= minFixtures ? undefined : `${rows} fixtures, and at least ${minFixtures} are asked for`;
  }

  private find(bound: AcceptBound, figure: Bounded, rows: ArrayLike<number> | undefined): Found {
    const part = (answers: FixtureAnswers) => (rows === undefined ? answers : answersTo(answers, rows));
    const { cost, production } = this.input;
    const answers = part(this.input.answers);
    if (bound.relativeTo === 'baseline') {
      const baseline = baselineAnswers(answers);
      if (baseline === undefined) throw internal('the baseline was not asked for its answers');
      return this.difference(figure, answers, baseline, 'gain');
    }
    if (bound.relativeTo === 'production') {
      if (production === undefined) return { measured: 0, note: 'nothing is in production to compare with' };
      const short = production.version.slice(0, 12);
      if ('unasked' in production)
        return { measured: 0, note: `not compared with ${short} in production: ${production.unasked}` };
      const found = this.difference(figure, answers, part(production.answers), 'drop');
      return { ...found, note: `compared with ${short} in production` };
    }
    if (figure.metric === 'latency_p50_ms') return { measured: cost.latencyP50Ms };
    if (figure.metric === 'latency_p99_ms') return { measured: cost.latencyP99Ms };
    if (figure.metric === 'size_bytes') return { measured: cost.sizeBytes };
    return this.own(figure, answers);
  }

  private own(figure: Bounded, answers: FixtureAnswers): Found {
    const statistic = must(statisticOf(figure, answers));
    const measured = statistic();
    const { confidence } = this.input.acceptance;
    const closed = Number.isNaN(measured) ? undefined : closedInterval(figure, answers, confidence ?? USUAL_LEVEL);
    if (closed !== undefined && !Number.isNaN(closed.low)) return { measured, interval: closed };
    if (confidence === undefined) return { measured };
    const best = figure.better === 'higher' && figure.range[0] === 0 ? 'higher' : undefined;
    return { measured, interval: resampledInterval(statistic, answers, confidence, best) };
  }

  /** Of the two on the same rows, so that the bootstrap is a paired one. */
  private difference(figure: Bounded, answers: FixtureAnswers, other: FixtureAnswers, kind: 'drop' | 'gain') {
    const mine = must(statisticOf(figure, answers));
    const theirs = must(statisticOf(figure, other));
    const sign = (figure.better === 'higher') === (kind === 'gain') ? 1 : -1;
    const statistic: Statistic = (weights) => sign * (mine(weights) - theirs(weights));
    const level = this.input.acceptance.confidence ?? USUAL_LEVEL;
    // Not -0, which is another number in a diff.
    return {
      measured: statistic() + 0,
      interval: resampledInterval(statistic, answers, level),
      compared: theirs(),
    };
  }

  private holds(
    { comparison, bound, relativeTo }: AcceptBound,
    { measured, interval, compared }: Found,
    metric: Bounded,
  ): boolean {
    const unmeasured = relativeTo === 'production' && compared === undefined;
    if (unmeasured) return true;
    if (this.input.acceptance.confidence === undefined || metric.task === 'any')
      return meets(measured, comparison, bound);
    return meets(worseEnd(comparison, interval) ?? Number.NaN, comparison, bound) && meets(measured, comparison, bound);
  }

  private confidenceNote({ comparison }: AcceptBound, { interval }: Found): string | undefined {
    const { confidence } = this.input.acceptance;
    const end = worseEnd(comparison, interval);
    if (confidence === undefined || end === undefined) return undefined;
    const which = comparison.startsWith('>') ? 'lower' : 'upper';
    return `the ${which} end of its ${Number((confidence * 100).toPrecision(6))} % interval counts: ${Number(end.toPrecision(4))}`;
  }
}

function worseEnd(comparison: Comparison, interval: Interval | undefined): number | undefined {
  return comparison.startsWith('>') ? interval?.low : interval?.high;
}

/** False for NaN. */
function meets(measured: number, comparison: Comparison, bound: number): boolean {
  switch (comparison) {
    case '>=':
      return measured >= bound;
    case '>':
      return measured > bound;
    case '<=':
      return measured <= bound;
    case '<':
      return measured < bound;
  }
}

/** The metric's task has been looked at. */
function must(statistic: Statistic | undefined): Statistic {
  if (statistic === undefined) throw internal('a metric of the task has no statistic');
  return statistic;
}
