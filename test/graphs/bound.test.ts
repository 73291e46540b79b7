/** Graphs that do not look like their contract: each is bound rightly or refused clearly, never served wrongly. */
import { expect } from 'chai';
import type { DataType, Tensor } from '#parley/model/tensor.js';
import { PRODUCTION } from '#parley/model/version.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { until } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { useGraphWorld } from './world.js';

const IDL = `include "parley.thrift"
namespace js flowers
enum Kind { UNSPECIFIED = 0, ROSE = 1 (label = "rose"), TULIP = 2 (label = "tulip") }
struct Flower { 1: optional double height (min = "0", max = "100"), 2: optional double width }
struct Named { 1: optional Kind kind (role = "label"), 2: optional map<Kind, double> probability (role = "probability") }
service Flowers { Named name(1: Flower flower) } (model = "MODEL")
`;
const ONLY_LABEL = IDL.replace(/, 2: optional map<Kind, double> probability \(role = "probability"\)/, '');
const COUNTED = IDL.replace('2: optional double width', '2: optional i32 width (min = "0", missing = "-1")');

interface Shape {
  /** What it calls height and width, and of what type they are. */
  readonly inputs?: readonly [string, string];
  readonly dataType?: DataType;
  /** Of its columns, in order. */
  readonly classes?: readonly ['rose', 'tulip'] | readonly ['tulip', 'rose'];
  readonly label?: 'string' | 'int64';
  /** What it calls its answers; without the second it has no probabilities. */
  readonly outputs?: readonly [string, string?];
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A linear classifier: a flower that is higher than wide is rather a rose. */
function classifier(shape: Shape = {}): Uint8Array {
  const {
    inputs = ['height', 'width'],
    dataType = 'float32',
    classes = ['rose', 'tulip'],
    label = 'string',
    outputs = ['label', 'probabilities'],
    metadata = {},
  } = shape;
  const graph = new GraphBuilder();
  const columns = inputs.map((name) => graph.node('Cast', [graph.input(name, dataType, [-1, 1])], { to: 1 }));
  const rose = [1, -1];
  const tulip = [-1, 1];
  const [best, scores] = graph.nodes(
    'LinearClassifier',
    [graph.node('Concat', columns, { axis: 1 })],
    2,
    {
      ...(label === 'string' ? { classlabels_strings: { strings: classes } } : { classlabels_ints: { ints: [0, 1] } }),
      coefficients: { floats: classes.flatMap((name) => (name === 'rose' ? rose : tulip)) },
      intercepts: { floats: [0, 0] },
      multi_class: 0,
      post_transform: 'SOFTMAX',
    },
    'ai.onnx.ml',
  );
  graph.output(outputs[0], best!, label, [-1]);
  if (outputs[1] !== undefined) graph.output(outputs[1], scores!, 'float32', [-1, 2]);
  return graph.serialize(metadata);
}

describe('a graph that does not look like its contract', function () {
  this.timeout(30_000);
  const world = useGraphWorld();
  let count = 0;

  async function contracted(idl: string): Promise<string> {
    const model = `bound${++count}`;
    await world().client.publishContract({
      idl: idl.replace('MODEL', model).replace('service Flowers', `service F${count}`),
    });
    return model;
  }

  /** The answer of a version of the graph that is served under the contract. */
  async function answer(graph: Uint8Array, flower: Record<string, number>, { idl = IDL, metadata = {} } = {}) {
    const model = await contracted(idl);
    const { version } = await world().publish(model, graph, { metadata });
    await world().world.store.moveAlias({ actor: 'ada', model, version, aliasName: PRODUCTION, action: 'promote' });
    await until('the server to follow', () =>
      world()
        .client.describe(model, PRODUCTION)
        .then(
          () => true,
          () => false,
        ),
    );
    const [row] = await world().client.predict(model, [flower], { many: false });
    const probability = row!.probability as Record<string, number> | undefined;
    return { kind: row!.kind, rose: probability?.rose };
  }

  async function refusal(graph: Uint8Array, { idl = IDL, metadata = {} } = {}) {
    const model = await contracted(idl);
    return failure(world().publish(model, graph, { metadata }));
  }

  const HIGH = { height: 3, width: 1 };
  /** 1 / (1 + e^-4): the scores are 2 and -2. */
  const ROSE = 0.9820138;

  function expectRose(found: { readonly kind: unknown; readonly rose: number | undefined }): void {
    expect(found.kind).to.equal('rose');
    expect(found.rose).to.be.closeTo(ROSE, 1e-6);
  }

  it('is served where it is exactly what the contract says', async () => {
    expectRose(await answer(classifier(), HIGH));
  });

  describe('for an input of another name', () => {
    const renamed = classifier({ inputs: ['x1', 'width'] });

    it('is refused, with the input, the field and the way out', async () => {
      const error = await refusal(renamed);
      expect(error.code).to.equal('CONTRACT_MISMATCH');
      expect(error.problems.map(({ path, message }) => `${path}: ${message}`)).to.deep.equal([
        'inputs.x1: Flower has no field that feeds it; fields: height, width. Where only the names differ, publish it with --map field=x1',
        'Flower.height: feeds no input of the graph; the graph has x1, width',
      ]);
    });

    it('is served with a map', async () => {
      expectRose(await answer(renamed, HIGH, { metadata: { map: { height: 'x1' } } }));
    });

    it('is served where names have changed places', async () => {
      const swapped = classifier({ inputs: ['width', 'height'] });
      expectRose(await answer(swapped, HIGH, { metadata: { map: { height: 'width', width: 'height' } } }));
      expect((await answer(swapped, HIGH)).kind).to.equal('tulip');
    });

    const maps: readonly (readonly [string, object, RegExp])[] = [
      ['a field that there is not', { map: { hight: 'x1' } }, /map: F\d+ has no "hight" \(did you mean "height"\?\)/],
      ['an input that there is not', { map: { height: 'x2' } }, /map: the graph has no "x2".*it has x1, width/],
      ['one input twice', { map: { height: 'x1', width: 'x1' } }, /map: "x1" is mapped twice/],
      ['a name that another input has', { map: { width: 'x1' } }, /another input called "width", which is not mapped/],
      [
        'a role that there is not',
        { map_output: { class: 'label' } },
        /map_output: F\d+ has no "class".*label, probability/,
      ],
      ['what is no map', { map: ['x1'] }, /map must be an object/],
    ];
    for (const [what, metadata, message] of maps) {
      it(`is refused for a map of ${what}`, async () => {
        const error = await refusal(renamed, { metadata });
        expect(error.code).to.equal('INVALID_INPUT');
        expect(error.message).to.match(message);
      });
    }

    it('is refused with a map where it has no contract', async () => {
      const error = await failure(world().publish('mapless', renamed, { metadata: { map: { height: 'x1' } } }));
      expect(error.message).to.match(/a map of names needs a contract/);
    });
  });

  describe('for numbers of another width', () => {
    it('is served with float64 and with float32', async () => {
      expectRose(await answer(classifier({ dataType: 'float64' }), HIGH));
    });

    it('is refused with whole numbers for fractions', async () => {
      const error = await refusal(classifier({ dataType: 'int64' }));
      expect(error.problems[0]!.message).to.match(
        /must be float32 or float64, because height is a double; the graph has int64/,
      );
    });

    it('is fed what stands for a missing whole number', async () => {
      const whole = IDL.replace(
        /struct Flower .*/,
        'struct Flower { 1: i32 height, 2: optional i32 width (min = "0", missing = "-1") }',
      );
      const found = await answer(classifier({ dataType: 'int64' }), { height: 1 }, { idl: whole });
      expectRose(found);
      const error = await refusal(classifier({ dataType: 'int64' }), { idl: whole.replace('"-1"', '"allowed"') });
      expect(error.problems[0]!.message).to.match(/width may be missing and int64 has no NaN; or give width a number/);
    });

    it('is fed what stands for a missing fraction', async () => {
      expectRose(await answer(classifier(), { height: 1 }, { idl: COUNTED }));
    });
  });

  describe('for callers who send tensors', () => {
    const int64 = (value: number): Tensor => ({
      dataType: 'int64',
      shape: [1, 1],
      data: BigInt64Array.of(BigInt(value)),
    });
    const whole = IDL.replace(
      /struct Flower .*/,
      'struct Flower { 1: i32 height, 2: optional i32 width (min = "0", missing = "-1") }',
    );

    it('takes what stands for a missing value, and nothing else out of bounds', async () => {
      const model = await contracted(whole);
      const { version } = await world().publish(model, classifier({ dataType: 'int64' }));
      const ask = (width: number) => world().predict(model, version, { height: int64(1), width: int64(width) });
      expect((await ask(-1)).label!.data).to.deep.equal(['rose']);
      expect((await failure(ask(-2))).problems).to.deep.equal([
        { path: 'inputs.width[0]', message: 'must be at least 0', got: '-2' },
      ]);
    });

    it('holds each value of a list to its bounds', async () => {
      const idl = ONLY_LABEL.replace(
        /struct Flower .*/,
        'struct Flower { 1: list<double> sizes (shape = "2", max = "9") }',
      );
      const graph = new GraphBuilder();
      const taller = graph.node('ArgMax', [graph.input('sizes', 'float32', [-1, 2])], { axis: 1, keepdims: 0 });
      graph.output('label', taller, 'int64', [-1]);
      const model = await contracted(idl);
      const { version } = await world().publish(model, graph.serialize({ classes: 'rose, tulip' }));
      const ask = (...sizes: number[]) =>
        world().predict(model, version, {
          sizes: { dataType: 'float32', shape: [1, 2], data: Float32Array.from(sizes) },
        });
      expect((await ask(1, 3)).label!.data).to.deep.equal(BigInt64Array.of(1n));
      expect((await failure(ask(1, 10))).problems).to.deep.equal([
        { path: 'inputs.sizes[0][1]', message: 'must be at most 9', got: '10' },
      ]);
    });

    it('lets the members of a union be missing that nobody chose', async () => {
      const idl = ONLY_LABEL.replace(
        /struct Flower .*/,
        'union Size { 1: double cm, 2: double inches }\nstruct Flower { 1: Size size }',
      );
      const graph = new GraphBuilder();
      const inputs = ['size.cm', 'size.inches'].map((name) => graph.input(name, 'float32', [-1, 1]));
      const isInches = graph.node('IsNaN', [graph.node('Concat', inputs, { axis: 1 })]);
      const label = graph.node('ArgMax', [graph.node('Cast', [isInches], { to: 1 })], { axis: 1, keepdims: 0 });
      graph.output('label', label, 'int64', [-1]);
      const model = await contracted(idl);
      const { version } = await world().publish(model, graph.serialize({ classes: 'rose, tulip' }));
      const one = (value: number): Tensor => ({ dataType: 'float32', shape: [1, 1], data: Float32Array.of(value) });
      const inputsOf = { 'size.cm': one(3), 'size.inches': one(Number.NaN) };
      expect((await world().predict(model, version, inputsOf)).label!.data).to.deep.equal(BigInt64Array.of(1n));
    });
  });

  describe('for classes in another order', () => {
    const classes = ['tulip', 'rose'] as const;

    it('is served by their names', async () => {
      expectRose(await answer(classifier({ classes }), HIGH));
    });

    it('is served by their numbers, where it says what those are', async () => {
      const graph = classifier({ classes, label: 'int64', metadata: { classes: 'tulip, rose' } });
      expectRose(await answer(graph, HIGH));
    });

    it('is refused where it says two things', async () => {
      const error = await refusal(classifier({ classes, metadata: { classes: 'rose, tulip' } }));
      expect(error.code).to.equal('CONTRACT_MISMATCH');
      expect(error.message).to.match(/its label is one of "tulip", "rose", and its metadata says "rose", "tulip"/);
    });

    it('is refused where it does not say', async () => {
      const error = await refusal(classifier({ classes, label: 'int64' }));
      expect(error.message).to.match(/lacks "rose", "tulip"/);
    });
  });

  describe('for no probabilities', () => {
    const graph = classifier({ outputs: ['label'] });

    it('is refused where the contract promises them', async () => {
      const error = await refusal(graph);
      expect(error.code).to.equal('CONTRACT_MISMATCH');
      expect(error.problems[0]!.message).to.match(/needs an output called probabilities.*gives label/);
    });

    it('is served where the contract does not', async () => {
      expect(await answer(graph, HIGH, { idl: ONLY_LABEL })).to.deep.equal({ kind: 'rose', rose: undefined });
    });
  });

  describe('for answers of other names', () => {
    const graph = classifier({ outputs: ['verdict', 'scores'] });

    it('is refused, and served with a map', async () => {
      const error = await refusal(graph);
      expect(error.problems[0]!.message).to.match(/gives verdict, scores; .*--map-output label=OUTPUT/);
      expectRose(await answer(graph, HIGH, { metadata: { map_output: { label: 'verdict', probability: 'scores' } } }));
    });
  });
});
