/**
 * Where a graph is loaded first, and where it stays: pure, but for the runs by which a row is measured.
 *
 * A run blocks its process. In the serving process it may, for about a millisecond a row; a lane costs a call about a tenth
 * of a millisecond, a process of its own some 60 MiB.
 */
import { allocate, type Signature } from '../../model/tensor.js';
import { endedByNothing } from '../../onnx/nothing.js';
import type { GraphSummary } from '../../onnx/reader.js';
import { type Feeds, feedsOf, runtimeTensor } from '../../onnx/session.js';

/** `lane` is for good; the others are for the time until a row has been measured. */
export type Place = 'lane' | 'lane first' | 'inline first';

/** A session of a smaller graph is made in some 10 ms. */
const SMALL_BYTES = 256 << 10;

/** They decide themselves how long they run. */
const CONTROL_FLOW = ['If', 'Loop', 'Scan', 'SequenceMap'];
/** Their weights are few for the work that they do. */
const LABORIOUS = [
  'Attention',
  'Conv',
  'ConvInteger',
  'ConvTranspose',
  'DeformConv',
  'DFT',
  'GRU',
  'LSTM',
  'QLinearConv',
  'RNN',
  'STFT',
  'com.microsoft.FusedConv',
];
/** With shapes of a caller's choice, more work than the caller has sent values. */
const GROWING = [
  'CenterCropPad',
  'ConstantOfShape',
  'Einsum',
  'Expand',
  'EyeLike',
  'Gemm',
  'MatMul',
  'MatMulInteger',
  'OneHot',
  'Pad',
  'QLinearMatMul',
  'Range',
  'Resize',
  'Tile',
  'Upsample',
];
/** Their answers may be empty although no input is. */
const EMPTYING = ['Compress', 'NonMaxSuppression', 'NonZero', 'Unique'];

type Known = Pick<GraphSummary, 'operators' | 'inputs' | 'optionalInputs' | 'functionDomains'>;

/** @param bytes of the graph */
export function placeOf(bytes: number, graph: Known): Place {
  const has = (operators: readonly string[]) => graph.operators.some((operator) => operators.includes(operator));
  const mayEnd = endedByNothing(graph.operators).length > 0;
  if (has(CONTROL_FLOW)) return 'lane';
  if (mayEnd && (has(EMPTYING) || isOpenInside(graph))) return 'lane';
  // Only the nodes of the graph itself divide safely.
  if (graph.functionDomains.length > 0 && has(['Div', 'Mod'])) return 'lane';
  if (isOpenInside(graph) && has([...GROWING, ...LABORIOUS])) return 'lane';
  return bytes < SMALL_BYTES && !has(LABORIOUS) ? 'inline first' : 'lane first';
}

/** Whether callers choose more than the number of rows. */
const isOpenInside = ({ inputs, optionalInputs }: Known): boolean =>
  optionalInputs.length > 0 ||
  inputs.some(({ shape }) => shape === undefined || shape.slice(1).some((extent) => extent < 0));

const LIGHT_MS = 1,
  /** Beyond doubt. */
  HEAVY_MS = 10;
const LEAST_RUNS = 3,
  MOST_RUNS = 6;

/**
 * @param timed runs the session once and says what CPU time that took, in milliseconds: others may have the core
 * @returns undefined where no row can be made up
 */
export async function isLight(
  { inputs }: Signature,
  timed: (feeds: Feeds) => Promise<number>,
): Promise<boolean | undefined> {
  if (inputs.some(({ shape }) => shape.slice(1).some((extent) => extent < 0))) return undefined;
  const row = feedsOf(
    inputs.map(({ name, dataType, shape }) => {
      const dims = shape.map((extent) => (extent < 0 ? 1 : extent));
      const data = allocate(
        dataType,
        dims.reduce((a, b) => a * b, 1),
      );
      return [name, runtimeTensor(dataType, data, dims)] as const;
    }),
  );
  try {
    // The first run warms up, and one among the next is not disturbed; no need to see what is heavy again and again.
    let best = await timed(row);
    for (let runs = 1; runs < MOST_RUNS && (best < HEAVY_MS || runs < LEAST_RUNS); runs++) {
      best = Math.min(best, await timed(row));
      if (best <= LIGHT_MS) return true;
    }
    return false;
  } catch {
    return undefined;
  }
}
