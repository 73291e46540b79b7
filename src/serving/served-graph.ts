/** The graph of a version as the runtime is given it, and what stands for the inputs that a call leaves out. */
import type { Signature, Tensor } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import { optionalInputs } from '../model-types/tensor/runtime.js';
import { inspectGraph } from '../onnx/reader.js';
import { openInputs } from '../onnx/rewrite.js';

export interface ServedGraph {
  readonly graph: Uint8Array;
  /** By the input's name. */
  readonly defaults: ReadonlyMap<string, Tensor>;
}

/** @throws ParleyError MODEL_BROKEN where the graph lacks an input that its envelope calls optional */
export function servedGraph({ graph, metadata }: Pick<Artifact, 'graph' | 'metadata'>): ServedGraph {
  const names = optionalInputs(metadata);
  return names.length === 0 ? { graph, defaults: new Map() } : openInputs(graph, names);
}

/** What callers see: optional inputs too. @throws ParleyError what `inspectGraph` throws */
export const servedSignature = (artifact: Pick<Artifact, 'graph' | 'metadata'>): Signature =>
  inspectGraph(servedGraph(artifact).graph).signature;
