/**
 * What a lane costs a heavy model, and what a busy lane costs a light one beside it.
 *
 *   bench/lanes                         runs per second of a convnet, through a lane and inline, in turns
 *   taskset -c 0 bench/lanes beside     a light session's latency on that core, quiet and beside a busy lane, by niceness
 *
 * BLOCKS makes the convnet larger (11: about 30 ms a row), ROUNDS and ROUND_MS the measurement longer, NICE is the lane's.
 */
import { readFileSync } from 'node:fs';
import { feedsOf, runtimeTensor, Session } from '../dist/onnx/session.js';
import { Lanes } from '../dist/serving/lanes/lanes.js';
import { convnet, IMAGE, light } from './convnet.mjs';

const BLOCKS = Number(process.env.BLOCKS ?? 11),
  ROUNDS = Number(process.env.ROUNDS ?? 9),
  ROUND_MS = Number(process.env.ROUND_MS ?? 1500);
const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))];
const rounded = (value) => Number(value.toPrecision(4));

const image = () =>
  feedsOf([['image', runtimeTensor('float32', new Float32Array(602_112 / 4).fill(0.5), [1, ...IMAGE])]]);
const FETCHES = { scores: null };

/** Two at a time, as a plan has. @returns runs per second */
async function rate(session, forMs) {
  const feeds = image();
  const begin = performance.now();
  let done = 0;
  await new Promise((resolve, reject) => {
    let under = 0;
    const next = () => {
      under++;
      session.run(feeds, FETCHES, (error) => {
        under--;
        if (error) return reject(error);
        done++;
        if (performance.now() - begin < forMs) setImmediate(next);
        else if (under === 0) resolve();
      });
    };
    next();
    if (!session.synchronous) next();
  });
  return (done / (performance.now() - begin)) * 1000;
}

/** CPU time of this process and of a lane's, in milliseconds. */
function cpuMs(pid) {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return { own: (user + system) / 1000, lane: (Number(fields[11]) + Number(fields[12])) * 10 };
}

async function throughput() {
  const graph = convnet(BLOCKS);
  const lanes = new Lanes({ count: 1, nice: Number(process.env.NICE ?? 0) });
  const inLane = await lanes.load(graph, 'convnet'),
    inline = await Session.load(graph);
  if (inLane.synchronous) throw new Error('the convnet is light here; set BLOCKS');
  const rates = { lane: [], inline: [] },
    costs = { lane: [], inline: [], own: [] };
  const round = async (which, session) => {
    const before = cpuMs(inLane.pid);
    const perSecond = await rate(session, ROUND_MS);
    const after = cpuMs(inLane.pid),
      runs = (perSecond * ROUND_MS) / 1000;
    rates[which].push(perSecond);
    costs[which].push((after.own - before.own + after.lane - before.lane) / runs);
    if (which === 'lane') costs.own.push((after.own - before.own) / runs);
  };
  await rate(inLane, 300);
  await rate(inline, 300);
  for (let i = 0; i < ROUNDS; i++) {
    await round('inline', inline);
    await round('lane', inLane);
  }
  const median = (values) => rounded(quantile(values, 0.5));
  const ratio = median(rates.lane.map((each, i) => each / rates.inline[i]));
  console.log(`inline ${median(rates.inline)}/s, ${median(costs.inline)} ms of CPU a run`);
  console.log(
    `lane   ${median(rates.lane)}/s, ${median(costs.lane)} ms of CPU a run, ${median(costs.own)} of them in the server`,
  );
  console.log(`lane/inline: ${ratio} of the runs (median of neighbours)`);
  await lanes.close();
}

/** A light run for every turn of the event loop, as a closed loop of callers makes; each turn's length is a latency. */
async function lightFor(session, forMs) {
  const feeds = feedsOf(
    Array.from({ length: 30 }, (_, i) => [`x${i}`, runtimeTensor('float64', Float64Array.of(i), [1, 1])]),
  );
  const waits = [];
  const begin = performance.now();
  let runs = 0;
  // Arrivals by the clock, every millisecond, and counted from when they were due.
  for (let due = begin; due < begin + forMs; due += 1) {
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
    await session.runOnce(feeds);
    waits.push(performance.now() - due);
    runs++;
  }
  return {
    p50: quantile(waits, 0.5),
    p99: quantile(waits, 0.99),
    perSecond: (runs / (performance.now() - begin)) * 1000,
  };
}

/** As many light runs as fit. */
async function lightRate(session, forMs) {
  const feeds = feedsOf(
    Array.from({ length: 30 }, (_, i) => [`x${i}`, runtimeTensor('float64', Float64Array.of(i), [1, 1])]),
  );
  const begin = performance.now();
  let runs = 0;
  while (performance.now() - begin < forMs) {
    for (let i = 0; i < 64; i++, runs++) session.run(feeds, { p: null }, () => {});
    await new Promise(setImmediate);
  }
  return (runs / (performance.now() - begin)) * 1000;
}

async function beside() {
  const graph = convnet(BLOCKS),
    small = await Session.load(light());
  for (const nice of [0, 5, 10, 19]) {
    const lanes = new Lanes({ count: 1, nice });
    const inLane = await lanes.load(graph, 'convnet');
    const quiet = [],
      busy = [],
      heavy = [];
    for (let round = 0; round < 3; round++) {
      quiet.push({ ...(await lightFor(small, ROUND_MS)), most: await lightRate(small, ROUND_MS) });
      let stop = false;
      const load = (async () => {
        while (!stop) heavy.push(await rate(inLane, 200));
      })();
      busy.push({ ...(await lightFor(small, ROUND_MS)), most: await lightRate(small, ROUND_MS) });
      stop = true;
      await load;
    }
    const median = (rounds, key) =>
      quantile(
        rounds.map((each) => each[key]),
        0.5,
      );
    const line = (rounds) =>
      `p50 ${rounded(median(rounds, 'p50'))} p99 ${rounded(median(rounds, 'p99'))} ms, ${Math.round(median(rounds, 'most'))}/s`;
    console.log(
      `nice ${nice}: quiet ${line(quiet)}   busy ${line(busy)}   convnet ${rounded(quantile(heavy, 0.5))}/s meanwhile`,
    );
    await lanes.close();
  }
  small.release();
}

await (process.argv[2] === 'beside' ? beside() : throughput());
