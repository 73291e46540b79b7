/** What the client's tests share: stubs of their contracts, servers that are in the way, and what a call came to. */
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Stubs } from '#parley/client/index.js';
import { run } from '../clients/toolchain.js';
import { skip } from '../skip.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Generated code of a contract; it stands within the checkout, where it finds its library. */
export class StubFolder {
  readonly path: string;

  /** Skips where there is no compiler. */
  constructor(context: Mocha.Context, name: string, idl: string) {
    const compiler = process.env.THRIFT ?? 'thrift';
    if (run(compiler, ['--version']).status !== 0) skip(context, 'there is no Thrift compiler on the PATH');
    mkdirSync(join(ROOT, 'dist-test'), { recursive: true });
    this.path = mkdtempSync(join(ROOT, 'dist-test/stubs-'));
    writeFileSync(join(this.path, 'package.json'), '{ "type": "commonjs" }\n');
    const file = join(this.path, `${name}.thrift`);
    writeFileSync(file, idl);
    const made = run(compiler, ['-r', '-I', join(ROOT, 'idl'), '--gen', 'js:node,ts,es6', '-out', this.path, file]);
    if (made.status !== 0) throw new Error(made.output);
  }

  require(file: string): Record<string, new () => object> {
    return createRequire(import.meta.url)(join(this.path, `${file}.js`)) as Record<string, new () => object>;
  }

  load<Client>(service: string): Stubs<Client> {
    return this.require(service) as unknown as Stubs<Client>;
  }

  remove(): void {
    if (existsSync(this.path)) rmSync(this.path, { recursive: true });
  }
}

/** Takes connections and what comes over them, and answers nothing. */
export class MuteServer {
  /** Sockets, and how many bytes came over each. */
  readonly #heard = new Map<Socket, number>();
  readonly #server = createServer((socket) => {
    this.#heard.set(socket, 0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => this.#heard.set(socket, this.#heard.get(socket)! + chunk.length));
  });

  static async listen(): Promise<MuteServer> {
    const mute = new MuteServer();
    mute.#server.listen(0, '127.0.0.1');
    await once(mute.#server, 'listening');
    return mute;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All that there ever were. */
  get connections(): number {
    return this.#heard.size;
  }

  get heardBytesEach(): number[] {
    return [...this.#heard.values()];
  }

  get heardBytes(): number {
    return this.heardBytesEach.reduce((sum, bytes) => sum + bytes, 0);
  }

  async close(): Promise<void> {
    for (const socket of this.#heard.keys()) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
