/** Is the port free, or a Parley server's already? */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { DEFAULT_HOST, serverTls, token } from '../config.js';
import { hasErrno } from '../errors.js';
import { ParleyClient } from '../rpc/client/parley-client.js';
import { failed, type Outcome, ok, oneLine, warning } from './doctor-check.js';

const PING_DEADLINE_MS = 3_000;

export async function checkPort(port: number): Promise<Outcome> {
  const refusal = await tryToListen(port);
  if (refusal === undefined) return ok('free');
  if (hasErrno(refusal, 'EACCES'))
    return failed('may not be used by this user', 'choose a port from 1024 on: parley serve --port 9090');
  if (!hasErrno(refusal, 'EADDRINUSE'))
    return failed(oneLine(refusal), 'choose another port: parley serve --port PORT');
  const server = await ping(port);
  if (server === undefined) {
    const holder = holderOf(port);
    const who = holder === undefined ? 'another program' : `"${holder.program}" (process ${holder.pid})`;
    const look = holder === undefined ? ` ("lsof -i :${port}" says which)` : '';
    return failed(
      `in use by ${who}, which is no Parley server`,
      `stop that program${look}, or choose another port: parley serve --port PORT`,
    );
  }
  if (server.serverVersion === '') return ok('a Parley server answers there; it says more to a PARLEY_TOKEN');
  const answers = `a Parley server ${server.serverVersion} answers there`;
  if (!server.storeConnected)
    return warning(
      `${answers}, without its store`,
      'it goes on answering with the models that it has loaded; look at its log, and at its Redis',
    );
  return ok(answers);
}

function tryToListen(port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ port, host: DEFAULT_HOST, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Undefined when what listens there does not answer as a Parley server does. */
async function ping(port: number): Promise<Awaited<ReturnType<ParleyClient['ping']>> | undefined> {
  let client: ParleyClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    client = await ParleyClient.connect({ host: DEFAULT_HOST, port, ...serverTls({}) }, token(undefined));
    // Closing rejects what is under way.
    timer = setTimeout(() => client?.close(), PING_DEADLINE_MS);
    return await client.ping();
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
    client?.close();
  }
}

/** Who listens, as far as Linux tells this user. */
function holderOf(port: number): { readonly pid: number; readonly program: string } | undefined {
  try {
    const sockets = new Set(listeningInodes(port).map((inode) => `socket:[${inode}]`));
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holdsOne(name, sockets));
    return pid === undefined
      ? undefined
      : { pid: Number(pid), program: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() };
  } catch {
    return undefined;
  }
}

/** From proc(5)'s net/tcp: the local address is the second field, the state (0A: listening) the fourth, the inode the tenth. */
function listeningInodes(port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => {
    const rows = readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
    return rows.filter(([, local, , state]) => state === '0A' && local?.endsWith(wanted)).map((row) => row[9]!);
  });
}

function holdsOne(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.has(linkOf(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
