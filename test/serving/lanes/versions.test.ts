/** Versions whose graphs are in lanes: batched, kept within the memory limit, and in ensembles with others. */
import { expect } from 'chai';
import type { Artifact } from '#parley/model/trained.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { deserialize, modelTypeOf } from '#parley/model-types/table.js';
import { ELEMENT_TYPES } from '#parley/onnx/proto.js';
import { Session } from '#parley/onnx/session.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { LaneSession } from '#parley/serving/lanes/lane-session.js';
import { Lanes } from '#parley/serving/lanes/lanes.js';
import { Servable } from '#parley/serving/servable.js';
import { ensembleOf, versionOf } from '../../model-types/samples.js';
import { failure } from '../../store/world.js';
import { put } from '../calls.js';
import { envelopeOf, graphOf, type Made, MODEL } from '../models.js';
import { dividing, laborious, x } from './graphs.js';

const artifactOf = (made: Made): Artifact => deserialize(envelopeOf(made));

const doubling = graphOf(
  { x: 'float64' },
  (graph) => {
    const twice = graph.node('Add', ['x', 'x']);
    graph.output('value', graph.node('Cast', [twice], { to: ELEMENT_TYPES.float32 }), 'float32', [-1, 1]);
  },
  [{ name: 'value', dataType: 'float32', shape: [-1, 1] }],
);

describe('a version in a lane', () => {
  let lanes: Lanes;
  beforeEach(() => {
    lanes = new Lanes({ count: 1 });
  });
  afterEach(() => lanes.close());

  it('answers batches, takes memory of the limit, and leaves nothing when it is let go', async () => {
    const envelope = Buffer.from(envelopeOf(laborious())),
      version = digestOf(envelope);
    const factory = new Factory({ readVersion: async () => envelope }, new Batcher(), {
      memoryLimitBytes: 1 << 30,
      loadSession: lanes.load,
    });
    const servable = await factory.load(MODEL, version);
    expect(servable.session).to.be.instanceOf(LaneSession);
    expect(factory.memory.takenBytes).to.be.greaterThan(envelope.length);
    const plan = servable.plan([0]);
    const calls = [1, 2, 3].map((value) => put(plan, [[value]]));
    await Promise.all(calls.map((call) => call.settled));
    expect(calls.map((call) => call.values)).to.deep.equal([[[1]], [[2]], [[3]]]);
    factory.forget(MODEL, version);
    await new Promise((resolve) => setImmediate(resolve));
    expect([factory.memory.takenBytes, lanes.sessions]).to.deep.equal([0, 0]);
    factory.close();
  });

  it('is released where it turns out that it cannot be served', async () => {
    // Blank rows are divided by 0.
    const envelope = Buffer.from(envelopeOf(dividing(0)));
    const factory = new Factory({ readVersion: async () => envelope }, new Batcher(), { loadSession: lanes.load });
    const error = await failure(factory.load(MODEL, digestOf(envelope)));
    expect(error.message).to.include('Div');
    expect([lanes.running, lanes.sessions]).to.deep.equal([1, 0]);
    factory.close();
  });

  it('is a member beside others that answer inline', async () => {
    const members = [artifactOf(laborious()), artifactOf(doubling)];
    const envelopes = new Map(members.map((each) => [versionOf(each), modelTypeOf(each.modelType).serialize(each)]));
    const ensemble = ensembleOf(members, 'average');
    const sessions: unknown[] = [];
    const servable = await Servable.of(
      MODEL,
      versionOf(ensemble),
      ensemble,
      new Batcher(),
      async (member) => envelopes.get(member)!,
      async (graph, name) => {
        const session = await lanes.load(graph, name);
        sessions.push(session);
        return session;
      },
    );
    expect(sessions.filter((each) => each instanceof LaneSession)).to.have.length(1);
    expect(sessions.filter((each) => each instanceof Session)).to.have.length(1);
    expect(servable.session.synchronous).to.equal(false);
    const answers = await Promise.all([2, 4, 6].map((value) => servable.session.runOnce(x(value))));
    expect(answers.map(({ value }) => value!.data[0])).to.deep.equal([3, 6, 9]);
    servable.release();
    expect(lanes.sessions).to.equal(0);
  });
});
