/** What a command is given: the outside world, and the parts that app.ts joins. Commands know no globals. */
import { type Command, Option } from 'commander';
import type { ProtectionFlags, ServerAddress, ServerFlags, StoreFlags } from '../config.js';
import type { Contract } from '../contract/contract.js';
import type { RegistryPort } from '../model/registry-port.js';
import type { Archives } from '../registry/archive/archives.js';
import type { CallLogOptions } from '../rpc/call-log.js';
import type { ParleyClient } from '../rpc/client/parley-client.js';
import type { PlainAnswer, PlainRow } from '../rpc/client/typed.js';
import type { Role } from '../security/roles.js';
import type { Output } from './output.js';

export interface StoreOptions extends StoreFlags, ServerFlags {
  readonly token?: string;
  readonly json?: boolean;
}

/** A registry, on the store or behind a server; `close` must be called. */
export interface OpenRegistry {
  readonly registry: RegistryPort;
  close(): Promise<void>;
}

/** A running server, and how it was reached; `client` must be closed. */
export interface OpenServer {
  readonly client: ParleyClient;
  readonly address: ServerAddress;
  readonly token?: string;
}

/** The store itself, for what cannot be done through a server; `close` must be called. */
export interface OpenArchives {
  readonly archives: Archives;
  close(): Promise<void>;
}

/** What `parley serve` was told. Plain values only: each serving process is sent its own as JSON. */
export interface ServeOptions extends StoreFlags, ProtectionFlags {
  readonly host: string;
  readonly port: number;
  /** How many serve behind the port; 1: this process does. */
  readonly processes: number;
  /** Without TLS on an address that other machines reach. */
  readonly insecure: boolean;
  /** Roles of callers without a token. */
  readonly anonymous?: readonly Role[];
  readonly maxConnections?: number;
  /** In bytes. */
  readonly maxFrame?: number;
  readonly defaultService?: string;
  readonly logLevel?: string;
  /** Which calls are logged, and those of how many milliseconds as slow. */
  readonly accessLog?: CallLogOptions['access'];
  readonly slowMs?: number;
  /** Absent: no HTTP. */
  readonly httpPort?: number;
  /** In bytes; absent: half of the memory that there is. */
  readonly memoryLimit?: number;
  readonly requireContract?: boolean;
  /** A file of models' settings. */
  readonly config?: string;
  /** Processes for heavy models, at most; absent: one less than there are cores, and at least one. */
  readonly lanes?: number;
}

/** What `parley mock` was told. */
export interface MockOptions {
  readonly host: string;
  readonly port: number;
  readonly defaultService?: string;
  readonly seed: number;
  readonly logLevel?: string;
}

export interface RunningServer {
  readonly thrift: { readonly host: string; readonly port: number };
  readonly http?: { readonly host: string; readonly port: number };
  readonly services: readonly string[];
  /** Where its models come from, for people. */
  readonly store: string;
  readonly tls: boolean;
  /** Reads certificates and tokens again; absent where there are none. */
  readonly reload?: () => void;
  /** The serving processes, where they are others than this one. */
  readonly processes?: readonly number[];
  close(): Promise<void>;
}

export interface CliContext {
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly version: string;
  readonly stdin: NodeJS.ReadableStream;
  /** What SIGHUP does from now on, in place of ending the command. */
  onHangUp?(action: () => void): void;
  openRegistry(options: StoreOptions): Promise<OpenRegistry>;
  openArchives(options: StoreOptions): Promise<OpenArchives>;
  openServer(options: StoreOptions): Promise<OpenServer>;
  predict(
    options: StoreOptions,
    model: string,
    rows: readonly PlainRow[],
    call: { many: boolean; timeoutMs?: number },
  ): Promise<readonly PlainAnswer[]>;
  serve(options: ServeOptions): Promise<RunningServer>;
  /** Serves a contract without a model or a store. */
  mock(contract: Contract, options: MockOptions): Promise<RunningServer>;
}

/** Adds a command's part to the program. */
export type CommandDefinition = (program: Command, context: CliContext) => void;

/**
 * Opens the registry for one action and closes it whatever happens.
 *
 * Ctrl-C closes it at once: what the action still wants to change is refused then, so that nothing is changed behind the
 * back of somebody who has been told that it stopped.
 */
export async function withRegistry<T>(
  context: CliContext,
  options: StoreOptions,
  action: (registry: RegistryPort) => Promise<T>,
): Promise<T> {
  return whileOpen(context, await context.openRegistry(options), ({ registry }) => action(registry));
}

/** The same for what moves whole models. */
export async function withArchives<T>(
  context: CliContext,
  options: StoreOptions,
  action: (archives: Archives) => Promise<T>,
): Promise<T> {
  return whileOpen(context, await context.openArchives(options), ({ archives }) => action(archives));
}

async function whileOpen<Open extends { close(): Promise<void> }, T>(
  { signal }: CliContext,
  open: Open,
  action: (open: Open) => Promise<T>,
): Promise<T> {
  try {
    return await unlessAborted(signal, () => action(open));
  } finally {
    await open.close();
  }
}

/** What `work` comes to, or at once the signal's reason when it is aborted. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The options of every command that reads or changes the registry. */
export function registryOptions(command: Command): Command {
  return storeOptions(
    serverOptions(
      command.addOption(
        whereOption('--server <host:port>', 'go through this server instead of the store (PARLEY_SERVER)'),
      ),
    ),
  ).option('--json', 'print JSON');
}

/** How a server is reached, beside its address. */
export function serverOptions(command: Command): Command {
  return command
    .addOption(whereOption('--token <token>', 'the token to show the server (PARLEY_TOKEN)'))
    .addOption(whereOption('--tls', 'reach the server over TLS (PARLEY_SERVER_TLS)'))
    .addOption(
      whereOption('--tls-ca <file>', "PEM file of the CA that signed the server's certificate (PARLEY_SERVER_CA)"),
    )
    .addOption(
      whereOption('--tls-cert <file>', 'PEM file of the certificate to show to the server (PARLEY_SERVER_CERT)'),
    )
    .addOption(whereOption('--tls-key <file>', "PEM file of that certificate's key (PARLEY_SERVER_KEY)"));
}

/** The options of every command that works on the store itself. */
export function storeOptions(command: Command): Command {
  return command
    .addOption(whereOption('--redis <url>', 'a Redis of your own instead of the embedded one (PARLEY_REDIS_URL)'))
    .addOption(whereOption('--redis-ca <file>', "PEM file of the CA that signed Redis's certificate (PARLEY_REDIS_CA)"))
    .addOption(whereOption('--redis-cert <file>', 'PEM file of the certificate to show to Redis (PARLEY_REDIS_CERT)'))
    .addOption(whereOption('--redis-key <file>', "PEM file of that certificate's key (PARLEY_REDIS_KEY)"))
    .addOption(whereOption('--data-dir <folder>', 'folder of the embedded Redis (PARLEY_DATA_DIR; default .parley)'));
}

const WHERE = 'Where the models are:';
export const whereOption = (flags: string, description: string): Option =>
  new Option(flags, description).helpGroup(WHERE);

/** What a command does comes before how it prints, and that before where. */
export function ownOptionsFirst(command: Command): void {
  const rank = ({ helpGroupHeading, long }: Option) => (helpGroupHeading === WHERE ? 2 : long === '--json' ? 1 : 0);
  (command.options as Option[]).sort((a, b) => rank(a) - rank(b));
}

/** What `--redis` understands, for the help of commands that run servers. */
export const REDIS_ADDRESSES = `
Redis addresses (rediss… instead of redis… for TLS; user, password and database can be left out):
  redis://user:password@host:6379/0                          one Redis
  redis+sentinel://user:password@host:26379,host:26379/name  the primary of that name, from its Sentinels;
                                                             ?sentinel-password=… where they want one
  redis+cluster://user:password@host:6379,host:6379          a Redis Cluster, by some of its nodes
  /run/redis/redis.sock                                      a Unix socket`;
