/** From the start of the process to the first answer, and what it has in memory then. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { pythonMissing } from '../servers.mjs';
import { medians, published, RIVALS, workloadOf } from './sides.mjs';

/** Where a reply of Thrift's binary protocol has its type, and what it is. */
const TYPE_AT = 7,
  REPLY = 2;

export async function startup({ workplace, cores, options, note }) {
  const work = await workloadOf(workplace, 'logistic', 1);
  const redis = await workplace.redis();
  await workplace.prepare({ logistic: published('logistic') });
  await workplace.prepare({ logistic: published('logistic') }, redis);
  const parley = (more) => async () => ({
    server: await workplace.parley(cores?.server, undefined, more),
    load: work.predict,
  });
  const starts = { parley: parley(['--redis', redis]), embedded: parley([]) };
  const missing = pythonMissing();
  if (missing === undefined) starts.fastapi = () => RIVALS.fastapi(workplace, cores?.server, work);
  const samples = [];
  for (let round = 1; round <= options.rounds; round++) {
    note(`round ${round} of ${options.rounds}`);
    for (const [side, start] of Object.entries(starts)) samples.push({ round, side, ...(await startOnce(start)) });
  }
  return {
    sides: Object.fromEntries(Object.keys(starts).map((side) => [side, medians(samples, side)])),
    samples,
    notes: ['parley: with a Redis that runs already; embedded: with one that it starts', ...(missing ? [missing] : [])],
  };
}

async function startOnce(start) {
  const begin = performance.now();
  const { server, load } = await start();
  await firstAnswer(server, load);
  const startMs = performance.now() - begin;
  const residentMb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'latin1'))[1]) / 1000;
  await server.stop();
  return { startMs, residentMb };
}

/** @throws where it is an error */
export async function firstAnswer({ host, port }, { codec, requests }) {
  const socket = connect({ host, port, noDelay: true });
  socket.write(requests[0]);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  const isGood = codec === 'http' ? answer.toString('latin1', 0, 12) === 'HTTP/1.1 200' : answer[TYPE_AT] === REPLY;
  if (!isGood) throw new Error(`the first answer is an error: ${answer.toString('latin1')}`);
}
