/** How good two contracts ask a service's model to be. */
import type { ChangeKind } from './change-rules.js';
import type { Comparison } from './comparison.js';
import type { Acceptance, AcceptBound, Contract, ContractService } from './contract.js';

type Tell = (kind: ChangeKind, what: string, message: string) => void;

export function compareAcceptance(comparison: Comparison, old: string, name: string): void {
  const before = serviceOf(comparison.before.contract, old);
  const after = serviceOf(comparison.after.contract, name);
  if (before === undefined || after === undefined) return;
  if (before.model !== after.model) {
    const message = `the model was "${before.model}", is "${after.model}"`;
    comparison.report('model-renamed', old, message, after.position);
  }
  if (before.changes !== after.changes) {
    const message = `the next contract was ${before.changes ?? 'published by one'}, is ${after.changes ?? 'published by one'}`;
    comparison.report('agreement-changed', old, message, after.position);
  }
  const tell: Tell = (kind, what, message) => comparison.report(kind, `${old} accept.${what}`, message, after.position);
  compareBounds(before.accept.bounds, after.accept.bounds, tell);
  compareDegree('confidence', before.accept.confidence, after.accept.confidence, tell);
  compareDegree('min_fixtures', before.accept.minFixtures, after.accept.minFixtures, tell);
  compareBaselines(before.accept, after.accept, tell);
  compareGuards(before.accept.guards, after.accept.guards, tell);
}

const serviceOf = (contract: Contract | undefined, name: string): ContractService | undefined =>
  contract?.services.find((service) => service.name === name);

function compareBounds(before: readonly AcceptBound[], after: readonly AcceptBound[], tell: Tell): void {
  const [olds, bounds] = [strictest(before), strictest(after)];
  for (const [subject, old] of olds) {
    const bound = bounds.get(subject);
    if (bound === undefined) tell('accept-removed', subject, `was ${limit(old)}, is not asked any more`);
    else if (isStricter(bound, old)) tell('accept-tightened', subject, `was ${limit(old)}, is ${limit(bound)}`);
    else if (isStricter(old, bound)) tell('accept-loosened', subject, `was ${limit(old)}, is ${limit(bound)}`);
  }
  for (const [subject, bound] of bounds) {
    if (!olds.has(subject)) tell('accept-added', subject, `${limit(bound)} is new`);
  }
}

/** What is bounded -> the bound that asks most; one from above and one from below are two. */
function strictest(bounds: readonly AcceptBound[]): ReadonlyMap<string, AcceptBound> {
  const found = new Map<string, AcceptBound>();
  for (const bound of bounds) {
    const subject = subjectOf(bound);
    const other = found.get(subject);
    if (other === undefined || isStricter(bound, other)) found.set(subject, bound);
  }
  return found;
}

/** `recall(Gentoo)[sex=FEMALE]`, the slice's terms in order of field. */
function subjectOf({ metric, argument, slice = [], relativeTo }: AcceptBound): string {
  const terms = slice.map(({ field, value }) => `${field}=${value}`).sort();
  const where = terms.length === 0 ? '' : `[${terms.join(', ')}]`;
  const difference = relativeTo === undefined ? '' : relativeTo === 'production' ? '.drop' : '.gain';
  return `${metric}${argument === undefined ? '' : `(${argument})`}${difference}${where}`;
}

const limit = ({ comparison, bound }: AcceptBound) => `${comparison} ${bound}`;

/** Whether `a` leaves less than `b`, where both bound the same; bounds of two directions are neither. */
function isStricter(a: AcceptBound, b: AcceptBound): boolean {
  if (a.comparison[0] !== b.comparison[0]) return false;
  if (a.bound === b.bound) return a.comparison.length < b.comparison.length;
  return a.comparison.startsWith('>') ? a.bound > b.bound : a.bound < b.bound;
}

/** Numbers of which more asks for more, and none for nothing. */
function compareDegree(what: string, before: number | undefined, after: number | undefined, tell: Tell): void {
  if (before === after) return;
  const message = `was ${before ?? 'none'}, is ${after ?? 'none'}`;
  if (before === undefined) tell('accept-added', what, message);
  else if (after === undefined) tell('accept-removed', what, message);
  else tell(after > before ? 'accept-tightened' : 'accept-loosened', what, message);
}

function compareBaselines(before: Acceptance, after: Acceptance, tell: Tell): void {
  if (before.baseline === after.baseline) return;
  const message = `was ${before.baseline ?? 'none'}, is ${after.baseline ?? 'none'}`;
  tell(after.baseline === undefined ? 'baseline-removed' : 'baseline-changed', 'baseline', message);
}

function compareGuards(before: readonly string[], after: readonly string[], tell: Tell): void {
  const gone = before.filter((alias) => !after.includes(alias));
  const fresh = after.filter((alias) => !before.includes(alias));
  if (gone.length > 0) tell('guards-removed', 'guards', `${gone.join(', ')} no longer guarded`);
  if (fresh.length > 0) tell('guards-added', 'guards', `${fresh.join(', ')} guarded too`);
}
