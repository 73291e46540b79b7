/** What is done to a Redis while a server answers from it. */
import { setTimeout } from 'node:timers/promises';
import { askNode, cluster, type Shape, sentinels, single } from '../store/shapes.js';

export interface Broken {
  readonly shape: Shape;
  /** Breaks it and, `downMs` later, mends it; resolves then. @param model on whose keys promotions work */
  injure(model: string, downMs: number): Promise<void>;
}

export interface Fault {
  /** As `--only` takes it. */
  readonly name: string;
  /** For the report. */
  readonly title: string;
  /** How long it lasts, in the full run. */
  readonly downMs: number;
  start(): Promise<Broken>;
}

export const FAULTS: readonly Fault[] = [
  { name: 'killed', title: 'one Redis, killed (`kill -9`), started again after 5 s', downMs: 5_000, start: killed },
  { name: 'paused', title: 'one Redis, stopped for 10 s (`SIGSTOP`, `SIGCONT`)', downMs: 10_000, start: paused },
  { name: 'memory', title: 'one Redis, out of memory for 5 s (`maxmemory 1`)', downMs: 5_000, start: memory },
  { name: 'failover', title: 'Sentinels: the primary killed, back after 10 s', downMs: 10_000, start: failover },
  {
    name: 'asleep',
    title: 'Sentinels: the primary stopped for 10 s, replaced, awake again',
    downMs: 10_000,
    start: asleep,
  },
  { name: 'node', title: "cluster: the model's primary killed, back after 10 s", downMs: 10_000, start: node },
];

async function killed(): Promise<Broken> {
  const shape = await single();
  const [redis] = shape.nodes;
  const injure = async (_model: string, downMs: number) => {
    await redis!.kill();
    await setTimeout(downMs);
    await redis!.start();
  };
  return { shape, injure };
}

async function paused(): Promise<Broken> {
  const shape = await single();
  const [redis] = shape.nodes;
  const injure = async (_model: string, downMs: number) => {
    await redis!.pause();
    await setTimeout(downMs);
    redis!.signal('SIGCONT');
  };
  return { shape, injure };
}

async function memory(): Promise<Broken> {
  const shape = await single();
  const [redis] = shape.nodes;
  const limit = (bytes: number) => askNode(redis!, (client) => client.config('SET', 'maxmemory', bytes));
  const injure = async (_model: string, downMs: number) => {
    await limit(1);
    await setTimeout(downMs);
    await limit(0);
  };
  return { shape, injure };
}

async function failover(): Promise<Broken> {
  const shape = await sentinels();
  const injure = async (_model: string, downMs: number) => {
    const primary = await shape.primary();
    await primary.kill();
    await setTimeout(downMs);
    await primary.start();
  };
  return { shape, injure };
}

async function asleep(): Promise<Broken> {
  const shape = await sentinels();
  const injure = async (_model: string, downMs: number) => {
    const primary = await shape.primary();
    await primary.pause();
    await setTimeout(downMs);
    primary.signal('SIGCONT');
  };
  return { shape, injure };
}

async function node(): Promise<Broken> {
  const shape = await cluster();
  const injure = async (model: string, downMs: number) => {
    const primary = await shape.ownerOf(model);
    await primary.kill();
    await setTimeout(downMs);
    await primary.start();
  };
  return { shape, injure };
}
