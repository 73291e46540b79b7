/** How a forecaster's input and output are read. */
import type { Signature } from '../../model/tensor.js';
import { checkOutput, FLOATS, type Misfit } from '../graph-checks.js';
import type { GraphCheck } from '../model-type.js';
import type { ForecasterMetadata } from './schema.js';

export const defaultOutputs = {
  /** float32, shape (rows, horizon): the next steps, the nearest first. */
  value: 'value',
} as const;

export const checkGraph: GraphCheck<ForecasterMetadata> = (signature, metadata) => [
  ...checkPast(signature, metadata),
  ...checkOutput(signature, 'value', FLOATS, metadata.horizon === 1 ? [[-1], [-1, 1]] : [[-1, metadata.horizon]]),
];

/** As many steps back as the farthest lag, or more. */
function checkPast({ inputs }: Signature, { input: name, lags }: ForecasterMetadata): readonly Misfit[] {
  if (name === undefined) return [];
  const input = inputs.find((each) => each.name === name);
  if (input === undefined)
    return [
      {
        path: 'input',
        message: `the graph has no input "${name}"; it has ${inputs.map((each) => each.name).join(', ')}`,
      },
    ];
  const least = lags.at(-1)!,
    [rows, steps = 0] = input.shape;
  if (FLOATS.includes(input.dataType) && input.shape.length === 2 && rows === -1 && (steps === -1 || steps >= least))
    return [];
  const found = `${input.dataType} (${input.shape.join(', ')})`;
  const message = `must be float32 or float64 of shape (-1, ${least}) or longer: the farthest lag is ${least}; the graph has ${found}`;
  return [{ path: `inputs.${name}`, message }];
}
