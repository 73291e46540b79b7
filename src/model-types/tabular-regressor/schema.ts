/** What a regressor of rows says beside its graph. */
import { z } from 'zod';

export const metadata = z
  .strictObject({
    target: z.string().min(1).optional().describe('What the value is, such as the field of the answer: `body_mass`.'),
    unit: z.string().optional().describe('Of the value, as the contract spells it.'),
  })
  .describe('Says a number for each row of a table.');

export type RegressorMetadata = z.infer<typeof metadata>;
