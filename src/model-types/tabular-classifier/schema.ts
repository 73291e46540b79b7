/** What a classifier of rows says beside its graph. */
import { z } from 'zod';
import { classFields, POSITIVE_IS_A_CLASS, THRESHOLD_HAS_A_CLASS } from '../class-fields.js';

export const metadata = z
  .strictObject(classFields)
  .refine(...POSITIVE_IS_A_CLASS)
  .refine(...THRESHOLD_HAS_A_CLASS)
  .describe('Says which class each row of a table is.');

export type ClassifierMetadata = z.infer<typeof metadata>;
