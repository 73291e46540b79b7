/** What training hands to the registry: a graph with its features inside, and how its trainer would answer. */
import type { ColumnBatch } from './row.js';
import type { Signature, Tensor } from './tensor.js';

/** A version before it is serialized. Nothing in it may depend on time, machine or run. */
export interface Artifact {
  /** A key of model-types/: `tabular-classifier` … */
  readonly modelType: string;
  /** A serialized ONNX ModelProto. */
  readonly graph: Uint8Array;
  readonly signature: Signature;
  /** The type's own fields, which its schema names and validates: classes, threshold … */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Rows and the trainer's own answers to them, by output name; the stored graph must repeat them to 1e-5. */
export interface Expected {
  readonly rows: ColumnBatch;
  readonly outputs: Readonly<Record<string, Tensor>>;
}
