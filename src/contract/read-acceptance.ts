/** `accept.*` of a service, read: bounds that can be met and that mean what they say. */
import { METRICS, type MetricRow } from './annotations.js';
import type { Acceptance, AcceptBound, Comparison, ContractService } from './contract.js';
import { type AnnotationSet, type AnnotationValue, parseNumber } from './read-annotations.js';
import { taskOf } from './read-response.js';

const ACCEPT = 'accept.';
const NOT_METRICS = ['accept.baseline', 'accept.guards'];

/** @param methods those that could be read; without any, a metric's fit to the task is not checked */
export function readAcceptance(annotations: AnnotationSet, methods: ContractService['methods']): Acceptance {
  const task = methods[0] === undefined ? undefined : taskOf(methods[0].response);
  const bounds: AcceptBound[] = [];
  for (const annotation of annotations.under(ACCEPT)) {
    if (NOT_METRICS.includes(annotation.key)) continue;
    const bound = readBound(annotations, annotation, task);
    if (bound !== undefined) bounds.push(bound);
  }
  const baseline = annotations.choice('accept.baseline', ['majority', 'mean']);
  const fitting = task === 'regression' ? 'mean' : 'majority';
  if (baseline !== undefined && task !== undefined && baseline !== fitting) {
    annotations.report(annotations.get('accept.baseline')!, `the baseline of a ${task} is "${fitting}"`);
  }
  return { bounds, ...(baseline === undefined ? {} : { baseline }), guards: readGuards(annotations) };
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

function readBound(
  annotations: AnnotationSet,
  annotation: AnnotationValue,
  task: MetricRow['task'] | undefined,
): AcceptBound | undefined {
  const metric = METRICS.find((row) => ACCEPT + row.name === annotation.key)!;
  const text = annotations.text(annotation.key)?.trim();
  if (text === undefined) return undefined;
  const match = /^(>=|>|<=|<)(.*)$/s.exec(text);
  const bound = parseNumber(match?.[2] ?? '');
  if (match === null || bound === undefined) {
    const sign = metric.better === 'higher' ? '>=' : '<=';
    return annotations.report(
      annotation,
      `${annotation.key} must be a comparison and a number, such as "${sign} 0.95"`,
    );
  }
  const comparison = match[1] as Comparison;
  const wrong = wrongBound(metric, comparison, bound, task);
  if (wrong !== undefined) return annotations.report(annotation, wrong);
  return { metric: metric.name, comparison, bound, text, position: annotation.position };
}

function wrongBound(
  metric: MetricRow,
  comparison: Comparison,
  bound: number,
  task: MetricRow['task'] | undefined,
): string | undefined {
  const { name, better, range } = metric;
  if (task !== undefined && metric.task !== 'any' && metric.task !== task) {
    return `${name} measures a ${metric.task}, and this service answers with a ${task}`;
  }
  const asksForMore = comparison.startsWith('>');
  if (asksForMore !== (better === 'higher')) {
    return `${name} is better when it is ${better}, so its bound starts with ${better === 'higher' ? '>=' : '<='}`;
  }
  const limit = asksForMore ? range[1] : range[0];
  const beyond = asksForMore ? bound > limit : bound < limit;
  if (beyond || (bound === limit && !comparison.endsWith('='))) {
    return `${name} ${comparison} ${bound} cannot be met: ${name} is never ${asksForMore ? 'more' : 'less'} than ${limit}`;
  }
  return undefined;
}
