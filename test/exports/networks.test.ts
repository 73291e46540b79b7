/** Networks that PyTorch and Keras exported, published by the command and asked over Thrift, answer as their makers did. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { allocate, type DataType, type Tensor } from '#parley/model/tensor.js';
import { PRODUCTION } from '#parley/model/version.js';
import { expectSameProcess, useServerProcess } from '../graphs/server-process.js';
import { bitsOf, runDirectly, type Tensors } from '../graphs/world.js';

const FOLDER = resolve('test/exports/networks');
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => file.slice(0, -'.onnx'.length));
/** Relative above 1: makers and runtime add float32 in other orders. */
const TOLERANCE = 1e-5;

interface RecordedTensor {
  readonly data_type: DataType;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
type RecordedTensors = Readonly<Record<string, RecordedTensor>>;

interface Recorded {
  readonly calls: readonly { readonly inputs: RecordedTensors; readonly outputs: RecordedTensors }[];
}

describe('networks of other makers', function () {
  this.timeout(60_000);
  const process = useServerProcess();

  it('are there, of PyTorch and of Keras', () => {
    for (const maker of ['pytorch', 'keras']) expect(NAMES.some((name) => name.startsWith(maker))).to.equal(true);
  });

  for (const name of NAMES)
    it(`answers as its maker and as the runtime, whatever the batch: ${name}`, async () => {
      const { place, server, graphs } = process();
      const file = join(FOLDER, `${name}.onnx`),
        there = ['--server', server.address];
      const { version } = await place.json<{ version: { version: string } }>(
        'publish',
        file,
        '--model',
        name,
        ...there,
      );
      await place.output('promote', name, version.version, ...there);
      const { calls } = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Recorded;
      expect(new Set(calls.map(({ inputs }) => Object.values(inputs)[0].shape[0])).size).to.be.above(2);
      // All of one turn: what can be batched is.
      const answers = await Promise.all(calls.map(({ inputs }) => graphs.predict(name, PRODUCTION, tensorsOf(inputs))));
      for (const [index, { inputs, outputs }] of calls.entries()) {
        expectClose(answers[index], outputs);
        const alone = await graphs.predict(name, PRODUCTION, tensorsOf(inputs));
        expect(bitsOf(alone)).to.deep.equal(bitsOf(await runDirectly(readFileSync(file), tensorsOf(inputs))));
      }
    });

  it('leave the server as it was', () => expectSameProcess(process()));
});

function tensorsOf(recorded: RecordedTensors): Tensors {
  return Object.fromEntries(Object.entries(recorded).map(([name, tensor]) => [name, tensorOf(tensor)]));
}

function tensorOf({ data_type: dataType, shape, values }: RecordedTensor): Tensor {
  const data = allocate(dataType, values.length);
  if (data instanceof BigInt64Array) data.set(values.map(BigInt));
  else (data as Float32Array).set(values);
  return { dataType, shape, data };
}

function expectClose(actual: Tensors, expected: RecordedTensors): void {
  expect(Object.keys(actual)).to.deep.equal(Object.keys(expected));
  for (const [name, { data_type, shape, values }] of Object.entries(expected)) {
    const { dataType, shape: found, data } = actual[name];
    expect({ dataType, shape: found }, name).to.deep.equal({ dataType: data_type, shape });
    const far = values.findIndex(
      (value, i) => !(Math.abs(value - Number(data[i])) <= TOLERANCE * Math.max(1, Math.abs(value))),
    );
    expect(far, `${name}: the value that is too far off`).to.equal(-1);
  }
}
