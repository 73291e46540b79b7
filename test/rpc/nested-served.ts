/** The models of nested-model.ts on a server, and code that the Thrift compiler made of their contract. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { pino } from 'pino';
import types from '#gen/parley_types.js';
import type { TestRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { Caller } from './caller.js';
import { READ } from './generated-replies.js';
import { openReply, type Writable } from './messages.js';
import { NESTED_IDL, nestedModel, OPEN_IDL, openModel } from './nested-model.js';
import { place, type Served, serve } from './served.js';

/** @returns undefined where there is no Thrift compiler */
// biome-ignore lint/suspicious/noExplicitAny: made while the test runs
export function stubsOf(name: string, idl: string): any {
  const folder = `dist-test/rpc/${name}-stubs`,
    file = join(folder, `${name}.thrift`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, idl);
  const made = spawnSync('thrift', ['-r', '--gen', 'js:node,es6', '-I', 'idl', '-out', folder, file]);
  if (made.status !== 0) return undefined;
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
  return createRequire(join(process.cwd(), folder, 'x.js'))(`./${name}_types.js`);
}

export interface NestedServed {
  readonly served: Served;
  readonly caller: Caller;
  ask(frame: Buffer): Promise<Buffer>;
  /** @throws where it is an error */
  answer(frame: Buffer): Promise<Buffer>;
  close(): Promise<void>;
}

export async function serveNested(redis: TestRedis, log?: pino.Logger): Promise<NestedServed> {
  const world = new World(redis);
  await place(world.store, 'nested', nestedModel(), NESTED_IDL);
  await place(world.store, 'open', openModel(), OPEN_IDL);
  const served = await serve(world.store, {}, log);
  const caller = await Caller.open(served);
  const ask = async (frame: Buffer) => {
    const reply = await caller.send(frame).reply();
    if (reply === undefined) throw new Error('the connection was closed instead of a reply');
    return reply;
  };
  return {
    served,
    caller,
    ask,
    async answer(frame) {
      const reply = await ask(frame);
      const error = errorOf(reply);
      if (error !== undefined) throw new Error(`it was refused: ${error.message}`);
      return reply;
    },
    async close() {
      caller.close();
      await served.close();
      await world.close();
    },
  };
}

export interface ToldProblem {
  readonly path: string;
  readonly message: string;
  readonly got: string | null;
}

/** @returns the ParleyError of a reply; undefined for an answer */
export function errorOf(reply: Buffer): types.ParleyError | undefined {
  const { input } = openReply(reply);
  input.readStructBegin();
  if (input.readFieldBegin().fid === 0) return undefined;
  const error = new types.ParleyError();
  (error as unknown as Writable)[READ]!(input);
  return error;
}
