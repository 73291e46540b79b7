/** The ports of training: sources of rows, fitted features, trainers. Each adapter is a folder and a line in its table. */
import type { ZodType } from 'zod';
import type { OnnxGraph } from './onnx-port.js';
import type { ColumnBatch, ColumnSpec } from './row.js';

/** A schema and a cursor of column batches; memory stays bounded however many rows there are. */
export interface Source {
  readonly schema: readonly ColumnSpec[];
  /** Reads from the start; may be called once. Batches hold at most a few thousand rows. */
  batches(signal?: AbortSignal): AsyncIterable<ColumnBatch>;
  close(): Promise<void>;
}

/** One kind of source: `kind` is what `source.kind` in parley.yaml says. */
export interface SourceKind<Configuration = unknown> {
  readonly kind: string;
  readonly configuration: ZodType<Configuration>;
  /**
   * @param folder the project's, against which relative paths are resolved
   * @param texts columns that are text whatever their values look like; lists and structures are JSON there, bytes base64
   */
  open(configuration: Configuration, folder: string, texts?: ReadonlySet<string>): Promise<Source>;
}

/** Fitted transforms: contract fields in, one float32 matrix out, the same in TypeScript and in the graph. */
export interface FittedFeatures {
  /** Columns of the matrix. */
  readonly width: number;
  /** One name per column: `bill_length_mm`, `island=Biscoe`. */
  readonly names: readonly string[];
  /** Fills `out`, shape (rows, width), row-major. */
  transform(batch: ColumnBatch, out: Float32Array): void;
  /** Adds one graph input per field (float64 or string, shape (-1, 1)) and the nodes. @returns the float32 (-1, width) value's name */
  write(graph: OnnxGraph): string;
  /** Everything fitted, as plain JSON, for the run's record. */
  state(): unknown;
}

/** Examples in bounded memory: can be read again and again, in the same order. */
export interface Examples {
  readonly rows: number;
  readonly width: number;
  /** Class indices (classification) or values (regression). The arrays are only the reader's until the next batch. */
  batches(): Iterable<{ readonly rows: number; readonly features: Float32Array; readonly targets: Float64Array }>;
}

export interface FitProgress {
  /** 0 to 1. */
  readonly fraction: number;
  readonly message: string;
}

export interface Fitted {
  /** Classification: probabilities, shape (rows, classes). Regression: values, shape (rows). */
  predict(features: Float32Array, rows: number): Float32Array;
  /**
   * Adds the nodes from the feature matrix to the outputs `label` (string, shape (-1)) and `probabilities` (float32,
   * shape (-1, classes)), or `value` (float32, shape (-1)).
   */
  write(graph: OnnxGraph, features: string): void;
  /** For the run's record: iterations, loss, whether it converged. */
  readonly summary: Readonly<Record<string, number>>;
}

export interface Trainer<Parameters = unknown> {
  /** What `trainer.name` in parley.yaml says. */
  readonly name: string;
  readonly modelType: 'tabular-classifier' | 'tabular-regressor';
  /** Every parameter with its default; unknown keys are refused by the caller. */
  readonly parameters: ZodType<Parameters>;
  fit(
    examples: Examples,
    options: {
      readonly parameters: Parameters;
      /** The classes that targets index, in the contract's order; empty for regression. */
      readonly classes: readonly string[];
      readonly seed: number;
      readonly signal?: AbortSignal;
      readonly onProgress?: (progress: FitProgress) => void;
    },
  ): Promise<Fitted>;
}
