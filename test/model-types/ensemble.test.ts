/** Versions that answer together: what the answer is, what they must agree in, and what becomes of them. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { ParleyError } from '#parley/errors.js';
import type { Tensor, TensorData } from '#parley/model/tensor.js';
import type { Artifact } from '#parley/model/trained.js';
import { type LedgerEntry, type ModelVersion, PRODUCTION, type Verdict } from '#parley/model/version.js';
import { composeEnsemble } from '#parley/model-types/ensemble/compose.js';
import { decideLabels, shareVotes } from '#parley/model-types/ensemble/runtime.js';
import type { EnsembleMetadata } from '#parley/model-types/ensemble/schema.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { deserialize, modelTypeOf } from '#parley/model-types/table.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { inspectGraph } from '#parley/onnx/reader.js';
import { runtimeTensor } from '#parley/onnx/session.js';
import { publishEnsemble } from '#parley/registry/publish-ensemble.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Servable } from '#parley/serving/servable.js';
import { upload } from '#parley/training/publish-run.js';
import { useGraphWorld } from '../graphs/world.js';
import { until } from '../store/redis-server.js';
import { BY, failure } from '../store/world.js';
import { command } from './conformance.js';
import { ensembleOf, regressor, tabular, tensor, versionOf } from './samples.js';

type Answers = Readonly<Record<string, TensorData>>;

const bytesOf = (artifact: Artifact): Uint8Array => modelTypeOf(artifact.modelType).serialize(artifact);

/** Loads a version as a server does, and asks it. */
async function answersOf(
  artifact: Artifact,
  members: readonly Artifact[],
  inputs: Record<string, Tensor>,
): Promise<Answers> {
  const envelopes = new Map(members.map((member) => [versionOf(member), bytesOf(member)]));
  const servable = await Servable.of(
    'm',
    versionOf(artifact),
    deserialize(bytesOf(artifact)),
    new Batcher(),
    async (version) => envelopes.get(version)!,
  );
  try {
    const feeds = Object.entries(inputs).map(
      ([name, { dataType, data, shape }]) => [name, runtimeTensor(dataType, data, shape)] as const,
    );
    const results = await servable.session.runOnce(Object.fromEntries(feeds));
    return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as TensorData]));
  } finally {
    servable.release();
  }
}

const column = (values: readonly number[]): Tensor => tensor('float64', [values.length, 1], values);
const numbers = (data: TensorData): number[] => Array.from(data as Float32Array, Number);

/** A classifier that answers as scikit-learn's exporter names it: a number that is a class, and no probabilities. */
function numberLabels(classes: readonly string[]): Artifact {
  const graph = new GraphBuilder();
  const flat = graph.node('Reshape', [
    graph.input('x', 'float64', [-1, 1]),
    graph.constant('flat', tensor('int64', [1], [-1])),
  ]);
  const above = graph.node('Greater', [flat, graph.constant('zero', tensor('float64', [1], [0]))]);
  graph.output('output_label', graph.node('Cast', [above], { to: 7 }), 'int64', [-1]);
  const bytes = graph.serialize();
  return {
    modelType: 'tabular-classifier',
    graph: bytes,
    signature: inspectGraph(bytes).signature,
    metadata: { classes },
  };
}

const classes = ['no', 'yes'];

describe('an ensemble', function () {
  this.timeout(30_000);

  describe('answers', () => {
    const models = fc.array(fc.tuple(fc.double({ min: -3, max: 3, noNaN: true }), fc.boolean()), {
      minLength: 2,
      maxLength: 4,
    });
    const weights = fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 4, maxLength: 4 });
    const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 5 });

    /** Distinct ones, some with their classes the other way round. */
    const classifiersOf = (drawn: readonly (readonly [number, boolean])[]) =>
      drawn.map(([slope, isReversed], i) => tabular(isReversed ? ['yes', 'no'] : classes, slope, i / 10));

    it('the weighted mean of what its members answer alone, and the class that is likeliest then', async () => {
      await fc.assert(
        fc.asyncProperty(models, weights, values, async (drawn, drawnWeights, x) => {
          const members = classifiersOf(drawn);
          const inputs = { x: column(x) };
          const { probabilities, label } = await answersOf(
            ensembleOf(members, 'average', drawnWeights),
            members,
            inputs,
          );
          const alone = await Promise.all(members.map((member) => answersOf(member, [], inputs)));
          // The classes are those of the member whose digest is the smallest.
          const order = ensembleOf(members, 'average', drawnWeights).metadata.classes as string[];
          const total = members.reduce((sum, _, m) => sum + drawnWeights[m]!, 0);
          for (let row = 0; row < x.length; row++) {
            const wanted = order.map(
              (name) =>
                members.reduce((sum, { metadata }, m) => {
                  const at = (metadata.classes as string[]).indexOf(name);
                  return sum + drawnWeights[m]! * numbers(alone[m].probabilities)[row * 2 + at]!;
                }, 0) / total,
            );
            const found = numbers(probabilities).slice(row * 2, row * 2 + 2);
            for (const [k, share] of wanted.entries()) expect(found[k]).to.be.closeTo(share, 1e-6);
            expect(label[row]).to.equal(found[1] > found[0] ? order[1] : order[0]);
          }
        }),
        { numRuns: 15 },
      );
    });

    it('the class with the most weight behind it, and the shares of the votes', async () => {
      await fc.assert(
        fc.asyncProperty(models, weights, values, async (drawn, drawnWeights, x) => {
          const members = classifiersOf(drawn);
          const inputs = { x: column(x) };
          const ensemble = ensembleOf(members, 'vote', drawnWeights);
          const { probabilities, label } = await answersOf(ensemble, members, inputs);
          const alone = await Promise.all(members.map((member) => answersOf(member, [], inputs)));
          const order = ensemble.metadata.classes as string[];
          const total = members.reduce((sum, _, m) => sum + drawnWeights[m]!, 0);
          for (let row = 0; row < x.length; row++) {
            const shares = order.map((name) =>
              members.reduce((sum, _, m) => sum + (alone[m].label[row] === name ? drawnWeights[m]! : 0) / total, 0),
            );
            const found = numbers(probabilities).slice(row * 2, row * 2 + 2);
            for (const [k, share] of shares.entries()) expect(found[k]).to.be.closeTo(share, 1e-6);
            expect(label[row]).to.equal(found[1] > found[0] ? order[1] : order[0]);
          }
        }),
        { numRuns: 15 },
      );
    });

    it('the weighted mean of values, where a member does without an input of the others', async () => {
      const members = [regressor(2), regressor(10, ['x', 'y'])];
      const ensemble = ensembleOf(members, 'average', [3, 1]);
      expect(ensemble.signature.inputs.map(({ name }) => name)).to.have.members(['x', 'y']);
      expect(ensemble.metadata).to.include({ unit: 'g' });
      const { value } = await answersOf(ensemble, members, { x: column([1, 2]), y: column([0, 5]) });
      expect(numbers(value)).to.deep.equal([(3 * 2 + 10) / 4, (3 * 4 + 70) / 4]);
    });

    it('the votes of labels that are names, and of labels that are numbers', async () => {
      const members = [numberLabels(['no', 'yes']), numberLabels(['yes', 'no']), tabular(classes, 1, 0.5)];
      const { label, probabilities } = await answersOf(ensembleOf(members, 'vote', [2, 1, 1]), members, {
        x: column([3]),
      });
      // yes, no, yes
      const order = ensembleOf(members, 'vote').metadata.classes as string[];
      expect(label).to.deep.equal(['yes']);
      expect(numbers(probabilities)[order.indexOf('yes')]).to.equal(0.75);
    });

    it('the first class, of equal votes, and no class where nobody votes', () => {
      const shares = new Float32Array(6);
      const votes = [Int32Array.of(2, 1, -1).subarray(0, 2), Int32Array.of(1, -1)];
      shareVotes(votes, [0.3, 0.1 + 0.2], 3, shares);
      const metadata = { classes: ['a', 'b', 'c'], combine: 'vote' } as unknown as EnsembleMetadata;
      expect(decideLabels(metadata, shares)).to.deep.equal(['b', 'b']);
      shareVotes([Int32Array.of(-1), Int32Array.of(-1)], [1, 1], 3, shares.subarray(0, 3));
      expect(decideLabels(metadata, shares)[0]).to.equal('');
    });

    it('the positive class from the threshold on that all members have', async () => {
      const more = { positive: 'yes', threshold: 0.9 };
      const members = [tabular(classes, 1, 0, more), tabular(classes, 1, 0.1, more)];
      const ensemble = ensembleOf(members, 'average');
      expect(ensemble.metadata).to.include(more);
      expect((await answersOf(ensemble, members, { x: column([1, 4]) })).label).to.deep.equal(['no', 'yes']);
      const other = [members[0], tabular(classes, 1, 0.1)];
      expect(ensembleOf(other, 'average').metadata).to.not.have.any.keys('threshold', 'positive');
      expect(ensembleOf(members, 'vote').metadata).to.not.have.property('threshold');
    });

    it('the mean of any numbers, as long as rows are independent', async () => {
      const scaled = (factor: number, mixes = false): Artifact => {
        const graph = new GraphBuilder();
        const x = graph.input('x', 'float32', [-1, 2]);
        const part = mixes ? graph.node('Softmax', [x], { axis: 0 }) : x;
        const weights = graph.constant('factor', tensor('float32', [1], [factor]));
        graph.output('y', graph.node('Mul', [part, weights]), 'float32', [-1, 2]);
        const bytes = graph.serialize();
        return { modelType: 'tensor', graph: bytes, signature: inspectGraph(bytes).signature, metadata: {} };
      };
      const members = [scaled(1), scaled(5)];
      const inputs = { x: tensor('float32', [2, 2], [1, 2, 3, 4]) };
      const { y } = await answersOf(ensembleOf(members, 'average', [1, 1]), members, inputs);
      expect(numbers(y)).to.deep.equal([3, 6, 9, 12]);
      const mixing = [scaled(1), scaled(5, true)];
      const error = await failure(answersOf(ensembleOf(mixing, 'average'), mixing, inputs));
      expect(error.message).to.include('answers a row otherwise alone than among others');
    });

    it('only what is asked for', async () => {
      const members = [tabular(classes, 1, 0), tabular(classes, 2, 0)];
      const ensemble = ensembleOf(members, 'average');
      const envelopes = new Map(members.map((member) => [versionOf(member), bytesOf(member)]));
      const servable = await Servable.of(
        'm',
        versionOf(ensemble),
        deserialize(bytesOf(ensemble)),
        new Batcher(),
        async (version) => envelopes.get(version)!,
      );
      const results = await servable.session.runOnce({ x: runtimeTensor('float64', Float64Array.of(1), [1, 1]) }, [
        'label',
      ]);
      expect(Object.keys(results)).to.deep.equal(['label']);
      servable.release();
    });
  });

  it('is the same whatever order its members are named in', () => {
    const [a, b] = [tabular(classes, 1, 0), tabular(classes, 2, 0)];
    expect(versionOf(ensembleOf([a, b], 'average', [1, 2]))).to.equal(versionOf(ensembleOf([b, a], 'average', [2, 1])));
    expect(versionOf(ensembleOf([a, b], 'average', [1, 2]))).to.not.equal(
      versionOf(ensembleOf([a, b], 'average', [2, 1])),
    );
  });

  describe('is not made of', () => {
    const a = tabular(classes, 1, 0);
    const cases: Readonly<Record<string, readonly [readonly Artifact[], 'average' | 'vote', RegExp]>> = {
      'an ensemble': [[a, ensembleOf([a, tabular(classes, 2, 0)], 'average')], 'average', /is an ensemble itself/],
      'members with other classes': [
        [a, tabular(['no', 'maybe'], 1, 0)],
        'average',
        /answers the classes .*, and another member/,
      ],
      'classes and values': [[a, regressor(1)], 'average', /answers classes, and member .* does not/],
      'values, by vote': [[regressor(1), regressor(2)], 'vote', /no classes, so there is nothing to vote on/],
      'labels alone, by average': [[numberLabels(classes), a], 'average', /answers no probabilities to average/],
      'members that take an input otherwise': [
        [
          regressor(1),
          {
            ...regressor(2),
            signature: { ...regressor(2).signature, inputs: [{ name: 'x', dataType: 'float32', shape: [-1, 1] }] },
          },
        ],
        'average',
        /has the input "x" as float\d+ \(-1, 1\), and another member as float\d+ \(-1, 1\)/,
      ],
      'members with another output': [
        [
          regressor(1),
          {
            ...regressor(2),
            signature: { ...regressor(2).signature, outputs: [{ name: 'price', dataType: 'float32', shape: [-1, 1] }] },
          },
        ],
        'average',
        /has no output "(value|price)"/,
      ],
      'what has no mean': [
        [1, 2].map((slope) => ({
          ...regressor(slope),
          signature: {
            ...regressor(slope).signature,
            outputs: [{ name: 'value', dataType: 'string', shape: [-1, 1] }],
          },
        })),
        'average',
        /as string, which has no mean/,
      ],
      'inputs that a call may leave out': [
        [1, 2].map((slope) => ({ ...regressor(slope), modelType: 'tensor', metadata: { optional_inputs: ['x'] } })),
        'average',
        /has inputs that a call may leave out/,
      ],
    };
    for (const [name, [members, combine, message]] of Object.entries(cases))
      it(name, () => {
        const versioned = members.map((member, i) => ({ ...member, version: `${i}`.repeat(64), weight: 1 }));
        expect(() => composeEnsemble(versioned, combine))
          .to.throw(message)
          .with.property('code', 'INVALID_INPUT');
      });
  });

  it('is not loaded with a member whose bytes are others', async () => {
    const members = [tabular(classes, 1, 0), tabular(classes, 2, 0)];
    const ensemble = ensembleOf(members, 'average');
    const error = await failure(
      Servable.of('m', versionOf(ensemble), deserialize(bytesOf(ensemble)), new Batcher(), async () =>
        bytesOf(tabular(classes, 3, 0)),
      ),
    );
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message).to.match(/^member [0-9a-f]{64} of the ensemble: the stored bytes have the digest/);
  });

  describe('in a registry', () => {
    const world = useGraphWorld();
    let count = 0;
    /** A model with three classifiers, whose rehearsal is not what is asked about here. */
    async function published(): Promise<{ model: string; versions: string[] }> {
      const model = `voters${++count}`;
      const members = [1, 2, 3].map((slope) => tabular(classes, slope, 0));
      for (const member of members) {
        const { modelType } = member,
          version = versionOf(member);
        await world().world.store.publishVersion({
          ...BY,
          model,
          bytes: bytesOf(member),
          record: { version, modelType, metrics: {} },
        });
      }
      return { model, versions: members.map(versionOf) };
    }
    const make = (model: string, versions: readonly string[], combine: 'average' | 'vote' = 'average') =>
      publishEnsemble(world().client, { model, combine, members: versions.map((version) => ({ version, weight: 1 })) });

    it('is made, accepted, promoted and asked, by the command line and the typed service, through a server', async () => {
      const model = `judged${++count}`;
      const idl = `include "parley.thrift"
namespace js judged
enum Say { UNSPECIFIED = 0, NO = 1 (label = "no"), YES = 2 (label = "yes") }
struct Number { 1: optional double x (min = "-100", max = "100") }
struct Said { 1: optional Say say (role = "label"), 2: optional map<Say, double> probability (role = "probability") }
service Judged${count} { Said judge(1: Number number) throws (1: parley.ParleyError error) } (model = "${model}", accept.accuracy = ">= 0.9", accept.size_bytes = "<= 1000000")
`;
      const members = [1, 2].map((slope) => bytesOf(tabular(classes, slope, 0)));
      const memberBytes = members.reduce((sum, { length }) => sum + length, 0);
      const fixtures = Buffer.from('x,say\n-3,no\n-1,no\n2,yes\n5,yes\n');
      const fixturesUploadId = await upload(world().client, model, fixtures);
      await world().client.publishContract({ idl, fixturesUploadId, fixturesFormat: 'csv' });
      const versions: string[] = [];
      for (const bytes of members) versions.push((await world().publish(model, bytes)).version);
      const words = [versions[0]!.slice(0, 12), `${versions[1]!.slice(0, 10)}=3`, '--promote', '--json'];
      const outcome = JSON.parse(await command(world(), 'ensemble', model, ...words)) as {
        version: ModelVersion;
        verdict: Verdict;
        promotion: LedgerEntry;
      };
      const { version } = outcome.version;
      expect(outcome.version.typeFields).to.include({
        combine: 'average',
        members: JSON.stringify([...versions].sort()),
      });
      expect(outcome.promotion).to.include({ action: 'promote', version });
      // What it costs is what its members cost, too.
      expect(outcome.verdict.criteria.find(({ name }) => name === 'size_bytes')?.measured).to.be.above(memberBytes);
      await until('the server to follow', async () => {
        try {
          return (await world().client.describe(model, PRODUCTION)).version === version;
        } catch (error) {
          expect((error as ParleyError).code).to.equal('NOT_FOUND');
          return false;
        }
      });
      const [answer] = await world().client.predict(model, [{ x: 2 }], { many: false });
      const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
      expect(answer.say).to.equal('yes');
      expect((answer.probability as Record<string, number>).yes).to.be.closeTo((sigmoid(2) + 3 * sigmoid(4)) / 4, 1e-6);
    });

    it('is refused where its envelope says what its members do not', async () => {
      const { model, versions } = await published();
      const [one, two] = [tabular(classes, 1, 0), tabular(classes, 2, 0)];
      const ensemble = ensembleOf([one, two], 'average');
      expect(ensemble.metadata.members).to.have.members(versions.slice(0, 2));
      const turned = { ...ensemble, metadata: { ...ensemble.metadata, classes: ['yes', 'no'] } };
      const error = await failure(world().publish(model, bytesOf(turned)));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include('what its members do not');
    });

    it('names members of its own model only, that are in reach', async () => {
      const { model, versions } = await published();
      const other = (await published()).model;
      const foreign = ensembleOf([tabular(classes, 1, 0), tabular(classes, 9, 0)], 'average');
      const error = await failure(world().publish(other, bytesOf(foreign)));
      expect(error.code).to.equal('NOT_FOUND');
      await world().client.retire({ model, version: versions[0]! });
      expect((await failure(make(model, versions))).message).to.include('is retired');
    });

    it('is not made of one version twice', async () => {
      const { model, versions } = await published();
      expect((await failure(make(model, [versions[0]!, versions[0]!]))).message).to.include('is named twice');
    });

    it('keeps its members from being retired until it is retired itself', async () => {
      const { model, versions } = await published();
      const { version } = await make(model, versions.slice(0, 2), 'vote');
      const error = await failure(world().client.retire({ model, version: versions[0]! }));
      expect(error.code).to.equal('CONFLICT');
      expect(error.message).to.include(`the ensemble ${version} is made of it`);
      expect(await world().client.retire({ model, version: versions[2]! })).to.include({ action: 'retire' });
      await world().client.retire({ model, version });
      expect(await world().client.retire({ model, version: versions[0]! })).to.include({ action: 'retire' });
    });

    it('keeps its members from being pruned as long as it is stored', async () => {
      const { model, versions } = await published();
      const printed = await command(world(), 'ensemble', model, versions[0]!, `${versions[1]!}=0.5`, '--vote');
      expect(printed)
        .to.match(/^combine +vote$/m)
        .and.match(new RegExp(`^next: parley promote ${model} `, 'm'));
      const version = /^version ([0-9a-f]{64})$/m.exec(printed)![1]!;
      const { store } = world().world;
      // The step alone, whatever the registry chooses.
      expect(await store.pruneVersion({ ...BY, model, version: versions[0]!, keep: 0 })).to.equal(undefined);
      await world().client.retire({ model, version });
      expect(await store.pruneVersion({ ...BY, model, version: versions[0]!, keep: 0 })).to.equal(undefined);
      const dry = await world().client.prune({ model, keep: 0, dryRun: true });
      expect(dry.map((item) => item.version)).to.deep.equal([versions[2], version]);
      expect(await world().client.prune({ model, keep: 0 })).to.deep.equal(dry);
      expect((await world().client.prune({ model, keep: 0 })).map((item) => item.version)).to.deep.equal(
        versions.slice(0, 2),
      );
      expect(await world().world.raw.exists(world().world.keys.ensembles(model))).to.equal(0);
    });

    it('is published only while its members are there, in one step with them', async () => {
      const { model, versions } = await published();
      const { store } = world().world;
      const put = (content: string, members: readonly string[]) => {
        const bytes = Buffer.from(content);
        const record = { version: digestOf(bytes), modelType: 'oracle', metrics: {} };
        return store.publishVersion({ ...BY, model, bytes, record, members });
      };
      expect((await failure(put('a', [versions[0]!, '0'.repeat(64)]))).code).to.equal('NOT_FOUND');
      await store.retireVersion({ ...BY, model, version: versions[1]! });
      const error = await failure(put('b', versions.slice(0, 2)));
      expect(error.message).to.match(new RegExp(`version ${versions[1]} .*is retired since`));
      expect(await store.versions(model)).to.have.length(3);
      await put('c', [versions[0]!, versions[2]!]);
      expect((await failure(store.retireVersion({ ...BY, model, version: versions[2]! }))).code).to.equal('CONFLICT');
    });
  });
});
