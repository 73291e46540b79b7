/** Text of a request, where it lies in a frame. */
import { isUtf8 } from 'node:buffer';
import { valueProblem } from '../../contract/value.js';
import type { TypedField } from './fields.js';

/** @returns undefined where it is missing or not what the contract allows */
export function textOf(buffer: Buffer, at: number, length: number, field: TypedField): string | undefined {
  if (field.vocabulary !== undefined) {
    const found = field.vocabulary.find(buffer, at, length);
    if (found >= 0) return field.vocabulary.members[found]!;
  }
  if (length === 0 || !isUtf8(buffer.subarray(at, at + length))) return undefined;
  const text = buffer.toString('utf8', at, at + length);
  return valueProblem(field.field, text, '') === undefined ? text : undefined;
}
