/**
 * How much memory a version takes once it is loaded, told from its envelope before it is.
 *
 * The difference of the process's resident memory would say less: it misses what fits into pages that were freed before,
 * and counts what others allocate meanwhile. Measured with onnxruntime-node 1.30 on Linux x64, each as the slope over many
 * loaded copies: the weights of Gemm and MatMul take 1.0 to 2.1 times their bytes (the runtime packs a second copy of those
 * under some tens of MiB), a Gather's table 1.0, the attributes of tree ensembles 4.9 to 8.9, and a session of nothing
 * 126 KiB. The largest of each kind is taken. Not counted: the columns of waiting batches, which grow with the calls.
 */
import { fieldsOf } from '../onnx/fields.js';

const SESSION_BYTES = 128 << 10;
const PER_WEIGHT_BYTE = 2.1;
/** Nodes with their attributes, and what the envelope holds beside the graph. */
const PER_OTHER_BYTE = 9;

/** Field numbers of onnx.ModelProto and onnx.GraphProto. */
const GRAPH = 7,
  INITIALIZER = 5;

/**
 * @param envelopeBytes of the stored envelope
 * @param graph the ONNX file in it
 * @returns bytes
 * @throws ParleyError MODEL_BROKEN where the graph is cut short
 */
export function footprintOf(envelopeBytes: number, graph: Uint8Array): number {
  const weights = weightBytes(graph);
  return Math.round(SESSION_BYTES + PER_WEIGHT_BYTE * weights + PER_OTHER_BYTE * (envelopeBytes - weights));
}

function weightBytes(model: Uint8Array): number {
  let sum = 0;
  for (const graph of fieldsOf(model)) {
    if (graph.number !== GRAPH) continue;
    for (const { number, payload } of fieldsOf(graph.payload)) if (number === INITIALIZER) sum += payload.length;
  }
  return sum;
}
