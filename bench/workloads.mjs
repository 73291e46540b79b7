/**
 * What is asked, in the words of each side, and how a right answer is told from a wrong one: requests made beforehand that
 * take turns, no two alike, and for each what the runtime itself answers.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { parseContract } from '../dist/contract/parse.js';
import { predictFrame, typedFrame } from '../dist/load/frames.js';
import { chanceOf } from '../dist/load/made-up.js';
import * as logistic from './logistic.mjs';
import * as networks from './networks.mjs';

export const TREES = fileURLToPath(new URL('.venv/trees.onnx', import.meta.url));
const EXPECTATIONS = new URL('expectations.mjs', import.meta.url).href;
const PENGUINS = new URL('../examples/penguins/penguins.thrift', import.meta.url);
/** Of small requests; of images, which are large, fewer. */
const REQUESTS = 64,
  IMAGES = 8;

/** Models that float32 rows go into and float32 rows come out of. */
export const MODELS = {
  logistic: { input: 'features', output: 'probabilities', row: [30], graph: () => logistic.graph() },
  dense: { input: 'features', output: 'scores', row: [30], graph: networks.dense },
  convnet: { input: 'image', output: 'logits', row: [3, 224, 224], graph: networks.convnet, requests: IMAGES },
  trees: {
    input: 'features',
    output: 'probabilities',
    row: [30],
    graph: () => readFileSync(TREES),
    missing: () => (existsSync(TREES) ? undefined : 'the trees are trained by bench/setup'),
  },
};

/** @returns `{ model, rows, predict, raw }`: loads of the same rows, for Prediction.predict and for a body of raw floats */
export async function floats(name, rows, { timeoutMs } = {}) {
  const { input, output, row, graph, requests = REQUESTS } = MODELS[name];
  const chance = chanceOf(11),
    shape = [rows, ...row],
    length = shape.reduce((product, extent) => product * extent, 1);
  const session = await InferenceSession.create(graph(), { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const sent = [],
    expected = [];
  for (let i = 0; i < requests; i++) {
    const data = Float32Array.from({ length }, () => 2 * chance() - 1);
    const answers = await session.run({ [input]: new Tensor('float32', data, shape) }, [output]);
    sent.push(data);
    expected.push(Float32Array.from(answers[output].data));
  }
  await session.release();
  const bytes = (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return {
    model: name,
    rows,
    predict: {
      codec: 'binary',
      provenance: { fieldId: 1, many: false },
      requests: sent.map((data) =>
        predictFrame('binary', {
          model: name,
          outputs: [output],
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
          inputs: { [input]: { dataType: 'float32', shape, data } },
        }),
      ),
      expectation: expectation('floats', { expected }),
    },
    raw: {
      codec: 'http',
      requests: sent.map((data) => post('/predict', 'application/octet-stream', bytes(data))),
      expectation: expectation('body', { expected }),
    },
  };
}

/** One penguin after the other, by the typed service and as JSON. */
export function penguins() {
  const idl = readFileSync(PENGUINS, 'utf8');
  const service = parseContract({ file: 'penguins.thrift', idl, includes: {} }).services[0];
  const method = service.methods.find(({ name }) => name === 'identify');
  const rows = Array.from({ length: REQUESTS }, (_, i) => ({
    bill_length_mm: 39 + i / REQUESTS,
    bill_depth_mm: 19.6,
    flipper_length_mm: 195,
    body_mass_g: 4600 + i,
    island: 'Torgersen',
    sex: 'MALE',
  }));
  const values = (row) => method.request.fields.map(({ name }) => row[name]);
  return {
    model: 'penguins',
    rows: 1,
    predict: {
      codec: 'binary',
      provenance: { fieldId: 15, many: false },
      requests: rows.map((row) => typedFrame('binary', { service, method, rows: [values(row)] })),
      expectation: expectation('species', { adelie: 1 }),
    },
    json: {
      codec: 'http',
      requests: rows.map((row) => post('/identify', 'application/json', Buffer.from(JSON.stringify(row)))),
      expectation: expectation('json', { species: 'Adelie' }),
    },
  };
}

/** The versions that are moved between, whose answers to any row differ by more than a twentieth. */
export const SWAPPED = [-1, 0, 1].map((bias) => {
  const envelope = logistic.envelope(bias);
  return { bias, envelope, version: createHash('sha256').update(envelope).digest('hex') };
});

/** Rows of the logistic model, each of whose answers must be the one of the version that it names. */
export async function swapped() {
  const chance = chanceOf(11);
  const rows = Array.from({ length: REQUESTS }, () =>
    Float32Array.from({ length: logistic.FEATURES }, () => 2 * chance() - 1),
  );
  const answers = SWAPPED.map(({ version, bias }) => [version, rows.map((row) => logistic.probability(row, bias))]);
  const { codec, provenance } = (await floats('logistic', 1)).predict;
  return {
    model: logistic.NAME,
    rows: 1,
    predict: {
      codec,
      provenance,
      requests: rows.map((data) => {
        const tensor = { dataType: 'float32', shape: [1, logistic.FEATURES], data };
        return predictFrame('binary', { model: logistic.NAME, inputs: { [logistic.INPUT]: tensor } });
      }),
      expectation: expectation('versions', { answers }),
    },
  };
}

const expectation = (kind, options) => ({ module: EXPECTATIONS, options: { kind, ...options } });

function post(path, type, body) {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
