/** Redis in the shapes that people run it in, each started on free ports in temporary folders and stopped by process id. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { EmbeddedRedis } from '#parley/store/embedded.js';
import { TestRedis, temporaryFolder, until } from './redis-server.js';

const START_MS = 40_000;
const DOWN_MS = 800;

/** A Redis, or several that belong together. */
export interface Shape {
  /** As `--redis` takes it; undefined for the embedded one of `dataFolder`. */
  readonly redisUrl?: string;
  readonly redisFiles?: { readonly ca: string; readonly cert?: string; readonly key?: string };
  readonly dataFolder: string;
  /** All Redis servers in it; not the Sentinels, and not the embedded one. */
  readonly nodes: readonly TestRedis[];
  stop(): Promise<void>;
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What INFO says at this moment, by field; empty where nobody answers. */
export async function infoOf(node: TestRedis, password?: string): Promise<ReadonlyMap<string, string>> {
  const text = await askNode(node, (redis) => redis.info(), password).catch(() => '');
  return new Map(text.split('\r\n').map((line) => line.split(/:(.*)/s, 2) as [string, string]));
}

/** Asks by the node's Unix socket, whatever it is in its group. */
export async function askNode<T>(node: TestRedis, ask: (redis: Redis) => Promise<T>, password?: string): Promise<T> {
  const redis = new Redis({
    path: node.socket,
    lazyConnect: true,
    protocol: 2,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    commandTimeout: 2_000,
    ...(password === undefined ? {} : { password }),
  });
  redis.on('error', () => {});
  try {
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}

export async function single(settings: readonly string[] = []): Promise<Shape> {
  const [port] = await freePorts(1);
  const node = await new TestRedis(['--port', `${port}`, '--bind', '127.0.0.1', ...settings]).start();
  return shapeOf(`redis://127.0.0.1:${port}`, [node], async () => {});
}

export async function embedded(): Promise<Shape & { pid(): Promise<number> }> {
  const dataFolder = temporaryFolder();
  const socket = EmbeddedRedis.in(dataFolder).address.path!;
  const pid = async () => {
    const redis = new Redis({ path: socket, protocol: 2 });
    const info = await redis.info('server').finally(() => redis.disconnect());
    return Number(/process_id:(\d+)/.exec(info)![1]);
  };
  const stop = async () => rmSync(dataFolder, { recursive: true, force: true });
  return { dataFolder, nodes: [], stop, pid };
}

export interface Sentinels extends Shape {
  readonly password: string;
  primary(): Promise<TestRedis>;
}

/** A primary, a replica and three Sentinels, all of them with passwords. @param isTls whether they speak nothing but TLS */
export async function sentinels(isTls = false): Promise<Sentinels> {
  const folder = temporaryFolder();
  if (isTls) makeCertificates(folder);
  const placeOf = (port: number) =>
    isTls ? { ...tlsSettings(folder, port, false), 'tls-replication': 'yes' } : { port };
  const trust = isTls ? { tls: { ca: readFileSync(join(folder, 'ca.crt'), 'utf8') } } : {};
  const [password, sentinelPassword] = [randomBytes(6).toString('hex'), randomBytes(6).toString('hex')];
  const ports = await freePorts(2);
  const settingsOf = (port: number) =>
    settingsIn({
      ...placeOf(port),
      bind: '127.0.0.1',
      requirepass: password,
      masterauth: password,
      'repl-diskless-sync-delay': 0,
      'repl-ping-replica-period': 1,
    });
  const nodes = ports.map(
    (port, i) => new TestRedis([...settingsOf(port), ...(i === 0 ? [] : ['--replicaof', `127.0.0.1 ${ports[0]}`])]),
  );
  await Promise.all(nodes.map((node) => node.start()));
  const watching = await Promise.all(
    (await freePorts(3)).map((port) =>
      startSentinel(folder, { port, place: placeOf(port), primary: ports[0]!, password, own: sentinelPassword }),
    ),
  );
  const stop = async () => {
    await Promise.all(watching.map(({ child }) => kill(child)));
    rmSync(folder, { recursive: true, force: true });
  };
  const hosts = watching.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const url = `${isTls ? 'rediss' : 'redis'}+sentinel://:${password}@${hosts}/main?sentinel-password=${sentinelPassword}`;
  const primary = async () => {
    const redis = new Redis({ port: watching[0]!.port, password: sentinelPassword, protocol: 2, ...trust });
    const place = (await redis
      .call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')
      .finally(() => redis.disconnect())) as string[];
    return nodes[ports.indexOf(Number(place[1]))]!;
  };
  const files = isTls ? { redisFiles: { ca: join(folder, 'ca.crt') } } : {};
  const shape = { ...shapeOf(url, nodes, stop), ...files, password, primary };
  try {
    await Promise.all(watching.map(({ port }) => seesAll({ port, password: sentinelPassword, ...trust })));
  } catch (error) {
    await shape.stop();
    throw error;
  }
  return shape;
}

async function startSentinel(
  folder: string,
  sentinel: { port: number; place: object; primary: number; password: string; own: string },
) {
  const { port, place, primary, password, own } = sentinel;
  const home = join(folder, `${port}`);
  mkdirSync(home);
  const settings = [
    ...Object.entries(place).map(([name, value]) => `${name} ${value}`),
    'bind 127.0.0.1',
    `dir ${home}`,
    `logfile ${join(home, 'log')}`,
    `requirepass ${own}`,
    `sentinel sentinel-pass ${own}`,
    `sentinel monitor main 127.0.0.1 ${primary} 2`,
    `sentinel auth-pass main ${password}`,
    `sentinel down-after-milliseconds main ${DOWN_MS}`,
    'sentinel failover-timeout main 4000',
  ];
  writeFileSync(join(home, 'conf'), `${settings.join('\n')}\n`);
  const child = spawn('redis-server', [join(home, 'conf'), '--sentinel'], { stdio: 'ignore' });
  return { child, port };
}

/** A Sentinel that does not know the others yet takes part in no failover. */
async function seesAll(sentinel: { port: number; password: string; tls?: { ca: string } }): Promise<void> {
  const redis = new Redis({ ...sentinel, protocol: 2, retryStrategy: () => 50, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  const seen = async () => {
    const texts = ((await redis.call('SENTINEL', 'MASTER', 'main')) as string[]).join(' ');
    return texts.includes('num-other-sentinels 2') && texts.includes(`num-slaves 1`);
  };
  await until('the Sentinels to know each other', seen, START_MS).finally(() => redis.disconnect());
}

export interface ClusterShape extends Shape {
  /** Who serves the keys of a model now. */
  ownerOf(model: string): Promise<TestRedis>;
  /** Gives a model's slot to another primary; `during` runs when its keys are there and the slot is not. */
  move(model: string, during: () => Promise<void>): Promise<void>;
}

/** Three primaries with a replica each. */
export async function cluster(): Promise<ClusterShape> {
  const ports = await freePorts(12);
  const places = ports.slice(0, 6).map((port, i) => ({ port, bus: ports[6 + i]! }));
  const nodes = places.map(({ port, bus }) => new TestRedis(clusterSettings(port, bus)));
  const shape = shapeOf(`redis+cluster://127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}`, nodes, async () => {});
  try {
    await Promise.all(nodes.map((node) => node.start()));
    const hosts = places.map(({ port }) => `127.0.0.1:${port}`);
    await promisify(execFile)(
      'redis-cli',
      ['--cluster', 'create', ...hosts, '--cluster-replicas', '1', '--cluster-yes'],
      { timeout: START_MS },
    );
    await untilWhole(nodes);
  } catch (error) {
    await shape.stop();
    throw error;
  }
  const ownerOf = async (model: string) => {
    const answers = await Promise.all(nodes.map((node) => owner(node, model)));
    return nodes[ports.indexOf(answers.find((port) => port !== undefined)!)]!;
  };
  const move = async (model: string, during: () => Promise<void>) => {
    const from = await ownerOf(model);
    const roles = await Promise.all(nodes.map(async (node) => (await infoOf(node)).get('role') === 'master'));
    const primaries = nodes.filter((_, i) => roles[i]);
    const to = primaries.find((node) => node !== from)!;
    await moveSlot(model, { from, to, toPort: ports[nodes.indexOf(to)]!, primaries }, during);
  };
  return { ...shape, ownerOf, move };
}

function clusterSettings(port: number, bus: number): string[] {
  return settingsIn({
    port,
    bind: '127.0.0.1',
    'cluster-enabled': 'yes',
    'cluster-port': bus,
    'cluster-node-timeout': 1_500,
    'repl-diskless-sync-delay': 0,
    'repl-ping-replica-period': 1,
  });
}

/** Every node knows that every slot is served, and every primary has a replica to confirm what it writes. */
export async function untilWhole(nodes: readonly TestRedis[]): Promise<void> {
  const isWhole = async (node: TestRedis) => {
    const state = await askNode(node, (redis) => redis.cluster('INFO')).catch(() => '');
    const info = await infoOf(node);
    const hasReplica = info.get('role') === 'master' ? /state=online/.test(info.get('slave0') ?? '') : true;
    return state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:6') && hasReplica;
  };
  for (const node of nodes) await until('the cluster to be whole', () => isWhole(node), START_MS);
}

async function moveSlot(
  model: string,
  way: { from: TestRedis; to: TestRedis; toPort: number; primaries: readonly TestRedis[] },
  during: () => Promise<void>,
): Promise<void> {
  const { from, to, toPort, primaries } = way;
  const [fromId, toId] = await Promise.all([from, to].map((node) => askNode(node, (redis) => redis.cluster('MYID'))));
  const slot = await askNode(from, (redis) => redis.cluster('KEYSLOT', model));
  await askNode(to, (redis) => redis.cluster('SETSLOT', slot, 'IMPORTING', fromId!));
  await askNode(from, (redis) => redis.cluster('SETSLOT', slot, 'MIGRATING', toId!));
  await askNode(from, async (redis) => {
    const keys = await redis.cluster('GETKEYSINSLOT', slot, 1_000);
    await redis.call('MIGRATE', '127.0.0.1', toPort, '', 0, 5_000, 'KEYS', ...keys);
  });
  await during();
  for (const node of [to, from, ...primaries])
    await askNode(node, (redis) => redis.cluster('SETSLOT', slot, 'NODE', toId!));
}

async function owner(node: TestRedis, model: string): Promise<number | undefined> {
  return askNode(node, async (redis) => {
    const slot = await redis.cluster('KEYSLOT', model);
    const slots = await redis.cluster('SLOTS');
    return slots.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
  }).catch(() => undefined);
}

/** TLS only, with a CA of its own that knows its clients, and a user who may do what Parley needs. */
export async function tls(acl: string): Promise<Shape> {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);
  makeCertificates(folder);
  const [port] = await freePorts(1);
  const node = await new TestRedis(settingsIn({ ...tlsSettings(folder, port!, true), bind: '127.0.0.1' })).start();
  const password = randomBytes(6).toString('hex');
  await askNode(node, (redis) => redis.call('ACL', 'SETUSER', 'parley', 'on', `>${password}`, ...acl.split(' ')));
  await askNode(node, (redis) => redis.call('ACL', 'SETUSER', 'default', 'off'));
  const shape = shapeOf(`rediss://parley:${password}@127.0.0.1:${port}`, [node], async () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...shape, redisFiles: { ca: at('ca.crt'), cert: at('client.crt'), key: at('client.key') } };
}

function tlsSettings(folder: string, port: number, asksClients: boolean) {
  return {
    port: 0,
    'tls-port': port,
    'tls-cert-file': join(folder, 'server.crt'),
    'tls-key-file': join(folder, 'server.key'),
    'tls-ca-cert-file': join(folder, 'ca.crt'),
    'tls-auth-clients': asksClients ? 'yes' : 'no',
  };
}

/** As a command line has them. */
function settingsIn(settings: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
}

function makeCertificates(folder: string): void {
  const openssl = (command: string) => execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'pipe' });
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  openssl(`req -x509 ${key} -keyout ca.key -out ca.crt -subj /CN=test-ca`);
  for (const name of ['server', 'client']) {
    openssl(`req ${key.replace(' -days 2', '')} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
    writeFileSync(join(folder, `${name}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    openssl(
      `x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile ${name}.ext -out ${name}.crt`,
    );
  }
}

function shapeOf(redisUrl: string, nodes: readonly TestRedis[], more: () => Promise<void>): Shape {
  const stop = async () => {
    await Promise.all([more(), ...nodes.map((node) => node.stop())]);
  };
  return { redisUrl, dataFolder: '/nonexistent', nodes, stop };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
