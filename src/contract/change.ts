/** How two contracts differ: what `contract diff` prints, a server tells a caller, and publication decides by. */

/**
 * Whom a difference breaks.
 *
 * `callers`: compiled clients of the one talk wrongly with a server of the other, or are refused what they were promised;
 * `models`: a version that kept the old contract may not keep the new one, and must be bound and accepted again;
 * `source`: code written against the old stubs does not compile, or means something else, with the new ones.
 */
export type Breaks = 'callers' | 'models' | 'source';

export interface ContractChange {
  /** `Penguin.bill_length_mm`, `Species.GENTOO`, `Penguins.identify`, `Penguins accept.recall`. */
  readonly path: string;
  /** The rule's name, one of the table of compare.ts: `field-removed`, `range-narrowed`. */
  readonly kind: string;
  /** What is different, in one sentence with both values. */
  readonly message: string;
  /** What it breaks and why; or why it breaks nothing. */
  readonly why: string;
  /** Empty: compatible. */
  readonly breaks: readonly Breaks[];
  /** Whether a verdict under the old contract says nothing of the new one: what was tested is different. */
  readonly touchesVerdict: boolean;
}
