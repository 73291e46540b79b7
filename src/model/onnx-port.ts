/** A graph under construction, as features and trainers see it; onnx/ implements it and serializes it. */
import type { DataType, Tensor } from './tensor.js';

export type AttributeValue =
  | number
  | string
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: Tensor }
  | { readonly graph: OnnxGraph };

export interface OnnxGraph {
  /** Adds an input; extents of -1 are the batch. @param value what stands for it when a call leaves it out @returns its name */
  input(name: string, dataType: DataType, shape: readonly number[], value?: Tensor): string;
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
  /** Adds a node with several outputs. @returns their names */
  nodes(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Readonly<Record<string, AttributeValue>>,
    domain?: string,
  ): string[];
  /** A branch or body, for an attribute of a node: it has outputs of its own and may read values of this graph. */
  subgraph(): OnnxGraph;
}
