/** Stands between a store and its Redis, counts the commands, and cuts every connection at one of them. */
import { randomBytes } from 'node:crypto';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type RedisAddress, socketAddress } from '#parley/store/address.js';
import { temporaryFolder } from '../store/redis-server.js';

/** `before`: the command never reaches Redis. `after`: Redis carries it out, and nobody hears of it. */
export type Where = 'before' | 'after';

export class CuttingProxy {
  /** Commands that have arrived, on all connections together. */
  commands = 0;
  /** The command at which the connections were cut. */
  cutAt: string | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  readonly #folder = temporaryFolder();
  #ending = false;
  #onCut = () => {};

  /**
   * @param upstream the socket of the Redis behind
   * @param cut the number of the command to cut at, from 1 on; 0 for none
   */
  constructor(
    private readonly upstream: string,
    private readonly cut: number,
    private readonly where: Where,
  ) {
    this.#server = createServer((client) => this.#join(client));
  }

  get address(): RedisAddress {
    return socketAddress(join(this.#folder, 'proxy.sock'));
  }

  /** Called once, when the connections have been cut. */
  onCut(listener: () => void): void {
    this.#onCut = listener;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.address.path, resolve));
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    if (this.cutAt !== undefined) {
      client.destroy();
      return;
    }
    const redis = createConnection(this.upstream);
    for (const socket of [client, redis]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        redis.destroy();
      });
    }
    redis.on('data', (data: Buffer) => client.write(data));
    const reader = new CommandReader();
    client.on('data', (data: Buffer) => {
      for (const { name, bytes } of reader.push(data)) {
        if (this.cutAt !== undefined || this.#ending) return;
        if (++this.commands !== this.cut) redis.write(bytes);
        else if (this.where === 'before') this.#end(name);
        else this.#endAfter(name, bytes, redis);
      }
    });
  }

  /** Lets Redis carry the command out: it has when it answers what was asked behind it. */
  #endAfter(name: string, bytes: Buffer, redis: Socket): void {
    this.#ending = true;
    const marker = randomBytes(8).toString('hex');
    redis.removeAllListeners('data');
    redis.on('data', (reply: Buffer) => {
      const text = reply.toString('latin1');
      // Inside MULTI nothing is answered before EXEC.
      if (text.includes(marker) || text.endsWith('+QUEUED\r\n')) this.#end(name);
    });
    redis.write(bytes);
    redis.write(`*2\r\n$4\r\nECHO\r\n$16\r\n${marker}\r\n`);
  }

  #end(name: string): void {
    this.cutAt = name;
    for (const socket of this.#sockets) socket.destroy();
    this.#onCut();
  }
}

/** Cuts what a client sends into commands: arrays of bulk strings. */
class CommandReader {
  #left = Buffer.alloc(0);

  push(data: Buffer): { name: string; bytes: Buffer }[] {
    this.#left = Buffer.concat([this.#left, data]);
    const commands: { name: string; bytes: Buffer }[] = [];
    for (;;) {
      const end = this.#endOfCommand();
      if (end === undefined) return commands;
      const bytes = this.#left.subarray(0, end);
      const name = /\r\n([^\r]*)\r\n/.exec(bytes.subarray(bytes.indexOf('$'), 200).toString('latin1'))?.[1] ?? '?';
      commands.push({ name: name.toUpperCase(), bytes });
      this.#left = this.#left.subarray(end);
    }
  }

  #endOfCommand(): number | undefined {
    let at = this.#left.indexOf('\r\n');
    if (at < 0) return undefined;
    const count = Number(this.#left.toString('latin1', 1, at));
    at += 2;
    for (let i = 0; i < count; i++) {
      const line = this.#left.indexOf('\r\n', at);
      if (line < 0) return undefined;
      at = line + 2 + Number(this.#left.toString('latin1', at + 1, line)) + 2;
      if (at > this.#left.length) return undefined;
    }
    return at;
  }
}
