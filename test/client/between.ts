/** Stands between a client and a server, which may change: hears every call, and breaks or mutes the line when it is told to. */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import type thrift from 'thrift';
import thriftLibrary from 'thrift';
import { openReply } from '../rpc/messages.js';

export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** A struct's values by field id; of maps their entries. */
export type Fields = ReadonlyMap<number, unknown>;

/** A call as the server would read it. */
export interface Heard {
  readonly name: string;
  readonly arguments: Fields;
}

export class Between {
  readonly calls: Heard[] = [];
  /** Nothing that the server says is passed on. */
  mute = false;
  /** The next call is not passed on, and the line is cut. */
  cutAtCall = false;
  opened = 0;
  readonly #lines = new Set<{ readonly client: Socket; readonly server: Socket }>();
  readonly #server = createServer((client) => this.#join(client));

  private constructor(public upstream: Upstream) {}

  static async listen(upstream: Upstream): Promise<Between> {
    const between = new Between(upstream);
    between.#server.listen(0, '127.0.0.1');
    await once(between.#server, 'listening');
    return between;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get lines(): number {
    return this.#lines.size;
  }

  cut(): void {
    for (const { client, server } of this.#lines) {
      client.destroy();
      server.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    this.opened++;
    const server = createConnection(this.upstream),
      line = { client, server };
    this.#lines.add(line);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => {
        other.destroy();
        this.#lines.delete(line);
      });
    }
    let rest = Buffer.alloc(0);
    client.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= rest.readInt32BE(0) + 4) {
        const frame = rest.subarray(4, rest.readInt32BE(0) + 4);
        rest = rest.subarray(frame.length + 4);
        this.calls.push(heard(frame));
        if (this.cutAtCall) {
          this.cutAtCall = false;
          this.cut();
          return;
        }
      }
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!this.mute) client.write(chunk);
    });
  }
}

function heard(frame: Buffer): Heard {
  const { header, input } = openReply(Buffer.from(frame));
  return { name: header.name, arguments: read(input, thriftLibrary.Thrift.Type.STRUCT) as Fields };
}

function read(input: thrift.TProtocol, type: number): unknown {
  const { Type } = thriftLibrary.Thrift;
  if (type === Type.I32) return input.readI32();
  if (type === Type.STRING) return String(input.readString());
  if (type === Type.STRUCT) {
    const fields = new Map<number, unknown>();
    input.readStructBegin();
    for (let field = input.readFieldBegin(); field.ftype !== Type.STOP; field = input.readFieldBegin())
      fields.set(field.fid, read(input, field.ftype));
    return fields;
  }
  if (type === Type.MAP) {
    const { ktype, vtype, size } = input.readMapBegin();
    return Object.fromEntries(Array.from({ length: size }, () => [read(input, ktype), read(input, vtype)]));
  }
  input.skip(type);
  return undefined;
}
