/** Rows are answered in any company as they are alone: exactly by trees, to 1e-6 by all else. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { Tensor, TensorData } from '#parley/model/tensor.js';
import type { Artifact } from '#parley/model/trained.js';
import { deserialize, modelTypeOf } from '#parley/model-types/table.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { Batcher } from '#parley/serving/batcher.js';
import type { Plan } from '#parley/serving/plan.js';
import { Servable } from '#parley/serving/servable.js';
import { Recorded } from '../serving/calls.js';
import { samples, tensor, versionOf } from './samples.js';

const TREES = 60;

/** Trees of three leaves over two numbers, whose sums need more digits than a float32 has. */
function forest(): { readonly artifact: Artifact; readonly rows: Readonly<Record<string, Tensor>> } {
  const graph = new GraphBuilder();
  const all = <T>(of: (tree: number) => readonly T[]) => Array.from({ length: TREES }, (_, tree) => of(tree)).flat();
  const score = graph.node(
    'TreeEnsembleRegressor',
    [graph.input('x', 'float32', [-1, 2])],
    {
      n_targets: 1,
      nodes_treeids: { ints: all((tree) => new Array<number>(5).fill(tree)) },
      nodes_nodeids: { ints: all(() => [0, 1, 2, 3, 4]) },
      nodes_featureids: { ints: all((tree) => [tree % 2, (tree + 1) % 2, 0, 0, 0]) },
      nodes_modes: { strings: all(() => ['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF']) },
      nodes_values: { floats: all((tree) => [Math.sin(tree), Math.cos(tree), 0, 0, 0]) },
      nodes_truenodeids: { ints: all(() => [1, 3, 0, 0, 0]) },
      nodes_falsenodeids: { ints: all(() => [2, 4, 0, 0, 0]) },
      target_treeids: { ints: all((tree) => [tree, tree, tree]) },
      target_nodeids: { ints: all(() => [2, 3, 4]) },
      target_ids: { ints: all(() => [0, 0, 0]) },
      target_weights: { floats: all((tree) => [Math.sin(tree * 3) / 7, Math.cos(tree * 5) / 3, 1 / (tree + 1)]) },
    },
    'ai.onnx.ml',
  );
  graph.output('value', score, 'float32', [-1, 1]);
  const bytes = graph.serialize();
  const values = Array.from({ length: 40 }, (_, i) => Math.sin(i * 1.7) * 1.5);
  return {
    artifact: { modelType: 'tabular-regressor', graph: bytes, signature: inspectGraph(bytes).signature, metadata: {} },
    rows: { x: tensor('float32', [20, 2], values) },
  };
}

interface Subject {
  readonly name: string;
  readonly artifact: Artifact;
  readonly members: readonly Artifact[];
  readonly rows: Readonly<Record<string, Tensor>>;
  readonly isExact: boolean;
}

const { artifact, rows } = forest();
const subjects: readonly Subject[] = [
  { name: 'a tree ensemble', artifact, members: [], rows, isExact: true },
  ...Object.entries(samples).map(([modelType, { graph, signature, valid, members = [], rows }]) => ({
    name: modelType,
    artifact: { modelType: modelType as Artifact['modelType'], graph, signature, metadata: valid[0]! },
    members,
    rows,
    isExact: false,
  })),
];

/** Commits rows of the sample, by their numbers. */
function ask(plan: Plan, sample: Subject['rows'], chosen: readonly number[]): Recorded {
  const batch = plan.reserve(chosen.length);
  batch.inputs.forEach(({ name, rowWidth }, i) => {
    const column = batch.columns[i] as unknown[],
      data = sample[name]!.data as ArrayLike<unknown>;
    chosen.forEach((row, k) => {
      for (let j = 0; j < rowWidth; j++) column[(batch.rows + k) * rowWidth + j] = data[row * rowWidth + j];
    });
  });
  const call = new Recorded();
  plan.commit(chosen.length, call);
  return call;
}

function expectSame(found: readonly unknown[], wanted: readonly unknown[], isExact: boolean, output: string): void {
  expect(found.length).to.equal(wanted.length);
  found.forEach((value, i) => {
    const other = wanted[i];
    if (isExact || typeof value !== 'number' || typeof other !== 'number') expect(value, output).to.equal(other);
    else expect(Math.abs(value - other), output).to.be.at.most(1e-6 * Math.max(Math.abs(other), 1e-30));
  });
}

for (const { name, artifact, members, rows, isExact } of subjects) {
  describe(`rows of ${name} in company`, () => {
    let servable: Servable;
    before(async () => {
      const bytes = new Map(
        members.map((member) => [versionOf(member), modelTypeOf(member.modelType).serialize(member)]),
      );
      const envelope = modelTypeOf(artifact.modelType).serialize(artifact);
      servable = await Servable.of(
        'm',
        versionOf(artifact),
        deserialize(envelope),
        new Batcher(),
        async (member) => bytes.get(member)!,
      );
    });
    after(() => servable.release());

    it('are answered as they are alone', async () => {
      const plan = servable.plan([...servable.outputs.keys()]),
        count = Object.values(rows)[0]!.shape[0]!,
        alone: unknown[][][] = [];
      for (let row = 0; row < count; row++) {
        const call = ask(plan, rows, [row]);
        await call.settled;
        alone.push(call.values);
      }
      expect(new Set(alone.map((values) => JSON.stringify(values, bigints))).size, 'different answers').to.be.above(1);
      const calls = fc.array(fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 90 }), {
        minLength: 1,
        maxLength: 30,
      });
      await fc.assert(
        fc.asyncProperty(calls, async (asked) => {
          const answered = asked.map((chosen) => ask(plan, rows, chosen));
          await Promise.all(answered.map(({ settled }) => settled));
          asked.forEach((chosen, c) => {
            servable.outputs.forEach((output, o) => {
              const wanted = chosen.flatMap((row) => alone[row]![o]!);
              expectSame(answered[c]!.values[o]!, wanted, isExact, output.name);
            });
          });
        }),
        { numRuns: 15 },
      );
    });
  });
}

const bigints = (_key: string, value: TensorData[number]): unknown =>
  typeof value === 'bigint' ? String(value) : value;
