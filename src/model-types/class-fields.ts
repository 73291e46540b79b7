/** What every classifier's schema says of its classes. */
import { z } from 'zod';

export const classFields = {
  classes: z
    .array(z.string().min(1))
    .min(2)
    .refine((classes) => new Set(classes).size === classes.length, 'names a class twice')
    .describe("The classes, in the order of the probabilities' columns."),
  positive: z.string().optional().describe('Of two classes, the one that is looked for; needed for a threshold.'),
  threshold: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe(
      'Probability from which on the answer is the positive class. Without it, the likelier class is the answer.',
    ),
} as const;

export interface Classes {
  readonly classes?: readonly string[] | undefined;
  readonly positive?: string | undefined;
  readonly threshold?: number | undefined;
}

export const POSITIVE_IS_A_CLASS = [
  ({ classes = [], positive }: Classes) => positive === undefined || classes.includes(positive),
  { path: ['positive'], message: 'is none of the classes' },
] as const satisfies Refinement<Classes>;

export const THRESHOLD_HAS_A_CLASS = [
  ({ classes = [], positive, threshold }: Classes) =>
    threshold === undefined || (classes.length === 2 && positive !== undefined),
  { path: ['threshold'], message: 'needs two classes, one of which is positive' },
] as const satisfies Refinement<Classes>;

/** What zod's `refine` takes. */
type Refinement<T> = readonly [(value: T) => boolean, { path: string[]; message: string }];
