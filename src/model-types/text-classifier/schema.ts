/** What a classifier of texts says beside its graph, in scikit-learn's terms. The graph takes the text as it is. */
import { z } from 'zod';
import { classFields, POSITIVE_IS_A_CLASS, THRESHOLD_HAS_A_CLASS } from '../class-fields.js';

export const metadata = z
  .strictObject({
    input: z.string().min(1).describe('The input that takes the text: string, shape (rows) or (rows, 1).'),
    ...classFields,
    analyzer: z.enum(['word', 'char', 'char_wb']).optional().describe('What the tokens are made of.'),
    lowercase: z.boolean().optional().describe('Whether the graph lowers the text first.'),
    token_pattern: z.string().min(1).optional().describe('Regular expression that a word matches.'),
    ngram_range: z
      .tuple([z.int().min(1), z.int().min(1)])
      .refine(([shortest, longest]) => shortest <= longest, 'begins above its end')
      .optional()
      .describe('Tokens that make a term: the fewest and the most.'),
    n_features: z.int().min(1).optional().describe('Buckets that terms are hashed into, where they are hashed.'),
    vocabulary_size: z.int().min(1).optional().describe('Terms that are known, where they are looked up.'),
  })
  .refine(...POSITIVE_IS_A_CLASS)
  .refine(...THRESHOLD_HAS_A_CLASS)
  .refine(({ n_features, vocabulary_size }) => n_features === undefined || vocabulary_size === undefined, {
    path: ['n_features'],
    message: 'stands beside vocabulary_size: terms are hashed or looked up',
  })
  .describe('Says which class a text is.');

export type TextClassifierMetadata = z.infer<typeof metadata>;
