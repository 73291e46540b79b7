/** A server in a process of its own, so that a test sees whether it lives and what it keeps. Started by fork.ts. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Limits } from '#parley/rpc/limits.js';
import { socketAddress } from '#parley/store/address.js';
import { RedisStore } from '#parley/store/redis-store.js';
import { serve } from './served.js';

export interface Start {
  readonly socket: string;
  readonly prefix: string;
  readonly limits: Partial<Limits>;
}

export interface State {
  readonly pid: number;
  readonly rssBytes: number;
  readonly liveBytes: number;
  readonly connections: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const { socket, prefix, limits } = JSON.parse(process.argv[2]) as Start;
const store = new RedisStore({ connection: socketAddress(socket), keyPrefix: prefix, environment: 'test' });
const served = await serve(store, limits);

process.on('message', async (question) => {
  if (question === 'state') {
    collect();
    collect();
    const { rss, heapUsed, external } = process.memoryUsage();
    const state: State = {
      pid: process.pid,
      rssBytes: rss,
      liveBytes: heapUsed + external,
      connections: served.server.connections,
    };
    process.send?.(state);
  } else {
    await served.close();
    await store.close();
    process.disconnect();
  }
});
process.send?.({ host: served.host, port: served.port });
