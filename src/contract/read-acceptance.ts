/** `accept.*` of a service, read: bounds that can be met and that mean what they say. */
import { isNumberedBound, RELATIVE } from './annotations.js';
import { type BoundText, figureText, type Placed, readBoundText, sliceText } from './bound-text.js';
import { checkBound } from './check-bound.js';
import type { Acceptance, AcceptBound, Comparison, ContractService } from './contract.js';
import { METRICS, type MetricRow, metricOf } from './metrics.js';
import { didYouMean } from './nearest.js';
import { type AnnotationSet, type AnnotationValue, parseNumber } from './read-annotations.js';
import { taskOf } from './read-response.js';
import { readSlice } from './read-slice.js';

const ACCEPT = 'accept.';
const NOT_BOUNDS = ['accept.baseline', 'accept.guards', 'accept.confidence', 'accept.min_fixtures'];

/** @param methods those that could be read; without any, a metric's fit to the task is not checked */
export function readAcceptance(annotations: AnnotationSet, methods: ContractService['methods']): Acceptance {
  const [method] = methods;
  const task = method === undefined ? undefined : taskOf(method.response);
  const baseline = annotations.choice('accept.baseline', ['majority', 'mean']);
  const fitting = task === 'regression' ? 'mean' : 'majority';
  if (baseline !== undefined && task !== undefined && baseline !== fitting) {
    annotations.report(annotations.get('accept.baseline')!, `the baseline of a ${task} is "${fitting}"`);
  }
  const confidence = readConfidence(annotations);
  const minFixtures = readMinFixtures(annotations);
  return {
    bounds: readBounds(annotations, method),
    ...(baseline === undefined ? {} : { baseline }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(minFixtures === undefined ? {} : { minFixtures }),
    guards: readGuards(annotations),
  };
}

function readBounds(
  annotations: AnnotationSet,
  method: ContractService['methods'][number] | undefined,
): readonly AcceptBound[] {
  const bounds: AcceptBound[] = [];
  const keys = new Map<string, string>();
  for (const annotation of annotations.under(ACCEPT)) {
    const { key } = annotation;
    if (NOT_BOUNDS.includes(key)) continue;
    const bound = new BoundOf(annotations, annotation, method).read();
    if (bound === undefined) continue;
    const about = `${figureText(bound)}[${sliceText([...(bound.slice ?? [])].sort(byField))}]`;
    const earlier = keys.get(about);
    if (earlier !== undefined) annotations.report(annotation, `${earlier} bounds the same already; keep one`);
    else bounds.push(bound);
    keys.set(about, earlier ?? key);
  }
  return bounds;
}

const byField = (a: { readonly field: string }, b: { readonly field: string }): number => (a.field < b.field ? -1 : 1);

function readConfidence(annotations: AnnotationSet): number | undefined {
  const confidence = annotations.number('accept.confidence');
  if (confidence === undefined || (confidence >= 0.5 && confidence < 1)) return confidence;
  const hint = confidence > 50 && confidence < 100 ? ` (did you mean "${confidence / 100}"?)` : '';
  return annotations.report(
    annotations.get('accept.confidence')!,
    `accept.confidence must be from 0.5 to below 1, such as "0.95"${hint}`,
  );
}

function readMinFixtures(annotations: AnnotationSet): number | undefined {
  const rows = annotations.number('accept.min_fixtures');
  if (rows === undefined || (Number.isSafeInteger(rows) && rows >= 1)) return rows;
  const message = 'accept.min_fixtures must be a whole number of rows, 1 or more';
  return annotations.report(annotations.get('accept.min_fixtures')!, message);
}

function readGuards(annotations: AnnotationSet): readonly string[] {
  const guards = annotations.list('accept.guards') ?? [];
  const wrong = guards.find((alias) => !/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(alias));
  if (wrong !== undefined) {
    const message = `"${wrong}" is not an alias: use letters, digits, dots, dashes and underscores`;
    annotations.report(annotations.get('accept.guards')!, message);
  }
  return guards;
}

/** One annotation, read as a bound. */
class BoundOf {
  private failed = false;

  constructor(
    private readonly annotations: AnnotationSet,
    private readonly annotation: AnnotationValue,
    private readonly method: ContractService['methods'][number] | undefined,
  ) {}

  read(): AcceptBound | undefined {
    const { key, position } = this.annotation;
    if (this.annotations.text(key) === undefined) return undefined;
    const text = this.annotation.value!;
    const read = isNumberedBound(key) ? this.general(text) : this.short(key, text);
    if (read === undefined) return undefined;
    const metric = metricOf(read.metric.text);
    if (metric === undefined) return this.report(read.metric, noMetric(read.metric.text));
    for (const { part = read.metric, message } of checkBound(metric, read, this.method)) this.report(part, message);
    const { argument, relativeTo, comparison, bound } = read;
    const slice = read.slice === undefined ? undefined : this.slice(read.slice, metric);
    if (this.failed) return undefined;
    return {
      metric: metric.name,
      ...(argument === undefined ? {} : { argument: argument.text }),
      ...(slice === undefined ? {} : { slice }),
      ...(relativeTo === undefined ? {} : { relativeTo }),
      comparison,
      bound,
      text: read.text,
      position,
    };
  }

  /** `accept.1 = "recall[sex=FEMALE] >= 0.9"` */
  private general(text: string): BoundText | undefined {
    const read = readBoundText(text);
    if (!('problem' in read)) return read;
    return this.report({ text: '', at: read.at }, `${read.problem}; write it as in "recall[sex=FEMALE] >= 0.9"`);
  }

  /** `accept.recall = ">= 0.95"` */
  private short(key: string, value: string): BoundText | undefined {
    const [, name, ending] = key.split('.') as [string, string, string?];
    const text = value.trim();
    const match = /^(>=|>|<=|<)(.*)$/s.exec(text);
    const bound = parseNumber(match?.[2] ?? '');
    if (match === null || bound === undefined) {
      const upwards = ending === undefined ? metricOf(name)!.better === 'higher' : ending === 'gain';
      return this.annotations.report(
        this.annotation,
        `${key} must be a comparison and a number, such as "${upwards ? '>=' : '<='} ${ending === 'drop' ? 0.01 : 0.95}"`,
      );
    }
    return {
      metric: { text: name, at: -1 },
      ...(ending === undefined ? {} : { relativeTo: RELATIVE[ending as keyof typeof RELATIVE] }),
      comparison: match[1] as Comparison,
      bound,
      text,
    };
  }

  private slice(terms: NonNullable<BoundText['slice']>, metric: MetricRow): AcceptBound['slice'] {
    if (metric.task === 'any') {
      this.report(terms[0]!.field, `${metric.name} is not of rows, so no slice has one`);
      return undefined;
    }
    if (this.method === undefined) return undefined;
    return readSlice(terms, this.method.request, (part, message) => this.report(part, message));
  }

  /** Behind the quote that opens the text. */
  private report(part: Placed, message: string): undefined {
    this.failed = true;
    const { valuePosition } = this.annotation;
    const column = valuePosition.column + part.at + 1;
    return this.annotations.report({ ...this.annotation, valuePosition: { ...valuePosition, column } }, message);
  }
}

function noMetric(name: string): string {
  const names = METRICS.map((row) => row.name);
  const near = didYouMean(name, names);
  return `there is no metric ${name}${near === '' ? `; known here: ${names.join(', ')}` : near}`;
}
