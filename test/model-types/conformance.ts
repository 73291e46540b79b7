/** What every model type keeps, from its bytes to a served answer: {@link conforms} is run for each entry of the table. */
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { openArchives, openRegistry, openServer } from '#parley/app.js';
import { Output } from '#parley/cli/output.js';
import { runCommand } from '#parley/cli/program.js';
import { ParleyError } from '#parley/errors.js';
import type { Tensor } from '#parley/model/tensor.js';
import type { Artifact } from '#parley/model/trained.js';
import { digestOf, encodeEnvelope } from '#parley/model-types/envelope.js';
import type { ModelType } from '#parley/model-types/model-type.js';
import { article } from '#parley/model-types/model-type.js';
import { fieldsOf, metadataOf } from '#parley/model-types/record-fields.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import type { GraphWorld, Tensors } from '../graphs/world.js';
import { BY, failure } from '../store/world.js';
import type { Metadata, Sample } from './samples.js';

/** Any bytes under a true signature: what is asked about here does not run. */
const STUB = Uint8Array.of(8, 8, 0, 255, 10);

function broken(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).to.be.instanceOf(ParleyError).with.property('code', 'MODEL_BROKEN');
    return (error as ParleyError).message;
  }
  throw new Error('the bytes were taken');
}

/** @param foreign the name of another type */
export function conforms(type: ModelType, foreign: string, sample: Sample, world: () => GraphWorld): void {
  const { signature } = sample;
  const graph = sample.graph.length === 0 ? sample.graph : STUB;
  const artifactOf = (metadata: Metadata, modelType = type.name): Artifact => ({
    modelType,
    graph,
    signature,
    metadata,
  });

  describe(`the model type ${type.name}, as bytes`, () => {
    it('gives back what it was given', () => {
      for (const metadata of sample.valid) {
        const artifact = artifactOf(metadata);
        expect(type.deserialize(type.serialize(artifact))).to.deep.equal(artifact);
      }
    });

    it('makes the same bytes whatever order the metadata was put together in', () => {
      for (const metadata of sample.valid) {
        const reversed = Object.fromEntries(Object.entries(metadata).reverse());
        expect(type.serialize(artifactOf(reversed))).to.deep.equal(type.serialize(artifactOf(metadata)));
      }
    });

    it('refuses metadata that its schema does not allow, naming the field, when it writes and when it reads', () => {
      for (const [metadata, field] of sample.invalid) {
        const artifact = artifactOf(metadata);
        expect(() => type.serialize(artifact), JSON.stringify(metadata))
          .to.throw(ParleyError, `metadata of ${article(type.name)}: `)
          .with.property('code', 'INVALID_INPUT');
        expect(
          fieldsRefused(() => type.serialize(artifact)),
          JSON.stringify(metadata),
        ).to.include(field);
        expect(broken(() => type.deserialize(encodeEnvelope(artifact)))).to.contain(
          `metadata of ${article(type.name)}`,
        );
      }
    });

    it('refuses another type, when it writes and when it reads', () => {
      const artifact = artifactOf(sample.valid[0], foreign);
      expect(() => type.serialize(artifact)).to.throw(ParleyError, `${article(foreign)} is not ${article(type.name)}`);
      expect(broken(() => type.deserialize(encodeEnvelope(artifact)))).to.contain(`holds ${article(foreign)}`);
    });

    it('calls every beginning of an envelope broken, and one with bytes after its end', () => {
      const whole = type.serialize(artifactOf(sample.valid[0]));
      for (let length = 0; length < whole.length; length++) {
        broken(() => type.deserialize(whole.subarray(0, length)));
      }
      expect(broken(() => type.deserialize(Uint8Array.of(...whole, 0)))).to.contain('bytes after its end');
    });

    it('answers damaged bytes with a ParleyError or an artifact, and nothing else', () => {
      const whole = type.serialize(artifactOf(sample.valid[0]));
      const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
      fc.assert(
        fc.property(changes, (all) => {
          const bytes = whole.slice();
          for (const [at, byte] of all) bytes[at] = byte;
          try {
            type.deserialize(bytes);
          } catch (error) {
            expect(error).to.be.instanceOf(ParleyError).with.property('code', 'MODEL_BROKEN');
          }
        }),
        { numRuns: 500 },
      );
    });
  });

  describe(`the model type ${type.name}, in a store and behind a server`, () => {
    const model = type.name;
    const metadata = sample.valid[0];
    const envelope = () => type.serialize({ modelType: type.name, graph: sample.graph, signature, metadata });
    const recordKey = (version: string) => world().world.keys.version(model, version);
    let version: string;

    before(async () => {
      for (const member of sample.members ?? [])
        await world().publish(model, modelTypeOf(member.modelType).serialize(member));
      ({ version } = await world().publish(model, envelope()));
    });

    it('is the version that its bytes are', () => {
      expect(version).to.equal(digestOf(envelope()));
    });

    it('has each of its fields in the record, text as it is and everything else as JSON', async () => {
      const hash = await world().world.raw.hgetall(recordKey(version));
      expect(hash.modelType).to.equal(type.name);
      for (const [name, value] of Object.entries(metadata))
        expect(hash[name], name).to.equal(typeof value === 'string' ? value : JSON.stringify(value));
    });

    it('reads from the record what was written', async () => {
      const record = await world().world.store.version(model, version);
      expect(metadataOf(type.name, record?.typeFields ?? {})).to.deep.equal(metadata);
    });

    it('is read without them, as an earlier release wrote it', async () => {
      const { raw, store } = world().world;
      const copy = await raw.hgetallBuffer(recordKey(version));
      try {
        for (const name of Object.keys(type.metadata.shape)) await raw.hdel(recordKey(version), name);
        expect(await store.version(model, version)).to.include({ version, modelType: type.name });
        expect(await store.version(model, version)).to.not.have.property('typeFields');
        await raw.hset(recordKey(version), 'invented_later', 'x');
        expect(await store.version(model, version)).to.not.have.property('typeFields');
      } finally {
        await raw.hdel(recordKey(version), 'invented_later');
        await raw.hset(recordKey(version), copy);
      }
    });

    it('is read beside fields that a later release may write', async () => {
      const { raw, store } = world().world;
      await raw.hset(recordKey(version), 'invented_later', 'x');
      const record = await store.version(model, version);
      expect(record?.typeFields ?? {}).to.deep.equal(fieldsOf({ modelType: type.name, metadata }));
      await raw.hdel(recordKey(version), 'invented_later');
    });

    it('is refused with a field that is corrupt, naming key and field', async () => {
      const { raw, store } = world().world;
      const [field, value] = sample.corrupt;
      const before = await raw.hget(recordKey(version), field);
      await raw.hset(recordKey(version), field, value);
      for (const read of [
        store.version(model, version),
        store.versions(model),
        world().client.listVersions({ model }),
      ]) {
        const error = await failure(read as Promise<unknown>);
        expect(error.code).to.equal('CONFLICT');
        expect(error.message).to.include(recordKey(version)).and.to.include(field);
      }
      if (before === null) await raw.hdel(recordKey(version), field);
      else await raw.hset(recordKey(version), field, before);
    });

    it('is written with no field that its schema does not allow', async () => {
      const [field, value] = sample.corrupt;
      const bytes = Buffer.from(`anything of ${type.name}`);
      const record = {
        version: digestOf(bytes),
        modelType: type.name,
        metrics: {},
        typeFields: { ...fieldsOf({ modelType: type.name, metadata }), [field]: value },
      };
      const error = await failure(world().world.store.publishVersion({ ...BY, model, bytes, record }));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include(field);
    });

    it('is listed, under a name that this release does not know, without fields', async () => {
      const { raw, store } = world().world;
      await raw.hset(recordKey(version), 'modelType', 'oracle');
      const record = await store.version(model, version);
      expect(record).to.include({ modelType: 'oracle' }).and.to.not.have.property('typeFields');
      await raw.hset(recordKey(version), 'modelType', type.name);
    });

    it('answers rows together as it answers each alone', async () => {
      const together = await world().predict(model, version, sample.rows);
      expect(Object.keys(together)).to.deep.equal(signature.outputs.map(({ name }) => name));
      const count = rowsOf(sample.rows);
      for (let row = 0; row < count; row++)
        expectClose(await world().predict(model, version, rowAt(sample.rows, row)), rowAt(together, row));
      expect(rowAt(together, 0)).to.not.deep.equal(rowAt(together, count - 1));
    });

    it('is described and listed with its fields, on the command line too', async () => {
      const fields = fieldsOf({ modelType: type.name, metadata });
      expect(await world().client.describe(model, version)).to.deep.equal({
        version,
        modelType: type.name,
        signature,
        typeFields: fields,
      });
      const { items } = await world().client.listVersions({ model });
      expect(items.find((item) => item.version === version)?.typeFields ?? {}).to.deep.equal(fields);
      const printed = await command(world(), 'describe', model, version);
      expect(printed).to.match(new RegExp(`^${type.name}, a version of "${model}"$`, 'm'));
      for (const [name, value] of Object.entries(fields)) {
        const [, shown] = new RegExp(`^${name} +(.+)$`, 'm').exec(printed.split(/^field +value$/m)[1]) ?? [];
        const told = value.replace(/\b[0-9a-f]{64}\b/g, (digest) => digest.slice(0, 12));
        expect(told.startsWith(shown.replace(/…$/, '')), `${name}: ${shown}`).to.equal(true);
      }
    });
  });
}

/** What a command prints that is run against the world's server. */
export async function command(world: GraphWorld, ...words: readonly string[]): Promise<string> {
  const stream = new PassThrough();
  let printed = '';
  stream.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const { host, port } = world.served;
  const code = await runCommand([...words, '--server', `${host}:${port}`], {
    output: new Output(stream, stream),
    openRegistry: (options) => openRegistry(options, () => {}),
    openArchives: (options) => openArchives(options, () => {}),
    openServer,
    signal: new AbortController().signal,
    version: 'test',
    stdin: process.stdin,
    predict: () => Promise.reject(new Error('nothing is predicted here')),
    serve: () => Promise.reject(new Error('nothing is served here')),
    mock: () => Promise.reject(new Error('nothing is served here')),
  });
  if (code !== 0) throw new Error(printed);
  return printed;
}

function fieldsRefused(act: () => unknown): readonly string[] {
  try {
    act();
  } catch (error) {
    return (error as ParleyError).problems.map(({ path }) => path);
  }
  return [];
}

export const rowsOf = (tensors: Tensors): number => Object.values(tensors)[0].shape[0];

export const rowAt = (tensors: Tensors, row: number): Tensors =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { dataType, shape, data }]): [string, Tensor] => {
      const width = shape.slice(1).reduce((a, b) => a * b, 1);
      return [
        name,
        { dataType, shape: [1, ...shape.slice(1)], data: data.slice(row * width, (row + 1) * width) as Tensor['data'] },
      ];
    }),
  );

/** Labels to the letter, numbers to a millionth. */
export function expectClose(found: Tensors, wanted: Tensors): void {
  expect(Object.keys(found)).to.deep.equal(Object.keys(wanted));
  for (const [name, { data, shape, dataType }] of Object.entries(wanted)) {
    expect(found[name], name).to.deep.include({ dataType, shape });
    if (Array.isArray(data)) expect(found[name].data).to.deep.equal(data);
    else
      for (let i = 0; i < data.length; i++)
        expect(Number(found[name].data[i]), `${name}[${i}]`).to.be.closeTo(Number(data[i]), 1e-6);
  }
}
