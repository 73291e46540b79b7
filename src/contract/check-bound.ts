/** Whether an acceptance bound can be met, and is about what the service answers. Pure. */
import type { BoundText, Placed } from './bound-text.js';
import { type ContractMethod, labelClasses } from './contract.js';
import type { MetricRow } from './metrics.js';
import { didYouMean } from './nearest.js';
import { parseNumber } from './read-annotations.js';
import { taskOf } from './read-response.js';

export interface WrongBound {
  /** Absent: the metric. */
  readonly part?: Placed;
  readonly message: string;
}

/** @returns all that is wrong; without a method, what depends on the answer is not looked at */
export function checkBound(metric: MetricRow, read: BoundText, method: ContractMethod | undefined): WrongBound[] {
  const task = method === undefined ? undefined : taskOf(method.response);
  if (task !== undefined && metric.task !== 'any' && metric.task !== task)
    return [{ message: `${metric.name} measures a ${metric.task}, and this service answers with a ${task}` }];
  const wrong = [wrongNeed(metric, method), wrongRelation(metric, read), wrongArgument(metric, read, method)];
  return wrong.filter((each) => each !== undefined);
}

function wrongNeed({ name, needs }: MetricRow, method: ContractMethod | undefined): WrongBound | undefined {
  if (needs !== 'interval' || method === undefined) return undefined;
  const { response } = method;
  const lacking = (['interval_low', 'interval_high'] as const).find(
    (role) => !response.fields.some((field) => field.role === role),
  );
  if (lacking === undefined) return undefined;
  return { message: `${name} is of an interval, and ${response.name} has no field of role ${lacking}` };
}

/** The direction, and whether anything in the range is left. */
function wrongRelation(metric: MetricRow, { relativeTo, comparison, bound }: BoundText): WrongBound | undefined {
  const { name, better, range, task } = metric;
  if (relativeTo !== undefined && task === 'any')
    return { message: `${name} is not of answers, so it cannot be compared with another version's; bound it itself` };
  if (relativeTo === 'baseline' && metric.needs !== undefined)
    return { message: `${name} needs ${metric.needs}, and the baseline answers none` };
  const upwards = relativeTo === undefined ? better === 'higher' : relativeTo === 'baseline';
  const what =
    relativeTo === undefined ? name : relativeTo === 'production' ? `the drop of ${name}` : `the gain of ${name}`;
  const asksForMore = comparison.startsWith('>');
  if (asksForMore !== upwards) {
    const [is, sign] = upwards ? ['higher', '>='] : ['lower', '<='];
    return { message: `${what} is better when it is ${is}, so its bound starts with ${sign}` };
  }
  const widest = range[1] - range[0];
  const [least, most] = relativeTo === undefined ? range : [-widest, widest];
  const limit = asksForMore ? most : least;
  const beyond = asksForMore ? bound > limit : bound < limit;
  if (!beyond && (bound !== limit || comparison.endsWith('='))) return undefined;
  return {
    message: `${what} ${comparison} ${bound} cannot be met: ${what} is never ${asksForMore ? 'more' : 'less'} than ${limit}`,
  };
}

function wrongArgument(
  { name, argument: kinds }: MetricRow,
  { argument }: BoundText,
  method: ContractMethod | undefined,
): WrongBound | undefined {
  if (argument === undefined) return undefined;
  const part = argument;
  if (kinds === undefined) return { part, message: `${name} takes no argument; leave (${argument.text}) out` };
  if (kinds === 'level') {
    const level = parseNumber(argument.text) ?? Number.NaN;
    if (level > 0 && level < 1) return undefined;
    return { part, message: `${name} takes a quantile's level above 0 and below 1, not ${argument.text}` };
  }
  if (method === undefined || (kinds as readonly string[]).includes(argument.text)) return undefined;
  const classes = labelClasses(method.response);
  if (classes.length === 0 || classes.includes(argument.text)) return undefined;
  const words = [...classes, ...kinds];
  const near = didYouMean(argument.text, words);
  return { part, message: `there is no class ${argument.text}${near}; ${name} is of ${words.join(', ')}` };
}
