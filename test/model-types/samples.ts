/** A small graph of every model type, what it may and may not say of itself, and rows to ask it. */
import type { DataType, Tensor } from '#parley/model/tensor.js';
import type { Artifact } from '#parley/model/trained.js';
import { composeEnsemble } from '#parley/model-types/ensemble/compose.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';

export type Metadata = Artifact['metadata'];

export interface Sample {
  /** Of which the first is published and asked. */
  readonly valid: readonly Metadata[];
  /** With the field that is wrong. */
  readonly invalid: readonly (readonly [Metadata, string])[];
  /** The graph, and a signature that is true of it. */
  readonly graph: Uint8Array;
  readonly signature: Artifact['signature'];
  /** Versions that it names. */
  readonly members?: readonly Artifact[];
  /** A field of the record, and a value that it cannot have; none for a type without required fields. */
  readonly corrupt: readonly [field: string, value: string];
  /** Two or more, which are answered differently. */
  readonly rows: Readonly<Record<string, Tensor>>;
}

const FLOAT = 1;

export function tensor(dataType: DataType, shape: readonly number[], values: readonly (number | string)[]): Tensor {
  switch (dataType) {
    case 'string':
      return { dataType, shape, data: values.map(String) };
    case 'float64':
      return { dataType, shape, data: Float64Array.from(values as number[]) };
    case 'int64':
      return { dataType, shape, data: BigInt64Array.from(values as number[], BigInt) };
    case 'uint8':
      return { dataType, shape, data: Uint8Array.from(values as number[]) };
    default:
      return { dataType, shape, data: Float32Array.from(values as number[]) };
  }
}

/** From a score of shape (rows, 1), float32: the second class's probability, and the likelier class. */
function classesFrom(graph: GraphBuilder, score: string, classes: readonly string[]): void {
  const one = graph.constant('one', tensor('float32', [1], [1]));
  const both = graph.node('Concat', [graph.node('Sub', [one, score]), score], { axis: 1 });
  const index = graph.node('ArgMax', [both], { axis: 1, keepdims: 0 });
  const label = graph.node(
    'LabelEncoder',
    [index],
    { keys_int64s: { ints: [0, 1] }, values_strings: { strings: classes } },
    'ai.onnx.ml',
  );
  graph.output('label', label, 'string', [-1]);
  graph.output('probabilities', both, 'float32', [-1, 2]);
}

const built = (build: (graph: GraphBuilder) => void): Pick<Sample, 'graph' | 'signature'> => {
  const builder = new GraphBuilder();
  build(builder);
  const graph = builder.serialize();
  return { graph, signature: inspectGraph(graph).signature };
};

/** The second class is as likely as `x` times the slope plus the offset says. */
export function tabular(classes: readonly string[], slope: number, offset: number, more: Metadata = {}): Artifact {
  const made = built((graph) => {
    const x = graph.node('Cast', [graph.input('x', 'float64', [-1, 1])], { to: FLOAT });
    const scaled = graph.node('Mul', [x, graph.constant('slope', tensor('float32', [1], [slope]))]);
    const moved = graph.node('Add', [scaled, graph.constant('offset', tensor('float32', [1], [offset]))]);
    classesFrom(graph, graph.node('Sigmoid', [moved]), classes);
  });
  return { modelType: 'tabular-classifier', ...made, metadata: { classes, ...more } };
}

/** A regressor of `x`, and of `y` where it takes one. */
export function regressor(slope: number, inputs: readonly string[] = ['x'], more: Metadata = {}): Artifact {
  const made = built((graph) => {
    const values = inputs.map((name) => graph.input(name, 'float64', [-1, 1]));
    const sum = values.length === 1 ? values[0]! : graph.node('Sum', values);
    const scaled = graph.node('Mul', [sum, graph.constant('slope', tensor('float64', [1], [slope]))]);
    graph.output('value', graph.node('Cast', [scaled], { to: FLOAT }), 'float32', [-1, 1]);
  });
  return { modelType: 'tabular-regressor', ...made, metadata: { unit: 'g', ...more } };
}

export const versionOf = (artifact: Artifact): string => digestOf(modelTypeOf(artifact.modelType).serialize(artifact));

export const ensembleOf = (
  members: readonly Artifact[],
  combine: 'average' | 'vote',
  weights: readonly number[] = members.map(() => 1),
): Artifact =>
  composeEnsemble(
    members.map((member, i) => ({ ...member, version: versionOf(member), weight: weights[i]! })),
    combine,
  );

const classes = ['no', 'yes'];
const badClasses: Sample['invalid'] = [
  [{}, 'classes'],
  [{ classes: ['one'] }, 'classes'],
  [{ classes: ['a', 'a'] }, 'classes'],
  [{ classes: ['a', ''] }, 'classes.1'],
  [{ classes: 'ab' }, 'classes'],
  [{ classes, threshold: 0.5 }, 'threshold'],
  [{ classes: ['a', 'b', 'c'], positive: 'a', threshold: 0.5 }, 'threshold'],
  [{ classes, positive: 'no', threshold: 1 }, 'threshold'],
  [{ classes, positive: 'no', threshold: 0 }, 'threshold'],
  [{ classes, positive: 'maybe' }, 'positive'],
  [{ classes, trained_at: 1 }, 'trained_at'],
];

const text = { input: 'text', classes, positive: 'yes', threshold: 0.6 };
const image = {
  input: 'image',
  classes,
  height: 2,
  width: 2,
  channels: 'RGB',
  layout: 'NHWC',
  dtype: 'float32',
  rescale: 1 / 255,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const series = {
  target: 'load',
  unit: 'MW',
  frequency: 'h',
  lags: [1, 2, 4],
  horizon: 3,
  seasonal_period: 24,
  input: 'past',
};

const members = [tabular(classes, 1, 0), tabular(['yes', 'no'], -2, 1)];
const ensemble = ensembleOf(members, 'average', [1, 3]);
const voting = { ...ensemble.metadata, combine: 'vote' };
const [first, second] = ensemble.metadata.members as string[];

/** By the type's name; a new type is a line here too. */
export const samples: Readonly<Record<string, Sample>> = {
  'tabular-classifier': {
    ...tabular(classes, 1, 0.5),
    valid: [
      { classes: ['no', '企鵝'], positive: '企鵝', threshold: 0.3 },
      { classes: ['a', 'b', 'c'] },
      { classes, positive: 'no' },
    ],
    invalid: badClasses,
    corrupt: ['threshold', 'high'],
    rows: { x: tensor('float64', [3, 1], [-2, 0.1, 2]) },
  },
  'tabular-regressor': {
    ...regressor(2),
    valid: [{ target: 'mass', unit: '°C' }, {}, { unit: 'mm' }],
    invalid: [
      [{ unit: 1 }, 'unit'],
      [{ target: '' }, 'target'],
      [{ classes }, 'classes'],
    ],
    corrupt: ['target', ''],
    rows: { x: tensor('float64', [2, 1], [1, 2.5]) },
  },
  'text-classifier': {
    ...built((graph) => {
      const known = {
        keys_strings: { strings: ['good', 'bad'] },
        values_floats: { floats: [0.9, 0.2] },
        default_float: 0.5,
      };
      const score = graph.node(
        'LabelEncoder',
        [graph.input('text', 'string', [-1, 1])],
        { ...known, default_float: { float: 0.5 } },
        'ai.onnx.ml',
      );
      classesFrom(graph, score, classes);
    }),
    valid: [
      {
        ...text,
        analyzer: 'word',
        lowercase: true,
        token_pattern: '\\b\\w+\\b',
        ngram_range: [1, 2],
        n_features: 1 << 18,
      },
      { input: 'text', classes },
      { ...text, analyzer: 'char_wb', vocabulary_size: 3 },
    ],
    invalid: [
      ...badClasses.map(([metadata, field]) => [{ input: 'text', ...metadata }, field] as const),
      [{ classes }, 'input'],
      [{ ...text, analyzer: 'letters' }, 'analyzer'],
      [{ ...text, ngram_range: [2, 1] }, 'ngram_range'],
      [{ ...text, ngram_range: [1] }, 'ngram_range'],
      [{ ...text, n_features: 4, vocabulary_size: 3 }, 'n_features'],
      [{ ...text, lowercase: 'yes' }, 'lowercase'],
    ],
    corrupt: ['ngram_range', '[1,'],
    rows: { text: tensor('string', [3, 1], ['good', 'bad', 'else']) },
  },
  'image-classifier': {
    ...built((graph) => {
      const pixels = graph.input('image', 'float32', [-1, 2, 2, 3]);
      const mean = graph.node('ReduceMean', [pixels], { axes: { ints: [1, 2, 3] }, keepdims: 0 });
      const shape = graph.constant('column', tensor('int64', [2], [-1, 1]));
      classesFrom(graph, graph.node('Sigmoid', [graph.node('Reshape', [mean, shape])]), classes);
    }),
    valid: [
      image,
      { ...image, mean: undefined, std: undefined, rescale: undefined },
      { ...image, channels: 'BGR' },
    ].map(withoutUndefined),
    invalid: [
      ...badClasses.map(([metadata, field]) => [{ ...image, classes: undefined, ...metadata }, field] as const),
      [{ ...image, height: 0 }, 'height'],
      [{ ...image, width: 2.5 }, 'width'],
      [{ ...image, channels: 'rgb' }, 'channels'],
      [{ ...image, layout: 'HWC' }, 'layout'],
      [{ ...image, dtype: 'int8' }, 'dtype'],
      [{ ...image, mean: [0.5] }, 'mean'],
      [{ ...image, std: [1, 1, 0] }, 'std'],
      [{ ...image, dtype: 'uint8' }, 'dtype'],
    ],
    corrupt: ['height', 'tall'],
    rows: {
      image: tensor(
        'float32',
        [2, 2, 2, 3],
        Array.from({ length: 24 }, (_, i) => (i < 12 ? i / 12 : -i / 12)),
      ),
    },
  },
  forecaster: {
    ...built((graph) => {
      const weights = graph.constant(
        'weights',
        tensor(
          'float32',
          [4, 3],
          Array.from({ length: 12 }, (_, i) => i / 10),
        ),
      );
      graph.output(
        'value',
        graph.node('MatMul', [graph.input('past', 'float32', [-1, 4]), weights]),
        'float32',
        [-1, 3],
      );
    }),
    valid: [series, { target: 'load', lags: [1], horizon: 3 }],
    invalid: [
      [{}, 'target'],
      [{ ...series, lags: [] }, 'lags'],
      [{ ...series, lags: [2, 1] }, 'lags'],
      [{ ...series, lags: [0, 1] }, 'lags.0'],
      [{ ...series, horizon: 0 }, 'horizon'],
      [{ ...series, horizon: 1.5 }, 'horizon'],
      [{ ...series, seasonal_period: 1 }, 'seasonal_period'],
      [{ ...series, steps: 3 }, 'steps'],
    ],
    corrupt: ['horizon', '0'],
    rows: { past: tensor('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) },
  },
  tensor: {
    ...built((graph) => {
      graph.output('doubled', graph.node('Add', [graph.input('x', 'float32', [-1, 2]), 'x']), 'float32', [-1, 2]);
    }),
    valid: [{}, { optional_inputs: ['scale', '重み'] }],
    invalid: [
      [{ optional_inputs: [] }, 'optional_inputs'],
      [{ optional_inputs: [''] }, 'optional_inputs.0'],
      [{ optional_inputs: ['a', 'a'] }, 'optional_inputs'],
      [{ classes }, 'classes'],
    ],
    corrupt: ['optional_inputs', '"x"'],
    rows: { x: tensor('float32', [2, 2], [1, 2, 3, 4]) },
  },
  ensemble: {
    graph: ensemble.graph,
    signature: ensemble.signature,
    members,
    valid: [ensemble.metadata, voting],
    invalid: [
      [{}, 'members'],
      [{ ...ensemble.metadata, members: [first] }, 'members'],
      [{ ...ensemble.metadata, members: [second, first] }, 'members'],
      [{ ...ensemble.metadata, members: [first, first] }, 'members'],
      [{ ...ensemble.metadata, members: [first, 'latest'] }, 'members.1'],
      [{ ...ensemble.metadata, weights: [1] }, 'weights'],
      [{ ...ensemble.metadata, weights: [1, 0] }, 'weights.1'],
      [{ ...ensemble.metadata, combine: 'median' }, 'combine'],
      [{ ...voting, classes: undefined }, 'combine'],
      [{ ...ensemble.metadata, positive: 'maybe' }, 'positive'],
    ],
    corrupt: ['weights', '[1]'],
    rows: { x: tensor('float64', [3, 1], [-2, 0.1, 2]) },
  },
};

function withoutUndefined(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
}
