/** Stands between a client and a server, counts the bytes, and breaks every connection when it is told to. */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

export class BreakingProxy {
  /** Bytes that clients have sent. */
  sentBytes = 0;
  breaks = 0;
  /** Breaks at the first byte behind so many that clients sent. */
  breakAfterBytes = Number.POSITIVE_INFINITY;
  /** Breaks instead of passing on the next that the server says. */
  breakAtReply = false;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(private readonly upstream: { readonly host: string; readonly port: number }) {
    this.#server = createServer((client) => this.#join(client));
  }

  static async listen(upstream: { readonly host: string; readonly port: number }): Promise<BreakingProxy> {
    const proxy = new BreakingProxy(upstream);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const server = createConnection(this.upstream);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (bytes) => {
      this.sentBytes += bytes.length;
      if (this.sentBytes > this.breakAfterBytes) this.#break();
      else server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (this.breakAtReply) this.#break();
      else client.write(bytes);
    });
  }

  #break(): void {
    this.breaks++;
    this.breakAfterBytes = Number.POSITIVE_INFINITY;
    this.breakAtReply = false;
    for (const socket of this.#sockets) socket.destroy();
  }
}
