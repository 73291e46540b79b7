/** The schema of parley.yaml. What `source` and `trainer` may hold beside their kind and name, these say themselves. */
import { z } from 'zod';
import { featuresConfiguration } from '../features/configuration.js';

export const projectConfiguration = z.strictObject({
  name: z.string().min(1).describe("the project's name, for people"),
  contract: z.string().min(1).describe("the contract's file; a relative path starts at the project's folder"),
  service: z.string().optional().describe('the service that is trained for, where the contract has several'),
  source: z.looseObject({ kind: z.string() }).describe('where the rows come from: `kind`, and what that kind takes'),
  label: z.string().min(1).describe("the source's column that holds the truth"),
  columns: z
    .record(z.string(), z.string().min(1))
    .default({})
    .describe("contract field -> source's column, where the names differ"),
  fixtures: z
    .union([z.string().min(1), z.looseObject({ kind: z.string() })])
    .optional()
    .describe('the rows of the acceptance suite: a .csv, .jsonl or .parquet file, or what a source takes'),
  checks: z.string().min(1).optional().describe('checks of the acceptance suite beside its bounds: a .yaml file'),
  split: z
    .strictObject({
      test: z.number().gt(0).lt(1).default(0.2).describe('share of the rows that is held out'),
      key: z.array(z.string().min(1)).min(1).optional().describe('columns whose equal values stay on one side'),
      seed: z.int().min(0).max(0xffffffff).default(1).describe('another seed, another part'),
    })
    .prefault({}),
  features: featuresConfiguration.prefault({}),
  trainer: z
    .looseObject({ name: z.string().optional() })
    .default({})
    .describe("`name`, by default one for the contract's task, and that trainer's parameters"),
  seed: z.int().min(0).max(0xffffffff).default(1).describe('of everything random in a fit'),
});

export type ProjectConfiguration = z.infer<typeof projectConfiguration>;
