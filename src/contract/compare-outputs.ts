/** What two contracts say of the same field of an answer. */
import { isDeepStrictEqual } from 'node:util';
import { compareUnits, shapeText } from './compare-inputs.js';
import type { Comparison } from './comparison.js';
import type { OutputField } from './contract.js';

export function compareOutputs(comparison: Comparison, path: string, before: OutputField, after: OutputField): void {
  const tell = (kind: Parameters<Comparison['report']>[0], message: string) =>
    comparison.report(kind, path, message, after.position);
  if (before.role !== after.role) tell('answer-role-changed', `was ${before.role}, is ${after.role}`);
  compareUnits(before, after, tell);
  if (!isDeepStrictEqual(before.shape, after.shape)) {
    const text = (shape: OutputField['shape']) => (shape === undefined ? 'one value' : shapeText(shape));
    tell('shape-changed', `was ${text(before.shape)}, is ${text(after.shape)}`);
  }
}
