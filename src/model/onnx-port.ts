/** A graph under construction, as features and trainers see it; onnx/ implements it and serializes it. */
import type { DataType, Tensor } from './tensor.js';

export type AttributeValue =
  | number
  | string
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor };

export interface OnnxGraph {
  /** Adds an input; extents of -1 are the batch. @returns its name */
  input(name: string, dataType: DataType, shape: readonly number[]): string;
  /** Names a value as an output. */
  output(name: string, value: string, dataType: DataType, shape: readonly number[]): void;
  /** Stores a constant. @returns its name */
  constant(hint: string, tensor: Tensor): string;
  /** Adds a node with one output. A plain `number` attribute is an INT. @param domain '' (ai.onnx) or 'ai.onnx.ml', 'com.microsoft' @returns the output's name */
  node(
    operator: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    domain?: string,
  ): string;
}
