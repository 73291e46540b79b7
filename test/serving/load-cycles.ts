/**
 * A process that loads, asks and lets go a version of 1 MiB again and again, and says how much memory that took:
 * `node load-cycles.js release|leak CYCLES CEILING_MIB`. With `leak`, nothing releases a session. It ends as soon as the
 * ceiling is broken. Answers one line of JSON.
 */
import { digestOf } from '#parley/model-types/envelope.js';
import { Session } from '#parley/onnx/session.js';
import { Batcher } from '#parley/serving/batcher.js';
import { Factory } from '#parley/serving/factory.js';
import { put } from './calls.js';
import { envelopeOf, heavy, MODEL } from './models.js';

const MIB = 2 ** 20;
const [mode, cycles, ceiling] = process.argv.slice(2);
if (mode === 'leak') Session.prototype.release = () => {};

const envelope = Buffer.from(envelopeOf(heavy(5)));
const version = digestOf(envelope);
const factory = new Factory({ readVersion: async () => envelope }, new Batcher());
let done = 0;
let most = 0;

for (; done < Number(cycles) && most <= Number(ceiling); done++) {
  const servable = await factory.load(MODEL, version);
  const call = put(servable.plan([0]), [[1], [2]]);
  factory.forget(MODEL, version);
  await call.settled;
  if (call.values[0]![0] !== 8) throw new Error(`1 + 2 + 5 is not ${call.values[0]}`);
  // The load holds it for its turn.
  await new Promise((resolve) => setImmediate(resolve));
  if (done % 10 === 0) most = Math.max(most, process.memoryUsage.rss() / MIB);
}
console.log(JSON.stringify({ done, most: Number(most.toFixed(1)), taken: factory.memory.takenBytes }));
