/** What an ensemble is: other versions of its model, and how their answers become one. It has no graph of its own. */
import { z } from 'zod';
import { VERSION_PATTERN } from '../../model/version.js';
import { classFields, POSITIVE_IS_A_CLASS, THRESHOLD_HAS_A_CLASS } from '../class-fields.js';

const MOST_MEMBERS = 64;

export const metadata = z
  .strictObject({
    members: z
      .array(z.string().regex(VERSION_PATTERN, 'must be a whole version'))
      .min(2)
      .max(MOST_MEMBERS)
      .refine((members) => members.every((member, i) => i === 0 || member > members[i - 1]!), 'must ascend, each once')
      .describe('Versions of the same model, by digest, ascending.'),
    weights: z.array(z.number().positive()).describe('What each member counts, in the order of the members.'),
    combine: z
      .enum(['average', 'vote'])
      .describe(
        '`average`: the weighted mean of the numbers, and the class that is likeliest then. `vote`: the class with the most weight, of equals the first; probabilities are the shares of the votes.',
      ),
    classes: classFields.classes.optional().describe('Of the answer, where it is a class.'),
    positive: classFields.positive,
    threshold: classFields.threshold,
    target: z.string().min(1).optional().describe('What the value is, where the members say the same.'),
    unit: z.string().optional().describe('Of the value, where the members say the same.'),
  })
  .refine(({ members, weights }) => members.length === weights.length, {
    path: ['weights'],
    message: 'must be one per member',
  })
  .refine(({ combine, classes }) => combine === 'average' || classes !== undefined, {
    path: ['combine'],
    message: 'is vote, which needs classes',
  })
  .refine(...POSITIVE_IS_A_CLASS)
  .refine(...THRESHOLD_HAS_A_CLASS)
  .describe('Combines the answers of other versions of its model.');

export type EnsembleMetadata = z.infer<typeof metadata>;
