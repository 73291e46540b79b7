/** Fields and rows for tests of features and trainers. */
import type { InputField } from '#parley/contract/contract.js';
import { type FeaturesInput, featuresConfiguration } from '#parley/features/configuration.js';
import { planFeatures } from '#parley/features/plan.js';
import type { ColumnBatch } from '#parley/model/row.js';
import type { FittedFeatures } from '#parley/model/training-port.js';

export function field(name: string, type: InputField['type'], more: Partial<InputField> = {}): InputField {
  return {
    id: 1,
    path: [1],
    name,
    type,
    missing: { kind: 'refused' },
    sensitive: false,
    role: 'feature',
    position: { file: 'test.thrift', line: 1, column: 1 },
    ...more,
  };
}

export function rowsOf(columns: Readonly<Record<string, readonly number[] | readonly string[]>>): ColumnBatch {
  const names = Object.keys(columns);
  const kinds = names.map(
    (name) => (typeof columns[name][0] === 'string' ? 'string' : 'number') as 'string' | 'number',
  );
  return {
    specs: names.map((name, i) => ({ name, kind: kinds[i] })),
    rows: columns[names[0]].length,
    columns: names.map((name, i) =>
      kinds[i] === 'number' ? Float64Array.from(columns[name] as number[]) : [...(columns[name] as string[])],
    ),
  };
}

export function fitFeatures(
  fields: readonly InputField[],
  batches: readonly ColumnBatch[],
  configuration: FeaturesInput = {},
): FittedFeatures {
  const fitter = planFeatures(fields, featuresConfiguration.parse(configuration));
  for (const batch of batches) fitter.observe(batch);
  return fitter.finish();
}

export function transformed(features: FittedFeatures, batch: ColumnBatch): Float32Array {
  const out = new Float32Array(batch.rows * features.width);
  features.transform(batch, out);
  return out;
}
