/**
 * The rows of the table. A row is measured by a function of its context and answers `{ sides, bars }`:
 *
 * - a side is what was measured of one of the servers: calls a second, CPU µs a call, percentiles;
 * - a bar is a figure, what it must at least or at most be, and in `aim` whether it is an aim rather than a promise. Where the
 *   figure needs a rival that is not installed, it is undefined.
 */

import { beside } from './beside.mjs';
import { bursts } from './bursts.mjs';
import { limit } from './limit.mjs';
import { overload } from './overload.mjs';
import { startup } from './startup.mjs';
import { swap } from './swap.mjs';

const ratio =
  (of, to, key = 'perSecond') =>
  (sides) =>
    sides[to] === undefined ? undefined : sides[of][key] / sides[to][key];
const parley = (key) => (sides) => sides.parley[key];

const timesFastApi = (least, aim) => ({ what: '× FastAPI', figure: ratio('parley', 'fastapi'), least, aim });
const cpu = (most, aim) => ({ what: 'CPU µs', figure: parley('cpuUs'), most, aim });
const p99 = (mostMs) => ({ what: 'p99 ms', figure: ({ parley: { p99Us } }) => p99Us / 1000, most: mostMs });

export const ROWS = [
  {
    name: 'logistic-64',
    title: 'logistic regression, 1 row, 64 connections',
    measure: bursts({ model: 'logistic', connections: 64, rivals: ['fastapi', 'asgi', 'stock'] }),
    bars: [timesFastApi(10), timesFastApi(12, true), cpu(15), cpu(12.5, true), p99(3)],
  },
  {
    name: 'logistic-8',
    title: 'the same, 8 connections',
    measure: bursts({ model: 'logistic', connections: 8, rivals: ['fastapi', 'asgi', 'stock'] }),
    bars: [timesFastApi(6), cpu(24), { what: 'p99 / FastAPI', figure: ratio('parley', 'fastapi', 'p99Us'), most: 0.5 }],
  },
  {
    name: 'logistic-1',
    title: 'the same, 1 connection',
    measure: bursts({ model: 'logistic', connections: 1, rivals: ['fastapi', 'asgi', 'stock'] }),
    bars: [timesFastApi(1.4), cpu(105)],
  },
  {
    name: 'typed-64',
    title: 'typed identify, 6 fields, 64 connections; FastAPI: pydantic, JSON',
    measure: bursts({ model: 'penguins', connections: 64, rivals: ['typed'] }),
    bars: [{ what: '× FastAPI', figure: ratio('parley', 'typed'), least: 10 }],
  },
  {
    name: 'rows-64',
    title: 'logistic regression, 64 rows a call, 64 connections',
    measure: bursts({ model: 'logistic', rows: 64, connections: 64, rivals: ['fastapi'] }),
    bars: [timesFastApi(5.5), cpu(28)],
  },
  {
    name: 'trees-64',
    title: '500 trees, 1 row, 64 connections',
    measure: bursts({ model: 'trees', connections: 64, rivals: ['fastapi'] }),
    bars: [timesFastApi(8), cpu(22)],
  },
  {
    name: 'trees-rows-8',
    title: '500 trees, 64 rows a call, 8 connections',
    measure: bursts({ model: 'trees', rows: 64, connections: 8, rivals: ['fastapi'] }),
    bars: [timesFastApi(1.15), timesFastApi(1.5, true)],
  },
  {
    name: 'convnet',
    title: 'convnet, image of 600 KB, 4 connections; runtime: called directly from Node',
    measure: bursts({ model: 'convnet', connections: 4, rivals: ['fastapi', 'runtime'], leastSeconds: 4 }),
    bars: [{ what: '× runtime', figure: ratio('parley', 'runtime'), least: 0.95 }],
  },
  {
    name: 'beside',
    title: 'logistic regression, 8 connections, beside the saturated convnet',
    measure: beside,
    bars: [
      { what: 'p99 / quiet', figure: ratio('beside', 'quiet', 'p99Us'), most: 5, aim: true },
      { what: 'calls / quiet', figure: ratio('beside', 'quiet'), least: 0.5, aim: true },
    ],
  },
  {
    name: 'swap',
    title: 'logistic regression, 500 calls/s in the open loop, 2 swaps of versions a second',
    measure: swap,
    bars: [
      { what: 'p99 / quiet', figure: ({ swaps }) => swaps.p99OfQuiet, most: 1.3 },
      { what: 'errors', figure: ({ swaps }) => swaps.errors, most: 0 },
    ],
  },
  {
    name: 'overload',
    title: 'two layers of 1,024, 1 row, twice the bearable load in the open loop',
    measure: overload,
    bars: [
      { what: 'goodput / most', figure: ratio('twice', 'bearable'), least: 0.9 },
      { what: 'others than OVERLOADED', figure: ({ twice }) => twice.otherErrors, most: 0 },
      { what: 'p99 / timeout', figure: ({ twice }) => twice.p99Us / twice.timeoutUs, most: 1 },
    ],
  },
  {
    name: 'start',
    title: 'start to first answer, one small model',
    measure: startup,
    bars: [
      { what: 'ms, own Redis', figure: ({ parley: { startMs } }) => startMs, most: 300 },
      { what: 'ms, embedded', figure: ({ embedded: { startMs } }) => startMs, most: 500 },
      { what: 'MB', figure: ({ parley: { residentMb } }) => residentMb, most: 120 },
    ],
  },
  {
    name: 'limit',
    title: 'physical limit: echo of the frames, the graph in batches of 64, logistic regression, 64 connections',
    measure: limit,
    bars: [],
  },
];
