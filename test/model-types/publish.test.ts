/** Graphs that were made elsewhere and are published as what they are: text and image classifiers, forecasters. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ParleyError } from '#parley/errors.js';
import type { Publish } from '#parley/model/registry-port.js';
import type { Artifact } from '#parley/model/trained.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { readUpload } from '#parley/registry/pipeline/read-upload.js';
import { upload } from '#parley/training/publish-run.js';
import { useGraphWorld } from '../graphs/world.js';
import { temporaryFolder, until } from '../store/redis-server.js';
import { BY, failure } from '../store/world.js';
import { command } from './conformance.js';
import { type Metadata, samples, tensor } from './samples.js';

const { graph: texts, valid: textFields } = samples['text-classifier'];
const { graph: images, valid: imageFields } = samples['image-classifier'];
const { graph: steps, valid: stepFields } = samples.forecaster;

/** A forecaster of the next value, from a matrix as exporters have it; its metadata_props say what it is. */
function nextValue(written: Readonly<Record<string, string>> = {}): Uint8Array {
  const graph = new GraphBuilder();
  const weights = graph.constant('weights', tensor('float32', [2, 1], [0.5, 1]));
  graph.output('variable', graph.node('MatMul', [graph.input('X', 'float32', [-1, 2]), weights]), 'float32', [-1, 1]);
  return graph.serialize(written);
}

describe('a graph of a type that its publisher names', function () {
  this.timeout(30_000);
  const world = useGraphWorld();
  const folder = temporaryFolder();
  after(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;

  const publish = async (graph: Uint8Array, more: Partial<Publish>, model = `made${++count}`) =>
    world().client.publish({ model, uploadId: await upload(world().client, model, graph), ...more });

  it('is said to be by a file beside it, on the command line', async () => {
    const [graph, fields] = [join(folder, 'images.onnx'), join(folder, 'images.json')];
    writeFileSync(graph, images);
    writeFileSync(fields, JSON.stringify(imageFields[0]));
    const printed = await command(
      world(),
      'publish',
      graph,
      '--model',
      'photos',
      '--type',
      'image-classifier',
      '--metadata',
      fields,
    );
    expect(printed)
      .to.match(/^height +2$/m)
      .and.match(/^layout +NHWC$/m)
      .and.match(/^image-classifier, \d+ bytes/m);
    const { items } = await world().client.listVersions({ model: 'photos' });
    expect(items[0]).to.include({ modelType: 'image-classifier' });
    expect(items[0].typeFields).to.include({ input: 'image', channels: 'RGB', mean: '[0.485,0.456,0.406]' });
  });

  it('says it itself, in its metadata_props; who publishes it says it over that', async () => {
    const written = { target: 'load', unit: '"MW"', lags: '[1, 2]', horizon: '1', frequency: 'h', author: 'ada' };
    const { typeFields } = await publish(nextValue(written), {
      modelType: 'forecaster',
      metadata: { unit: 'GW', frequency: null },
    });
    expect(typeFields).to.deep.equal({ target: 'load', unit: 'GW', lags: '[1,2]', horizon: '1' });
  });

  it('has the input and the classes that the graph leaves no doubt about', async () => {
    const { typeFields } = await publish(texts, { modelType: 'text-classifier' });
    expect(typeFields).to.deep.equal({ input: 'text', classes: '["no","yes"]' });
    const { input, dtype, classes, ...rest } = imageFields[0] as Record<string, unknown>;
    const image = await publish(images, { modelType: 'image-classifier', metadata: rest });
    expect(image.typeFields).to.include({ input, dtype, classes: JSON.stringify(classes) });
  });

  it('is the same version as its envelope', async () => {
    const published = await publish(steps, { modelType: 'forecaster', metadata: stepFields[0] });
    const { signature } = samples.forecaster;
    const artifact: Artifact = { modelType: 'forecaster', graph: steps, signature, metadata: stepFields[0] };
    const enveloped = await publish(modelTypeOf('forecaster').serialize(artifact), {});
    expect(enveloped.version).to.equal(published.version);
  });

  it('must be what is said of it', async () => {
    const text = textFields[0],
      image = imageFields[0],
      series = stepFields[0];
    const cases: readonly (readonly [Uint8Array, string, Metadata, RegExp])[] = [
      [texts, 'text-classifier', { ...text, input: 'words' }, /input: the graph has no input "words"; it has text/],
      [
        images,
        'text-classifier',
        { ...text, input: 'image' },
        /inputs\.image: must be string of shape \(-1\) or \(-1, 1\)/,
      ],
      [
        texts,
        'text-classifier',
        { ...text, classes: ['a', 'yes', 'c'], threshold: null },
        /outputs\.probabilities: .*\(-1, 3\)/,
      ],
      [
        images,
        'image-classifier',
        { ...image, layout: 'NCHW' },
        /inputs\.image: must be float32 of shape \(-1, 3, 2, 2\)/,
      ],
      [
        images,
        'image-classifier',
        { ...image, dtype: 'float64' },
        /must be float64 of shape .*; the graph has float32/,
      ],
      [images, 'image-classifier', { ...image, height: 224 }, /\(-1, 224, 2, 3\)/],
      [steps, 'forecaster', { ...series, horizon: 4 }, /outputs\.value: must be float32 or float64 of shape \(-1, 4\)/],
      [steps, 'forecaster', { ...series, lags: [1, 24] }, /inputs\.past: .*the farthest lag is 24/],
      [steps, 'forecaster', { ...series, input: 'future' }, /input: the graph has no input "future"/],
      [texts, 'forecaster', { ...series, input: null }, /outputs: the graph has no output called value or variable/],
      [steps, 'image-classifier', image, /does not say what its classes are|the graph has no/],
      [texts, 'ensemble', {}, /a graph is no ensemble/],
      [steps, 'tensor', { target: 'load' }, /target: is no field of the type/],
    ];
    for (const [graph, modelType, metadata, message] of cases)
      expect(() => readUpload(graph, { modelType, metadata }), message.source)
        .to.throw(ParleyError, message)
        .with.property('code')
        .that.is.oneOf(['INVALID_INPUT', 'CONTRACT_MISMATCH']);
    const [graph, modelType, metadata, message] = cases[0]!;
    expect((await failure(publish(graph, { modelType, metadata }))).message).to.match(message);
  });

  it('is asked for metadata that are an object', async () => {
    const [graph, fields] = [join(folder, 'g.onnx'), join(folder, 'fields.json')];
    writeFileSync(graph, texts);
    const refused = async (text: string) => {
      writeFileSync(fields, text);
      return command(world(), 'publish', graph, '--model', 'refused', '--metadata', fields).then(String, String);
    };
    expect(await refused('[1]')).to.include('must hold a JSON object');
    expect(await refused('{')).to.include('is not JSON');
    const uploadId = await upload(world().client, 'refused', texts);
    const error = await failure(world().client.publish({ model: 'refused', uploadId, metadata: [] as never }));
    expect(error.message).to.include('metadata_json must be a JSON object');
  });

  describe('with a contract', () => {
    /** Published, in production, and known to the server. */
    async function place(idl: string, graph: Uint8Array, more: Partial<Publish>): Promise<string> {
      const model = `typed${++count}`;
      await world().client.publishContract({
        idl: idl.replaceAll('MODEL', model).replace(/service (\w+)/, `service $1${count}`),
      });
      const { version } = await publish(graph, more, model);
      await world().world.store.moveAlias({ ...BY, model, version, aliasName: 'production', action: 'promote' });
      return model;
    }
    /** The server hears of a promotion a moment later. */
    const ask = (model: string, row: Record<string, string | number>) =>
      until('the server to follow', async () => {
        try {
          return (await world().client.predict(model, [row], { many: false }))[0];
        } catch (error) {
          expect(error).to.have.property('code', 'NOT_FOUND');
          return undefined;
        }
      }) as Promise<Record<string, unknown>>;

    it('answers a text by the typed service', async () => {
      const idl = `include "parley.thrift"
namespace js texts
struct Text { 1: optional string text (max_bytes = "280") }
struct Opinion { 1: optional string label (role = "label"), 2: optional double confidence (role = "confidence") }
service Texts { Opinion judge(1: Text text) } (model = "MODEL")
`;
      const model = await place(idl, texts, { modelType: 'text-classifier' });
      const answer = await ask(model, { text: 'good' });
      expect(answer.label).to.equal('yes');
      expect(answer.confidence).to.be.closeTo(0.9, 1e-6);
    });

    it("answers the next value, whose name and unit are the contract's", async () => {
      const idl = `include "parley.thrift"
namespace js loads
struct Past { 1: optional double before_last (unit = "MW"), 2: optional double last (unit = "MW") }
struct Next { 1: optional double load (role = "value", unit = "MW") }
service Loads { Next forecast(1: Past past) } (model = "MODEL")
`;
      const metadata = { lags: [1, 2], horizon: 1 };
      const model = await place(idl, nextValue(), { modelType: 'forecaster', metadata });
      expect(await ask(model, { before_last: 2, last: 3 })).to.include({ load: 4 });
      const { typeFields } = await world().client.describe(model, 'production');
      expect(typeFields).to.include({ target: 'load', unit: 'MW' });
    });
  });
});
