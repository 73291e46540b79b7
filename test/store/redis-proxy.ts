/** Stands between stores and a Redis, and can lose what is announced, or fall silent with all connections open. */
import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TestRedis } from './redis-server.js';

let proxies = 0;

export class RedisProxy {
  readonly socket: string;
  /** Announcements that were lost. */
  lost = 0;
  /** Connections that have subscribed. */
  subscribed = 0;
  /** Whether announcements are lost now. */
  losing = false;
  private readonly server: Server;
  private readonly open = new Set<Socket>();
  private readonly subscribers = new Set<Socket>();
  private silent: 'none' | 'all' = 'none';

  constructor(private readonly redis: TestRedis) {
    this.socket = join(redis.folder, `p${proxies++}.sock`);
    this.server = createServer((near) => this.join(near));
  }

  get url(): string {
    return `unix://${this.socket}`;
  }

  async start(): Promise<this> {
    await once(this.server.listen(this.socket), 'listening');
    return this;
  }

  /** Nothing goes through any more, and nothing is closed. */
  silence(): void {
    this.silent = 'all';
    for (const socket of this.open) socket.pause();
  }

  /** Those that have subscribed hear and say nothing any more; those that come later do. */
  silenceSubscribers(): void {
    for (const socket of this.subscribers) socket.pause();
  }

  resume(): void {
    this.silent = 'none';
    for (const socket of this.open) socket.resume();
  }

  async stop(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(near: Socket): void {
    const far = createConnection(this.redis.socket);
    this.pass(near, far, (chunk) => {
      if (!chunk.toString('latin1').toLowerCase().includes('\r\nsubscribe\r\n')) return true;
      this.subscribed++;
      this.subscribers.add(near).add(far);
      return true;
    });
    this.pass(far, near, (chunk) => {
      if (!this.losing || !chunk.includes('\r\nmessage\r\n')) return true;
      this.lost++;
      return false;
    });
  }

  private pass(from: Socket, to: Socket, passes: (chunk: Buffer) => boolean): void {
    this.open.add(from);
    from.on('data', (chunk: Buffer) => {
      if (passes(chunk)) to.write(chunk);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.open.delete(from);
      this.subscribers.delete(from);
      to.destroy();
    });
    if (this.silent === 'all') from.pause();
  }
}
