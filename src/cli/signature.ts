/** What a version takes, gives and is, as commands print it. */
import type { Described } from '../model/registry-port.js';
import type { TensorSpec } from '../model/tensor.js';
import { type Output, short } from './output.js';

/** Longer fields are cut: all of them is what --json is for. */
const MOST_CHARACTERS = 120;

export function printSignature(output: Output, { inputs, outputs }: Described['signature']): void {
  const row = (side: string) => (spec: TensorSpec) =>
    [
      side,
      spec.name,
      spec.dataType,
      `(${spec.shape.map((extent) => (extent < 0 ? 'any' : extent)).join(', ')})`,
    ] as const;
  output.table(['', 'name', 'type', 'shape'], [...inputs.map(row('input')), ...outputs.map(row('output'))]);
}

/** The model type's own fields; nothing where there are none. */
export function printTypeFields(output: Output, typeFields: Described['typeFields']): void {
  const fields = Object.entries(typeFields);
  if (fields.length === 0) return;
  output.line();
  output.table(
    ['field', 'value'],
    fields.map(([name, value]) => [name, withShortDigests(value)]),
  );
}

function withShortDigests(text: string): string {
  const value = text.replace(/\b[0-9a-f]{64}\b/g, short);
  return value.length <= MOST_CHARACTERS ? value : `${value.slice(0, MOST_CHARACTERS - 1)}…`;
}
