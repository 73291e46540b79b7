/**
 * The runtime alone, in a loop on one thread: what no server of it can exceed.
 *
 * Told as JSON { file, input, output, row, rows, seconds }; prints { perSecond, cpuUs } of runs by the public `run`, and the
 * same under `binding` by the native binding that Parley calls.
 */
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { runtimeTensor, Session } from '../dist/onnx/session.js';

const { file, input, output, row, rows, seconds } = JSON.parse(process.argv[2]);
const shape = [rows, ...row];
const data = Float32Array.from({ length: shape.reduce((product, extent) => product * extent, 1) }, Math.random);

async function loop(run) {
  for (let i = 0; i < 3; i++) await run();
  const before = process.cpuUsage(),
    begin = performance.now(),
    end = begin + seconds * 1000;
  let runs = 0;
  while (performance.now() < end) {
    await run();
    runs++;
  }
  const { user, system } = process.cpuUsage(before);
  return { perSecond: (runs / (performance.now() - begin)) * 1000, cpuUs: (user + system) / runs };
}

const open = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
const feeds = { [input]: new Tensor('float32', data, shape) };
const publicRun = await loop(() => open.run(feeds, [output]));
await open.release();

const session = await Session.load(readFileSync(file));
const native = { [input]: runtimeTensor('float32', data, shape) };
const binding = await loop(() => session.runOnce(native, [output]));
console.log(JSON.stringify({ ...publicRun, binding }));
