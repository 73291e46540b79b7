/** A graph, what it is asked, and where Parley refuses what it says. Without a refusal, the runtime's own numbers. */
import type { ErrorCode } from '#parley/errors.js';
import type { DataType, Tensor } from '#parley/model/tensor.js';
import type { Tensors } from '../world.js';

export interface GraphCase {
  readonly graph: Uint8Array;
  /** Calls; of each, the runtime's own answer is asked for too. */
  readonly asked: readonly Tensors[];
  /** Of publishing. */
  readonly refused?: Refusal;
  /** Of calls that the runtime refuses, or that it is not asked. */
  readonly refusedCalls?: readonly (Refusal & { readonly inputs: Tensors })[];
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly says: RegExp;
}

export type Cases = Readonly<Record<string, GraphCase>>;

export const floats = (shape: readonly number[], ...values: number[]): Tensor => ({
  dataType: 'float32',
  shape,
  data: Float32Array.from(values),
});
export const ints = (shape: readonly number[], ...values: number[]): Tensor => ({
  dataType: 'int64',
  shape,
  data: BigInt64Array.from(values, BigInt),
});
export const texts = (shape: readonly number[], ...values: string[]): Tensor => ({
  dataType: 'string',
  shape,
  data: values,
});
export const bool = (value: boolean): Tensor => ({ dataType: 'bool', shape: [], data: Uint8Array.of(value ? 1 : 0) });
/** Of any type, as its bytes are. */
export const bytes = (dataType: DataType, shape: readonly number[], data: Uint8Array | Uint16Array): Tensor => ({
  dataType,
  shape,
  data,
});

export const UNSUPPORTED = (says: RegExp): Refusal => ({ code: 'UNSUPPORTED', says });
export const BROKEN = (says: RegExp): Refusal => ({ code: 'MODEL_BROKEN', says });
export const INVALID = (says: RegExp): Refusal => ({ code: 'INVALID_INPUT', says });
