/** Graphs that were trained elsewhere: what they become, with and without a contract, and why some are refused. */
import { expect } from 'chai';
import type { ParleyError } from '#parley/errors.js';
import type { Tensor } from '#parley/model/tensor.js';
import { PRODUCTION } from '#parley/model/version.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { until } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { message, model as modelBytes, tensorType, value } from '../unit/onnx/wire.js';
import { bitsOf, runDirectly, someValues, useGraphWorld } from './world.js';

const IDL = `include "parley.thrift"
namespace js flowers
enum Kind { UNSPECIFIED = 0, ROSE = 1 (label = "rose"), TULIP = 2 (label = "tulip") }
struct Flower { 1: optional double height (min = "0", max = "100"), 2: optional double width }
struct Named { 1: optional Kind kind (role = "label"), 2: optional map<Kind, double> probability (role = "probability") }
struct Priced { 1: optional double price (role = "value") }
service Flowers { Named name(1: Flower flower) throws (1: parley.ParleyError error) } (model = "MODEL")
`;
const PRICES = IDL.replace(/service Flowers .*/, 'service Prices { Priced price(1: Flower flower) } (model = "MODEL")');

const float32 = (shape: number[], ...values: number[]): Tensor => ({
  dataType: 'float32',
  shape,
  data: Float32Array.from(values),
});

interface Classifier {
  readonly labels?: { readonly strings: readonly string[] } | { readonly ints: readonly number[] };
  readonly columns?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** scikit-learn's LogisticRegression, as skl2onnx writes it: two columns, two classes. */
function classifier({
  labels = { strings: ['rose', 'tulip'] },
  columns = 2,
  metadata = {},
}: Classifier = {}): Uint8Array {
  const graph = new GraphBuilder();
  const isText = 'strings' in labels;
  const [label, scores] = graph.nodes(
    'LinearClassifier',
    [graph.input('X', 'float32', [-1, columns])],
    2,
    {
      ...(isText ? { classlabels_strings: labels } : { classlabels_ints: labels }),
      coefficients: {
        floats: [1, -1, ...new Array<number>(columns - 2).fill(0), -1, 1, ...new Array<number>(columns - 2).fill(0)],
      },
      intercepts: { floats: [0, 0.5] },
      multi_class: 0,
      post_transform: 'SOFTMAX',
    },
    'ai.onnx.ml',
  );
  graph.output('label', label, isText ? 'string' : 'int64', [-1]);
  graph.output('probabilities', scores, 'float32', [-1, 2]);
  return graph.serialize(metadata);
}

function regressor(output = 'variable'): Uint8Array {
  const graph = new GraphBuilder();
  const weights = graph.constant('weights', float32([2, 1], 2, 3));
  graph.output(output, graph.node('MatMul', [graph.input('X', 'float32', [-1, 2]), weights]), 'float32', [-1, 1]);
  return graph.serialize();
}

/** A ZipMap behind a matrix that is an input: what maps are made of. */
function zipMap(): Uint8Array {
  const text = (name: string) => message([1, name], [20, 8], [9, 'rose'], [9, 'tulip']);
  const node = message([1, 'p'], [2, 'maps'], [4, 'ZipMap'], [5, text('classlabels_strings')], [7, 'ai.onnx.ml']);
  const maps = message([4, message([1, message([5, message([1, 8], [2, tensorType(1, [])])])])]);
  const graph = message([1, node], [2, 'g'], [11, value('p', tensorType(1, ['n', 2]))], [12, value('maps', maps)]);
  return message([1, 8], [7, graph], [8, message([1, ''], [2, 17])], [8, message([1, 'ai.onnx.ml'], [2, 3])]);
}

describe('a graph that was trained elsewhere', function () {
  this.timeout(30_000);
  const world = useGraphWorld();
  let count = 0;

  /** A model of its own with a contract in force. */
  async function contracted(idl = IDL): Promise<string> {
    const model = `flowers${++count}`;
    const text = idl.replace('MODEL', model).replace(/service (\w+)/, `service $1${count}`);
    await world().client.publishContract({ idl: text });
    return model;
  }
  const refusal = (model: string, graph: Uint8Array, more = {}): Promise<ParleyError> =>
    failure(world().publish(model, graph, more));

  describe('without a contract', () => {
    it('becomes a tensor model, by the same digest each time', async () => {
      const first = await world().publish('bare', regressor(), { description: 'from a notebook' });
      const second = await world().publish('bare2', regressor());
      expect(first).to.include({ modelType: 'tensor', description: 'from a notebook', accepted: false });
      expect(second.version).to.equal(first.version);
    });

    it('is promoted without a verdict, and the ledger says so', async () => {
      const { version } = await world().publish('bare', regressor());
      await world().client.promote({ model: 'bare', version, reason: 'a trial' });
      const [line] = await world().client.history({ model: 'bare', aliasName: PRODUCTION });
      expect(line).to.include({ action: 'promote', version, reason: 'uncontracted: a trial' });
      const answers = await world().predict('bare', PRODUCTION, { X: float32([1, 2], 1, 2) });
      expect(answers.variable.data).to.deep.equal(Float32Array.of(8));
    });

    it('is told as uncontracted also where nobody gives a reason, and on a free alias not at all', async () => {
      const { version } = await world().publish('bare3', regressor());
      expect(await world().client.promote({ model: 'bare3', version })).to.include({ reason: 'uncontracted' });
      const other = (await world().publish('bare3', regressor('other'))).version;
      const canary = await world().client.promote({ model: 'bare3', version: other, canaryWeight: 0.5 });
      expect(canary).to.include({ action: 'canary', reason: 'uncontracted' });
      const free = await world().client.promote({ model: 'bare3', version, aliasName: 'candidate' });
      expect(free).to.not.have.property('reason');
    });

    it('loses its ZipMap, whose output becomes the matrix behind it', async () => {
      const { model, version } = await world().publish('zipped', zipMap());
      const p = float32([2, 2], 0.25, 0.75, 1, 0);
      expect(bitsOf(await world().predict(model, version, { p }))).to.deep.equal(bitsOf({ maps: p }));
    });

    it('is described with its inputs and outputs', async () => {
      const { model, version } = await world().publish('bare', regressor());
      expect(await world().client.describe(model, version.slice(0, 12))).to.deep.equal({
        version,
        modelType: 'tensor',
        signature: {
          inputs: [{ name: 'X', dataType: 'float32', shape: [-1, 2] }],
          outputs: [{ name: 'variable', dataType: 'float32', shape: [-1, 1] }],
        },
        typeFields: {},
      });
    });

    it('may be called a classifier when it says what its classes are', async () => {
      const published = await world().publish('named', classifier(), { modelType: 'tabular-classifier' });
      expect(published.modelType).to.equal('tabular-classifier');
      const error = await refusal('named', regressor(), { modelType: 'tabular-classifier' });
      expect(error.message).to.match(/does not say what its classes are.*metadata_props/);
    });
  });

  describe('with a contract', () => {
    const flower = { height: 3, width: 1 };
    const ask = async (model: string) => (await world().client.predict(model, [flower], { many: false }))[0];
    /** The server hears of a promotion a moment later. */
    const serves = async (model: string): Promise<boolean> => {
      try {
        await world().client.describe(model, PRODUCTION);
        return true;
      } catch (error) {
        expect(error).to.have.property('code', 'NOT_FOUND');
        return false;
      }
    };
    const place = async (model: string, graph: Uint8Array) => {
      const published = await world().publish(model, graph);
      const { store } = world().world;
      await store.moveAlias({
        actor: 'ada',
        model,
        version: published.version,
        aliasName: PRODUCTION,
        action: 'promote',
      });
      await until('the server to follow', () => serves(model));
      return published;
    };
    /** 1 / (1 + e^-3.5): the scores are 2 and -1.5. */
    const ROSE = 0.9706878;

    it('becomes a classifier that answers the typed service', async () => {
      const model = await contracted();
      expect(await place(model, classifier())).to.include({ modelType: 'tabular-classifier' });
      const answer = await ask(model);
      expect(answer.kind).to.equal('rose');
      expect((answer.probability as Record<string, number>).rose).to.be.closeTo(ROSE, 1e-6);
    });

    it('answers by the names that its metadata gives to numbers, whatever the numbers are', async () => {
      const model = await contracted();
      await place(model, classifier({ labels: { ints: [40, 20] }, metadata: { classes: 'rose, tulip' } }));
      expect((await ask(model)).kind).to.equal('rose');
    });

    it('becomes a regressor where the contract asks for a value', async () => {
      const model = await contracted(PRICES);
      expect(await place(model, regressor())).to.include({ modelType: 'tabular-regressor' });
      expect(await ask(model)).to.deep.include({ price: 9 });
    });

    it('cannot reach production without a verdict', async () => {
      const model = await contracted();
      const { version } = await world().publish(model, classifier());
      expect((await failure(world().client.promote({ model, version }))).code).to.equal('NOT_ACCEPTED');
    });

    const misfits: [what: string, idl: string, graph: () => Uint8Array, says: RegExp][] = [
      [
        'columns that the contract has not',
        IDL,
        () => classifier({ columns: 3 }),
        /inputs\.X.*column for each of height, width.*3 columns/,
      ],
      [
        'classes that the contract has not',
        IDL,
        () => classifier({ labels: { strings: ['rose', 'lily'] } }),
        /lacks "tulip".*|has "lily"/,
      ],
      [
        'numbers for classes',
        IDL,
        () => classifier({ labels: { ints: [0, 1] } }),
        /metadata\.classes: lacks "rose", "tulip"/,
      ],
      ['no classes', IDL, () => regressor('probabilities'), /does not say what its classes are.*\["rose","tulip"\]/],
      [
        'another output than a value',
        PRICES,
        () => regressor('score'),
        /needs an output called value or variable.*gives score/,
      ],
      [
        'a classifier where a value is asked for',
        PRICES,
        () => classifier(),
        /needs an output called value or variable/,
      ],
    ];
    for (const [what, idl, graph, says] of misfits)
      it(`is refused for ${what}`, async () => {
        const error = await refusal(await contracted(idl), graph());
        expect(error.code).to.equal('CONTRACT_MISMATCH');
        expect(error.message).to.match(says);
      });

    it('is refused as another type than the contract asks for', async () => {
      const error = await refusal(await contracted(PRICES), regressor(), { modelType: 'tensor' });
      expect(error.message).to.match(/model_type is "tensor".*answered by a tabular-regressor/);
    });

    it('must be published again when it was published before there was a contract', async () => {
      const model = `flowers${++count}`;
      const { version } = await world().publish(model, classifier());
      const fixtures = Buffer.from('height,width,kind\n3,1,rose\n1,3,tulip\n');
      const { uploadId } = await world().client.beginUpload(model, fixtures.length);
      await world().client.uploadPart(uploadId, 0, fixtures);
      const idl = IDL.replace('MODEL', model).replace('Flowers', `Flowers${count}`);
      await world().client.publishContract({ idl, fixturesUploadId: uploadId, fixturesFormat: 'csv' });
      const error = await failure(world().client.accept(model, version));
      expect(error.message).to.match(/a tensor version keeps no contract; publish its graph again/);
      const again = await world().publish(model, classifier());
      expect(await world().client.accept(model, again.version)).to.include({ accepted: true, fixtureRows: 2 });
    });
  });

  describe('is refused, before the runtime sees it,', () => {
    const refused: [what: string, graph: () => Uint8Array, code: string, says: RegExp][] = [
      [
        'for an int4 output',
        () => modelBytes({ output: value('y', tensorType(22, [2])) }),
        'UNSUPPORTED',
        /"y" has the element type int4/,
      ],
      [
        'for a uint4 output',
        () => modelBytes({ output: value('y', tensorType(21, [2])) }),
        'UNSUPPORTED',
        /element type uint4/,
      ],
      [
        'for an operator set that is too new',
        () => modelBytes({ opsets: [['', 99]] }),
        'UNSUPPORTED',
        /operator set ai\.onnx 99.*target_opset/,
      ],
      [
        'for a custom operator',
        () => modelBytes({ domain: 'org.example', operator: 'Magic' }),
        'UNSUPPORTED',
        /org\.example\.Magic/,
      ],
      ['when it is cut short', () => regressor().subarray(0, -9), 'MODEL_BROKEN', /cut short/],
      ['when it is something else', () => Buffer.from('<!DOCTYPE html>'), 'MODEL_BROKEN', /not an ONNX file/],
      [
        'when it has an input that no node makes',
        () => modelBytes({ input: value('z', tensorType(1, ['n', 2])) }),
        'MODEL_BROKEN',
        /the runtime refuses the graph/,
      ],
    ];
    for (const [what, graph, code, says] of refused)
      it(what, async () => {
        const error = await refusal('refused', graph());
        expect(error.message).to.match(says);
        expect(error.code).to.equal(code);
      });
  });

  describe('that takes any shape', () => {
    /** A softmax over the rows: each answer depends on all of them. */
    function mixing(): Uint8Array {
      const graph = new GraphBuilder();
      const y = graph.node('Softmax', [graph.input('x', 'float32', [-1, 2])], { axis: 0 });
      graph.output('y', y, 'float32', [-1, 2]);
      return graph.serialize();
    }
    const rows = (...values: number[]) => float32([values.length / 2, 2], ...values);

    it('is not batched with other calls where its rows influence each other', async () => {
      const { model, version } = await world().publish('mixing', mixing());
      const asked = [rows(1, 2, 3, 4), rows(5, 0), rows(1, 1, 1, 1, 7, 7)];
      // All of one turn.
      const answers = await Promise.all(asked.map((x) => world().predict(model, version, { x })));
      const alone = await Promise.all(asked.map((x) => runDirectly(mixing(), { x })));
      expect(answers.map(bitsOf)).to.deep.equal(alone.map(bitsOf));
    });

    it('answers for no inputs at all', async () => {
      const graph = new GraphBuilder();
      graph.output('y', graph.constant('c', float32([2], 1, 2)), 'float32', [2]);
      const { model, version } = await world().publish('constant', graph.serialize());
      expect((await world().predict(model, version, {})).y.data).to.deep.equal(Float32Array.of(1, 2));
      const error = await failure(world().predict(model, version, { x: rows(1, 2) }));
      expect(error.message).to.match(/inputs\[0\]\.name must not be there: the graph takes no inputs, got x/);
    });

    it('gives the outputs that are asked for, in that order', async () => {
      const graph = new GraphBuilder();
      const x = graph.input('x', 'float32', []);
      for (const name of ['a', 'b']) graph.output(name, graph.node('Neg', [x]), 'float32', []);
      const { model, version } = await world().publish('two', graph.serialize());
      const answers = await world().predict(model, version, { x: float32([], 2) }, ['b', 'a']);
      expect(Object.keys(answers)).to.deep.equal(['b', 'a']);
      const error = await failure(world().predict(model, version, { x: float32([], 2) }, ['c']));
      expect(error.message).to.match(/there is no output "c"; the model answers a, b/);
    });

    it('tells what is wrong with a request, all at once', async () => {
      const graph = new GraphBuilder();
      const sum = graph.node('Add', [graph.input('a', 'float32', [-1, 3]), graph.input('b', 'float32', [])]);
      graph.output('y', graph.node('Transpose', [sum]), 'float32', [3, -1]);
      const { model, version } = await world().publish('strict', graph.serialize());
      const said = async (inputs: Parameters<ReturnType<typeof world>['predict']>[2]) =>
        (await failure(world().predict(model, version, inputs))).problems.map(
          ({ path, message, got }) => `${path} ${message}, ${got}`,
        );
      expect(await said({ a: float32([1, 2], 1, 2), b: someValues('int8', [1]) })).to.deep.equal([
        'inputs[0].shape must be (any, 3), (1, 2)',
        'inputs[1].data_type must be FLOAT32 (1), 3',
        'inputs[1].shape must be (), (1)',
      ]);
      expect(await said({ a: { ...float32([2, 3]), data: new Float32Array(5) } })).to.deep.equal([
        'inputs the tensor "b" is missing, undefined',
        'inputs[0].data must be 24 bytes, as type and shape say, 20 bytes',
      ]);
      expect(await said({ c: float32([], 1), a: float32([-1, 3]) })).to.deep.equal([
        'inputs[0].name must be one of a, b, c',
        'inputs the tensor "b" is missing, undefined',
        'inputs[1].shape must be (any, 3), (-1, 3)',
      ]);
      expect(await said({})).to.deep.equal(['request.inputs is required, undefined']);
    });

    it("answers a call's own shapes that do not go together with the runtime's reason, and the next as ever", async () => {
      const graph = new GraphBuilder();
      const [a, b] = [graph.input('a', 'float32', [-1, -1]), graph.input('b', 'float32', [-1, -1])];
      graph.output('y', graph.node('MatMul', [a, b]), 'float32', [-1, -1]);
      const { model, version } = await world().publish('product', graph.serialize());
      const good = { a: float32([1, 2], 1, 2), b: float32([2, 1], 3, 4) };
      const wrong = { a: float32([1, 2], 1, 2), b: float32([3, 1], 3, 4, 5) };
      const [first, error] = await Promise.all([
        world().predict(model, version, good),
        failure(world().predict(model, version, wrong)),
      ]);
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.match(/the inputs cannot be computed with: .*MatMul/);
      for (const answers of [first, await world().predict(model, version, good)])
        expect(answers.y).to.deep.equal(float32([1, 1], 11));
    });
  });
});
