/** The process in which `parley doctor` tries the runtime: adds one and two by a graph, says so, ends. */
import { GraphBuilder } from '../onnx/graph.js';
import { runtimeTensor, Session } from '../onnx/session.js';

export type GraphAnswer =
  | { readonly ok: true; readonly synchronous: boolean }
  | { readonly ok: false; readonly message: string };

async function answerOf(): Promise<GraphAnswer> {
  try {
    const session = await Session.load(tinyGraph());
    const { sum } = await session.runOnce({ x: runtimeTensor('float32', Float32Array.of(1), [1]) });
    const { synchronous } = session;
    session.release();
    return sum?.data[0] === 3
      ? { ok: true, synchronous }
      : { ok: false, message: `1 + 2 is ${String(sum?.data[0])} by it` };
  } catch (error) {
    return { ok: false, message: (error instanceof Error ? error.message : String(error)).split('\n')[0]! };
  }
}

function tinyGraph(): Uint8Array {
  const graph = new GraphBuilder();
  const x = graph.input('x', 'float32', [-1]);
  const two = graph.constant('two', { dataType: 'float32', shape: [1], data: Float32Array.of(2) });
  graph.output('sum', graph.node('Add', [x, two]), 'float32', [-1]);
  return graph.serialize();
}

const answer = await answerOf();
process.send?.(answer, () => process.exit(0));
