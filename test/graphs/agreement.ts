/** A graph published and asked over Thrift answers as the runtime does, or is refused where the runtime refuses it. */
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { DataType } from '#parley/model/tensor.js';
import { OPERATORS } from './operators.js';
import { bitsOf, type GraphWorld, runDirectly, type Tensors } from './world.js';

/** What a caller may be told of a graph that the runtime has no operator for. */
const REASON = /^MODEL_BROKEN: the runtime refuses the graph: .*(type|implement)/i;

export async function expectAgreement(world: GraphWorld, operator: string, type: DataType): Promise<void> {
  const made = OPERATORS[operator](type);
  const { graph, inputs } = made.reference ?? made;
  const expected = await runDirectly(graph, inputs).catch(() => undefined);
  const actual = await publishedAnswer(world, made.graph, made.inputs);
  if (typeof actual === 'string') {
    expect(expected, `the runtime answers, and Parley refuses: ${actual}`).to.equal(undefined);
    expect(actual).to.match(REASON);
  } else expect(bitsOf(actual)).to.deep.equal(expected === undefined ? 'refused by the runtime' : bitsOf(expected));
}

async function publishedAnswer(world: GraphWorld, graph: Uint8Array, inputs: Tensors): Promise<Tensors | string> {
  try {
    const { model, version, modelType } = await world.publish('operators', graph);
    expect(modelType).to.equal('tensor');
    return await world.predict(model, version, inputs);
  } catch (error) {
    expect(error).to.be.instanceOf(ParleyError);
    const { code, message } = error as ParleyError;
    return `${code}: ${message}`;
  }
}
