/** A graph of the tables, through upload, publication and calls: the runtime's own numbers, or a reason. */
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import { failure } from '../store/world.js';
import type { GraphCase, Refusal } from './cases/case.js';
import { bitsOf, type GraphClient, runDirectly, type Tensors } from './world.js';

const MODEL = 'graphs';

export async function expectCase(
  graphs: GraphClient,
  { graph, asked, refused, refusedCalls = [] }: GraphCase,
): Promise<void> {
  if (refused !== undefined) return expectRefusal(await failure(graphs.publish(MODEL, graph)), refused);
  const { version, modelType } = await graphs.publish(MODEL, graph);
  expect(modelType).to.equal('tensor');
  expect(asked.length + refusedCalls.length, 'calls').to.be.above(0);
  for (const inputs of asked) {
    const answers = await graphs.predict(MODEL, version, inputs);
    expect(bitsOf(answers)).to.deep.equal(bitsOf(await runDirectly(graph, inputs)));
  }
  for (const { inputs, ...reason } of refusedCalls)
    expectRefusal(await failure(graphs.predict(MODEL, version, inputs)), reason);
}

/** Where the runtime loads and runs the graph Parley must too; where it does not, Parley says what the runtime has against it. */
export async function expectAlike(graphs: GraphClient, { graph, asked, refused }: GraphCase): Promise<void> {
  if (refused !== undefined) return expectCase(graphs, { graph, asked, refused });
  for (const inputs of asked) {
    const expected = await runDirectly(graph, inputs).catch((error: Error) => error);
    const actual = await publishedAnswer(graphs, graph, inputs);
    if (!(expected instanceof Error)) expect(readable(actual)).to.deep.equal(bitsOf(expected));
    else
      expectRefusal(actual as ParleyError, {
        code: 'MODEL_BROKEN',
        says: /the runtime refuses the graph: .*(type|implement)/i,
      });
  }
}

const readable = (answer: Tensors | ParleyError) => (answer instanceof Error ? answer.message : bitsOf(answer));

async function publishedAnswer(
  graphs: GraphClient,
  graph: Uint8Array,
  inputs: Tensors,
): Promise<Tensors | ParleyError> {
  try {
    const { version } = await graphs.publish(MODEL, graph);
    return await graphs.predict(MODEL, version, inputs);
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
}

function expectRefusal(error: Error, { code, says }: Refusal): void {
  expect(error).to.be.instanceOf(ParleyError);
  expect(error.message).to.match(says);
  expect((error as ParleyError).code).to.equal(code);
}
