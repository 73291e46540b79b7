/**
 * What is asked, of whom, and how a right answer is told from a wrong one.
 *
 * A generator writes the sequence id into `frame`, and at `noiseAt` two bytes of noise: the low ones of a number, so that
 * no two requests are alike and a cache of answers would gain nothing.
 */
import { createHash } from 'node:crypto';
import * as logistic from './logistic.mjs';
import {
  binary,
  call,
  DOUBLE,
  double,
  I32,
  I64,
  int,
  LIST,
  list,
  long,
  readReply,
  STRING,
  STRUCT,
  struct,
  text,
} from './wire.mjs';

const ADELIE = 1;
const FLOAT32 = 1;

const billLength = double(39.5);
const identify = call(
  'identify',
  struct([
    STRUCT,
    1,
    struct(
      [DOUBLE, 1, billLength],
      [DOUBLE, 2, double(19.6)],
      [DOUBLE, 3, double(195)],
      [DOUBLE, 4, double(4675)],
      [STRING, 5, text('Torgersen')],
      [STRING, 6, text('MALE')],
    ),
  ]),
);

const row = Buffer.from(logistic.ROW.buffer);
const tensor = struct(
  [STRING, 1, text(logistic.INPUT)],
  [I32, 2, int(FLOAT32)],
  [LIST, 3, list(I64, [long(1), long(logistic.FEATURES)])],
  [STRING, 5, binary(row)],
);
const predict = call(
  'predict',
  struct([STRUCT, 1, struct([STRING, 2, text(logistic.NAME)], [LIST, 6, list(STRUCT, [tensor])])]),
);

/** The versions that bench/swaps moves between, whose answers to any row differ by more than a twentieth. */
export const SWAPPED = [-1, 0, 1].map((bias) => {
  const envelope = logistic.envelope(bias);
  return { bias, envelope, version: createHash('sha256').update(envelope).digest('hex') };
});
const biasOf = new Map(SWAPPED.map(({ version, bias }) => [version, bias]));
const rowAt = predict.indexOf(row);

/** By name. `server` is one of servers.mjs's; `check` throws where the answer to the frame as it stands is wrong. */
export const CASES = {
  identify: {
    title: 'typed identify',
    server: 'parley',
    method: 'identify',
    frame: identify,
    noiseAt: identify.indexOf(billLength) + 6,
    check: (reply) => {
      const identified = readReply(reply);
      expect('species', identified[1], ADELIE);
      expect('provenance.model', String(identified[15][2]), 'penguins');
    },
  },
  predict: {
    title: 'Prediction.predict',
    server: 'parley',
    method: 'predict',
    frame: predict,
    noiseAt: predict.indexOf(row),
    check: (reply) => {
      const { 1: provenance, 2: outputs } = readReply(reply);
      expect('provenance.model', String(provenance[2]), logistic.NAME);
      const wanted = logistic.probability(logistic.ROW),
        found = outputs[0][5].readFloatLE(4);
      if (!(Math.abs(found - wanted) < 1e-6)) throw new Error(`the probability is ${found} and not ${wanted}`);
    },
  },
  swaps: {
    title: 'Prediction.predict while its alias moves',
    server: 'parley',
    method: 'predict',
    frame: predict,
    noiseAt: rowAt,
    checksAll: true,
    check: (reply, frame) => {
      const { 1: provenance, 2: outputs } = readReply(reply);
      const version = String(provenance[3]),
        asked = Float32Array.from({ length: logistic.FEATURES }, (_, i) => frame.readFloatLE(rowAt + 4 * i));
      const wanted = logistic.probability(asked, biasOf.get(version)),
        found = outputs[0][5].readFloatLE(4);
      if (!(Math.abs(found - wanted) < 1e-5)) throw new Error(`${found} is not the answer of ${version}: ${wanted}`);
      return version;
    },
  },
  stock: {
    title: 'stock thrift echo',
    server: 'stock',
    method: 'predict',
    frame: predict,
    noiseAt: predict.indexOf(row),
    check: (reply) => {
      const { 2: outputs } = readReply(reply);
      expect('the echoed bytes', outputs[0][5].toString('hex'), row.toString('hex', 0, 8));
    },
  },
};

function expect(what, found, wanted) {
  if (found !== wanted) throw new Error(`${what}: ${found} and not ${wanted}`);
}
