/** The suite on a contract with lists, a map, raw elements and pictures, from files of each kind. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { Tensor } from '#parley/model/tensor.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { openSuite, runSuite } from '#parley/testing/run.js';
import { loadProject } from '#parley/training/project.js';
import { train } from '#parley/training/train.js';
import { failure } from '../store/world.js';
import { type ProjectFolder, projectFolder } from '../unit/training/projects.js';

const IDL = `
enum Kind { UNSPECIFIED = 0, NUT = 1 (label = "nut"), BOLT = 2 (label = "bolt") }
struct Part {
  1: optional list<double> scan (shape = "3")
  2: optional list<double> call
  3: optional map<Kind, i32> stock (min = "0", max = "9")
  4: optional binary samples (data_type = "float32", shape = "2")
  5: optional binary photo (encoding = "rgb8,png,jpeg", height = "2", width = "3")
  6: optional double offset = 0.5
}
struct Weight { 1: optional double value (role = "value") }
service Parts { Weight weigh(1: Part part) } (model = "parts", accept.mae = "<= 0.000001")
`;
const [HEIGHT, WIDTH] = [2, 3];

const constant = (values: readonly number[], shape: readonly number[]): Tensor => ({
  dataType: 'float64',
  shape,
  data: Float64Array.from(values),
});
/** Each value has a weight of its own, so that none can stand in another's place. */
const weights = (count: number, first: number) => Array.from({ length: count }, (_, i) => first + i);

const WEIGHTS = { scan: weights(3, 1), stock: weights(2, 10), samples: weights(2, 20), photo: weights(18, 30) };

/** The sum of all values by their weights; a picture comes plane by plane, a call as the square of its sum. */
function graph(): Uint8Array {
  const builder = new GraphBuilder();
  const axes = builder.constant('axes', { dataType: 'int64', shape: [1], data: BigInt64Array.of(1n) });
  const flat = builder.constant('flat', { dataType: 'int64', shape: [2], data: BigInt64Array.of(0n, -1n) });
  const asDouble = (name: string) => builder.node('Cast', [name], { to: 11 });
  const weighted = (name: string, type: 'float64' | 'float32' | 'int32', shape: readonly number[]) => {
    const input = builder.node('Reshape', [asDouble(builder.input(name, type, [-1, ...shape])), flat]);
    const by = WEIGHTS[name as keyof typeof WEIGHTS];
    const product = builder.node('Mul', [input, builder.constant(`by ${name}`, constant(by, [1, by.length]))]);
    return builder.node('ReduceSum', [product, axes], { keepdims: 1 });
  };
  const call = builder.node('ReduceSum', [builder.input('call', 'float64', [-1, -1]), axes], { keepdims: 1 });
  const sum = builder.node('Sum', [
    weighted('scan', 'float64', [3]),
    weighted('stock', 'int32', [2]),
    weighted('samples', 'float32', [2]),
    weighted('photo', 'float32', [3, HEIGHT, WIDTH]),
    builder.node('Mul', [call, call]),
    builder.input('offset', 'float64', [-1, 1]),
  ]);
  builder.output('value', sum, 'float64', [-1, 1]);
  return builder.serialize();
}

interface Part {
  readonly scan: readonly number[];
  readonly call: readonly number[];
  readonly nut: number;
  readonly bolt: number;
  readonly samples: readonly [number, number];
  readonly pixels: readonly number[];
  readonly offset?: number;
}

const dot = (values: readonly number[], by: readonly number[]) =>
  values.reduce((sum, value, index) => sum + value * by[index], 0);

function weightOf({ scan, call, nut, bolt, samples, pixels, offset = 0.5 }: Part): number {
  const planes = [0, 1, 2].flatMap((channel) => pixels.filter((_, index) => index % 3 === channel));
  return (
    dot(scan, WEIGHTS.scan) +
    call.reduce((a, b) => a + b, 0) ** 2 +
    dot([nut, bolt], WEIGHTS.stock) +
    dot(samples, WEIGHTS.samples) +
    dot(planes, WEIGHTS.photo) +
    offset
  );
}

const PARTS: readonly Part[] = Array.from({ length: 40 }, (_, i) => ({
  scan: [i, -i / 2, 0.25],
  call: Array.from({ length: 1 + (i % 3) }, (_, k) => k + i),
  nut: i % 10,
  bolt: (i * 3) % 10,
  samples: [i + 0.5, -i],
  pixels: Array.from({ length: HEIGHT * WIDTH * 3 }, (_, k) => (k * 7 + i * 13) % 256),
  ...(i % 2 === 0 ? {} : { offset: i }),
}));
const base64 = (samples: readonly number[]) => Buffer.from(Float32Array.from(samples).buffer).toString('base64');
const rgb = ({ pixels }: Part) => Buffer.from(pixels);
const png = (part: Part) =>
  sharp(rgb(part), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png()
    .toBuffer();

describe('the suite on fields of many values', function () {
  this.timeout(60_000);
  let folder: ProjectFolder;
  beforeEach(() => {
    folder = projectFolder(
      {
        name: 'parts',
        contract: 'parts.thrift',
        source: { kind: 'csv', path: 'parts.csv' },
        label: 'value',
        fixtures: 'f.jsonl',
      },
      { 'parts.thrift': IDL },
    );
    writeFileSync(join(folder.path, 'parts.onnx'), graph());
  });
  afterEach(() => folder.remove());

  const suite = () => openSuite(folder.path);
  const test = async () => runSuite(await suite(), { file: join(folder.path, 'parts.onnx') });

  /** A line of JSON; `photo` of the even rows is a PNG file's bytes, of the odd ones raw pixels. */
  async function lines(parts: readonly Part[], change: (line: Record<string, unknown>) => object = (line) => line) {
    const all = await Promise.all(
      parts.map(async (part, index) => {
        const photo = (index % 2 === 0 ? await png(part) : rgb(part)).toString('base64');
        const { scan, call, nut, bolt, samples, offset } = part;
        const stock = { bolt, nut };
        return change({ scan, call, stock, samples: base64(samples), photo, offset, value: weightOf(part) });
      }),
    );
    folder.write('f.jsonl', all.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  it('feeds each value to its place, whatever the lengths of the rows’ lists', async () => {
    await lines(PARTS);
    const { criteria, accepted } = await test();
    expect(criteria[0].explanation).to.equal(undefined);
    expect(accepted).to.equal(true);
    expect(criteria[0].title).to.equal('mae <= 0.000001 on 40 fixtures');
  });

  it('says which row is wrong, without its many values', async () => {
    await lines(PARTS.slice(0, 5), (line) => ({ ...line, value: Number(line.value) + (line.offset === 3 ? 1 : 0) }));
    const { criteria } = await test();
    expect(criteria[0].wrong?.rows[0]).to.deep.include({ row: 4, values: { offset: 3 } });
  });

  it('reads cells of a CSV file, and pictures from files beside it', async () => {
    await lines(PARTS.slice(0, 3));
    const same = (await suite()).fixtureFingerprint;
    mkdirSync(join(folder.path, 'photos'));
    const rows = await Promise.all(
      PARTS.slice(0, 3).map(async (part, index) => {
        writeFileSync(join(folder.path, 'photos', `${index}`), index % 2 === 0 ? await png(part) : rgb(part));
        const quoted = (value: unknown) => `"${JSON.stringify(value).replaceAll('"', '""')}"`;
        const stock = quoted({ nut: part.nut, bolt: part.bolt });
        return `${weightOf(part)},file:photos/${index},${base64(part.samples)},${stock},${quoted(part.call)},${quoted(part.scan)},${part.offset ?? ''}\n`;
      }),
    );
    folder.write('f.csv', `value,photo,samples,stock,call,scan,offset\n${rows.join('')}`);
    folder.write(
      'parley.yaml',
      'name: parts\ncontract: parts.thrift\nsource: {kind: csv, path: parts.csv}\nlabel: value\nfixtures: f.csv\n',
    );
    expect((await suite()).fixtureFingerprint).to.equal(same);
    expect((await test()).accepted).to.equal(true);
  });

  const wrong: readonly (readonly [string, (line: Record<string, unknown>) => object, string])[] = [
    ['a list that is too short', (line) => ({ ...line, scan: [1, 2] }), 'row 1: scan must have 3 values, got 2 values'],
    ['a key that is none', (line) => ({ ...line, stock: { nutt: 1 } }), 'row 1: stock must have no key but nut, bolt'],
    [
      'a value out of range',
      (line) => ({ ...line, stock: { nut: 10, bolt: 1 } }),
      'row 1: stock[nut] must be between 0 and 9, got 10',
    ],
    [
      'bytes that are too few',
      (line) => ({ ...line, samples: 'AAAA' }),
      'row 1: samples must be 2 elements of float32',
    ],
    ['what is no base64', (line) => ({ ...line, samples: 'é' }), 'row 1: samples must be bytes in base64'],
    ['what is no picture', (line) => ({ ...line, photo: 'AAAA' }), 'row 1: photo must be a picture'],
    ['a file that is not there', (line) => ({ ...line, photo: 'file:none.png' }), 'fixtures, row 1: photo: no file'],
  ];
  for (const [what, change, message] of wrong)
    it(`is refused for ${what}`, async () => {
      await lines(PARTS.slice(0, 1), change);
      expect((await failure(suite())).message).to.include(message);
    });

  it('is refused for a picture of another size, or one that is broken, when it is decoded', async () => {
    const other = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#fff' } })
      .png()
      .toBuffer();
    const cut = (await png(PARTS[0])).subarray(0, 50);
    for (const bytes of [other, cut]) {
      await lines(PARTS.slice(0, 2), (line) => ({ ...line, photo: bytes.toString('base64') }));
      const error = await failure(test());
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include('row 1: photo must be a picture of 3 x 2 pixels that can be decoded');
    }
  });

  it('has no training of the kinds that are here, and says which field stands in the way', async () => {
    await lines(PARTS.slice(0, 1));
    const error = await failure(train(await loadProject(folder.path)));
    expect(error.message).to.include('Part.scan (parts.thrift:4) holds many values').and.to.include('features.drop');
  });
});
