/** What a forecaster says beside its graph. */
import { z } from 'zod';

const steps = z.int().min(1);

export const metadata = z
  .strictObject({
    target: z.string().min(1).describe('What is forecast.'),
    unit: z.string().optional().describe('Of the target, as the contract spells it.'),
    frequency: z.string().min(1).optional().describe("Length of a step, as pandas' offset aliases: `h`, `D`, `MS`."),
    lags: z
      .array(steps)
      .min(1)
      .refine((lags) => lags.every((lag, i) => i === 0 || lag > lags[i - 1]!), 'must ascend')
      .describe('Steps back that are looked at, ascending.'),
    horizon: steps.describe('Steps ahead that are answered.'),
    seasonal_period: z.int().min(2).optional().describe('Steps of a season: 7 for days of a week.'),
    input: z
      .string()
      .min(1)
      .optional()
      .describe("The input that takes the target's past: shape (rows, the largest lag or more), oldest first."),
  })
  .describe("Says a series' next values.");

export type ForecasterMetadata = z.infer<typeof metadata>;
