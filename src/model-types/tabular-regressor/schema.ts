/** What the envelope of a regressor says beside its graph. */
import { z } from 'zod';

export const metadata = z.strictObject({
  /** Of the value, as the contract spells it. */
  unit: z.string().optional(),
});

export type RegressorMetadata = z.infer<typeof metadata>;
