/**
 * The HTTP side of a server, for those who watch it: `/metrics`, `/models`, `/live` and `/ready`. Read-only.
 *
 * Live: the event loop turns. Ready: it takes calls; a server whose store is away does, for what it has loaded.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { hasErrno, invalidInput } from '../errors.js';
import type { Metrics } from './metrics.js';

/** Watchers are few. */
const MOST_CONNECTIONS = 64;
/** For a request to arrive, and for a reply to be taken further. */
const REQUEST_MS = 5_000;

export interface Watched {
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
  /** What `/models` tells, of one model where it is asked for. */
  readonly models: (only: string | undefined) => object | Promise<object>;
  /** Why no calls are taken now; undefined while they are. */
  readonly unready: () => string | undefined;
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export class HttpServer {
  readonly #server: Server;
  /** Whose one request is being answered. */
  readonly #asked = new WeakSet<Socket>();

  /** @param requestMs how long a client may take to go on */
  constructor(
    private readonly watched: Watched,
    requestMs = REQUEST_MS,
  ) {
    this.#server = createServer(
      { connectionsCheckingInterval: requestMs / 5 },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.requestTimeout = this.#server.headersTimeout = this.#server.timeout = requestMs;
  }

  /** @param port 0 for any free one @throws ParleyError INVALID_INPUT where it cannot be listened on */
  async listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(refusal(error, host, port)));
      this.#server.listen(port, host, resolve);
    });
    // Such as one that cannot be accepted for want of file descriptors: the calls go on.
    this.#server.removeAllListeners('error').on('error', () => {});
    const { address, port: taken } = this.#server.address() as AddressInfo;
    return { host: address, port: taken };
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What stands behind the first request of a connection is never answered, so it must cost nothing either.
    if (this.#asked.has(request.socket)) return;
    this.#asked.add(request.socket);
    const { status, type, body } = await this.#replyTo(request).catch((error: unknown) =>
      text(500, `error: ${error instanceof Error ? error.message : String(error)}\n`),
    );
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      // One that is kept could be asked on and on, and its replies be left lying, without ever being idle.
      connection: 'close',
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #replyTo({ method, url = '/' }: IncomingMessage): Promise<Reply> {
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'error: only GET and HEAD\n');
    const [path, query] = url.split('?', 2);
    switch (path) {
      case '/metrics': {
        const { metrics } = this.watched;
        return { status: 200, type: metrics.contentType, body: await metrics.text() };
      }
      case '/models':
        return this.#models(new URLSearchParams(query));
      case '/live':
        return text(200, 'live\n');
      case '/ready': {
        const reason = this.watched.unready();
        return reason === undefined ? text(200, 'ready\n') : text(503, `${reason}\n`);
      }
      default:
        return text(404, 'error: there are /metrics, /models, /live and /ready\n');
    }
  }

  async #models(query: URLSearchParams): Promise<Reply> {
    const page = await this.watched.models(query.get('model') ?? undefined);
    const body = JSON.stringify(page, null, query.has('pretty') ? 2 : undefined);
    return { status: 200, type: 'application/json', body: `${body}\n` };
  }
}

const text = (status: number, body: string): Reply => ({ status, type: 'text/plain; charset=utf-8', body });

function refusal(error: Error, host: string, port: number): Error {
  const why = hasErrno(error, 'EADDRINUSE') ? 'another program listens there' : error.message;
  return invalidInput(`cannot listen for HTTP on ${host}:${port}: ${why}; choose another --http-port, or 0 for any`, {
    cause: error,
  });
}
