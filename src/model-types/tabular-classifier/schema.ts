/** What the envelope of a classifier says beside its graph. */
import { z } from 'zod';

export const metadata = z
  .strictObject({
    /** In the order of the graph's probabilities. */
    classes: z
      .array(z.string().min(1))
      .min(2)
      .refine((classes) => new Set(classes).size === classes.length, 'names a class twice'),
    /** Of two classes, the one that is looked for; needs to be set for a threshold. */
    positive: z.string().optional(),
    /** From this probability on, the answer is the positive class. Without it, the likelier class is the answer. */
    threshold: z.number().gt(0).lt(1).optional(),
  })
  .refine(({ classes, positive }) => positive === undefined || classes.includes(positive), {
    path: ['positive'],
    message: 'is none of the classes',
  })
  .refine(
    ({ classes, positive, threshold }) => threshold === undefined || (classes.length === 2 && positive !== undefined),
    { path: ['threshold'], message: 'needs two classes, one of which is positive' },
  );

export type ClassifierMetadata = z.infer<typeof metadata>;
