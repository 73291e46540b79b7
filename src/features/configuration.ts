/** `features:` in parley.yaml: how a contract's fields become numbers, where the defaults by type are not wanted. */
import { z } from 'zod';

const numberOptions = {
  /** What stands for a missing number: the mean of those seen, or 0. A default of the contract goes before both. */
  impute: z.enum(['mean', 'zero']),
  /** `standardize`: minus the mean, over the standard deviation. `none`: as it is. */
  scale: z.enum(['standardize', 'none']),
};

/** How many of the seen values of a string without a vocabulary get a column; the commonest do. */
const maxCategories = z.int().min(1).max(10_000);

export const featuresConfiguration = z.strictObject({
  numbers: z
    .strictObject({
      impute: numberOptions.impute.default('mean'),
      scale: numberOptions.scale.default('standardize'),
    })
    .prefault({}),
  strings: z.strictObject({ max_categories: maxCategories.default(50) }).prefault({}),
  /** Fields that the model does not get. */
  drop: z.array(z.string()).default([]),
  /** One field's own options, over those of its type. */
  fields: z
    .record(
      z.string(),
      z.strictObject({
        impute: numberOptions.impute.optional(),
        scale: numberOptions.scale.optional(),
        max_categories: maxCategories.optional(),
      }),
    )
    .default({}),
});

export type FeaturesConfiguration = z.infer<typeof featuresConfiguration>;
export type FeaturesInput = z.input<typeof featuresConfiguration>;
