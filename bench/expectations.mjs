/** What benchmarks know of their answers, in the load generator's process. */

/** Float sums differ in their last bits with the number of rows that run together. */
const TOLERANCE = 1e-4;
/** Behind the last tensor's data: the ends of tensor, response and result. */
const ENDS = 3;
const VERSION_BYTES = 64;

/** @param options of workloads.mjs */
export function expectation({ kind, ...options }) {
  return KINDS[kind](options);
}

const first = (check) => ({ every: false, check });

const KINDS = {
  /** Prediction.predict, of which one output was asked. */
  floats: ({ expected }) =>
    first((reply, request) => same(lastTensor(reply, expected[request].length), expected[request])),
  /** The answer is the body of an HTTP response. */
  body: ({ expected }) =>
    first((reply, request) => {
      const bytes = expected[request].byteLength;
      same(readFloats(reply, reply.length - bytes, expected[request].length), expected[request]);
    }),
  species: ({ adelie }) =>
    first((reply) => {
      // Length, version, name, sequence id; then the heads of the result and of its first field, the label.
      const labelAt = 16 + reply.readInt32BE(8) + 3 + 3;
      if (reply.readInt32BE(labelAt) !== adelie)
        throw new Error(`species ${reply.readInt32BE(labelAt)} and not ${adelie}`);
    }),
  json: ({ species }) =>
    first((reply) => {
      const answer = JSON.parse(reply.toString('utf8', reply.indexOf('\r\n\r\n') + 4));
      if (answer.species !== species) throw new Error(`species ${answer.species} and not ${species}`);
    }),
  versions: ({ answers }) => new Versions(new Map(answers)),
  none: () => first(() => {}),
};

/** Every answer is the one of the version that it names; the first ones of each version are told. */
class Versions {
  every = true;
  #answers;
  #at = 0;
  #last = new Map();
  #firstsUs = [];

  constructor(answers) {
    this.#answers = answers;
  }

  check(reply, request, channel, tookMs) {
    const version = this.#versionOf(reply);
    const [, probability] = lastTensor(reply, 2),
      wanted = this.#answers.get(version)[request];
    if (!(Math.abs(probability - wanted) < 1e-5))
      throw new Error(`${probability} is not the answer of ${version}: ${wanted}`);
    if (this.#last.has(channel) && this.#last.get(channel) !== version) this.#firstsUs.push(Math.round(tookMs * 1000));
    this.#last.set(channel, version);
  }

  #versionOf(reply) {
    const version = reply.toString('latin1', this.#at, this.#at + VERSION_BYTES);
    if (this.#answers.has(version)) return version;
    for (const known of this.#answers.keys()) {
      this.#at = reply.indexOf(known, 0, 'latin1');
      if (this.#at > 0) return known;
    }
    throw new Error('an answer of a version that was never promoted');
  }

  found() {
    return { firstsUs: this.#firstsUs };
  }
}

function lastTensor(reply, length) {
  const at = reply.length - ENDS - 4 * length;
  if (reply.readInt32BE(at - 4) !== 4 * length) throw new Error(`no tensor of ${length} values ends the answer`);
  return readFloats(reply, at, length);
}

const readFloats = (bytes, at, length) => Float32Array.from({ length }, (_, i) => bytes.readFloatLE(at + 4 * i));

function same(found, wanted) {
  const size = Math.max(1, ...wanted.map(Math.abs));
  const wrong = wanted.findIndex((value, i) => !(Math.abs(value - found[i]) <= TOLERANCE * size));
  if (wrong >= 0) throw new Error(`value ${wrong} of the answer is ${found[wrong]} and not ${wanted[wrong]}`);
}
