/** How two contracts differ: what `contract diff` prints, a server tells a caller, and publication decides by. */
import type { Position } from './contract.js';

/**
 * Whom a difference breaks.
 *
 * `callers`: compiled clients of the one talk wrongly with a server of the other, or are refused what they were promised;
 * `models`: a version that kept the old contract may not keep the new one, and must be bound and accepted again;
 * `source`: code written against the old stubs does not compile, or means something else, with the new ones.
 */
export type Breaks = 'callers' | 'models' | 'source';

export const BREAKS: readonly Breaks[] = ['callers', 'models', 'source'];

export interface ContractChange {
  /** `Penguin.bill_length_mm`, `Species.GENTOO`, `Penguins.identify`, `Penguins accept.recall`. */
  readonly path: string;
  /** The rule's name, one of the table of change-rules.ts: `field-removed`, `range-narrowed`. */
  readonly kind: string;
  /** What is different, in one sentence with both values. */
  readonly message: string;
  /** What it breaks and why; or why it breaks nothing. */
  readonly why: string;
  /** Empty: compatible. */
  readonly breaks: readonly Breaks[];
  /** Whether a verdict under the old contract says nothing of the new one: what was tested is different. */
  readonly touchesVerdict: boolean;
  /** Where it stands in the new text, or in the old one what is no longer there. */
  readonly position?: Position;
}

/** Those that break any of `whom`. */
export const breaking = (changes: readonly ContractChange[], whom: readonly Breaks[]): readonly ContractChange[] =>
  changes.filter((change) => change.breaks.some((breaks) => whom.includes(breaks)));

export const breaksCallers = (changes: readonly ContractChange[]): boolean => breaking(changes, ['callers']).length > 0;
export const breaksModels = (changes: readonly ContractChange[]): boolean => breaking(changes, ['models']).length > 0;
export const breaksSource = (changes: readonly ContractChange[]): boolean => breaking(changes, ['source']).length > 0;

/** Whether a verdict under the old contract says nothing of the new one. */
export const touchesVerdict = (changes: readonly ContractChange[]): boolean =>
  changes.some((change) => change.touchesVerdict);
