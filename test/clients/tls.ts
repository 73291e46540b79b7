/** TLS in front of a server: a certificate made with openssl, and a port that hands on what it decrypts. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { run } from './toolchain.js';

export interface Certificate {
  /** Files of PEM; the certificate is its own authority. */
  readonly cert: string;
  readonly key: string;
}

/** For this machine's loopback. @returns undefined where there is no openssl */
export function makeCertificate(folder: string, name = 'server'): Certificate | undefined {
  const [cert, key] = [join(folder, `${name}-cert.pem`), join(folder, `${name}-key.pem`)];
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const { status } = run('openssl', [
    'req',
    ...kind,
    ...['-subj', '/CN=localhost', '-addext', names, '-keyout', key, '-out', cert],
  ]);
  return status === 0 ? { cert, key } : undefined;
}

export class TlsFront {
  private readonly sockets = new Set<Socket>();
  private constructor(
    private readonly server: Server,
    /** `host:port`. */
    readonly address: string,
  ) {}

  /** @param behind `host:port` of the server without TLS */
  static async start({ cert, key }: Certificate, behind: string): Promise<TlsFront> {
    const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const front = new TlsFront(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [host, port] = behind.split(':') as [string, string];
    server.on('secureConnection', (secure) => {
      const plain = connect(Number(port), host);
      for (const socket of [secure, plain]) {
        front.sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          front.sockets.delete(socket);
          plain.destroy();
          secure.destroy();
        });
      }
      secure.pipe(plain).pipe(secure);
    });
    return front;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
