/** `parley serve`: answers calls until it is told to stop. */
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_HOST, DEFAULT_PORT, parseSize } from '../config.js';
import { ACCESS_LOGS, DEFAULT_CALL_LOG } from '../rpc/call-log.js';
import { DEFAULT_LIMITS } from '../rpc/limits.js';
import { ROLES } from '../security/roles.js';
import { type CommandDefinition, REDIS_ADDRESSES, type ServeOptions, storeOptions } from './context.js';
import { countOf } from './history.js';
import { rolesOf } from './token.js';

const MOST_FRAME_BYTES = 2 ** 30;

interface Options extends ServeOptions {
  readonly json?: boolean;
}

export const serve: CommandDefinition = (program, context) => {
  storeOptions(program.command('serve'))
    .summary('answer calls over Thrift')
    .description(
      'Answers calls over framed Thrift, binary and compact, plain and multiplexed names: the generic services of parley.thrift, and the typed service of every contract in the store, also of those that are published while it runs.',
    )
    .option('--host <address>', 'the address to listen on', DEFAULT_HOST)
    .option('--port <port>', 'the port; 0 for any free one', portOf, DEFAULT_PORT)
    .option('--processes <n>', 'how many processes answer behind the port, each on a core of its own', processesOf, 1)
    .option(
      '--http-port <port>',
      'also answer /metrics, /models, /live and /ready over HTTP; 0 for any free port',
      portOf,
    )
    .option(
      '--config <file>',
      "a YAML file of models' settings: kept answers, waiting for fuller batches, the queue's bound; read at the start",
    )
    .optionsGroup('Who may call:')
    .option('--tls-cert <file>', 'PEM file of the certificate to show to callers, over TLS only then (PARLEY_TLS_CERT)')
    .option('--tls-key <file>', "PEM file of that certificate's key (PARLEY_TLS_KEY)")
    .option(
      '--tls-client-ca <file>',
      'PEM file of a CA: only callers whose certificate it signed are answered (PARLEY_TLS_CLIENT_CA)',
    )
    .option('--tokens <file>', 'the file of "parley token": who may do what (PARLEY_TOKENS)')
    .option('--anonymous <roles>', `what callers without a token may do: ${ROLES.join(', ')}`, rolesOf)
    .option('--insecure', 'allow an address that other machines reach without TLS', false)
    .option(
      '--max-connections <count>',
      `how many callers are connected at once (default: ${DEFAULT_LIMITS.connections})`,
      countOf,
    )
    .option('--max-frame <size>', 'the largest message that is taken, such as 16MiB (default: 64MiB)', frameOf)
    .optionsGroup('Models and memory:')
    .option(
      '--default-service <name>',
      'the typed service whose methods can be called by their plain names; the only one when there is one',
    )
    .option(
      '--memory-limit <size>',
      'what loaded versions may take together, such as 2GiB; the least recently used go first (default: half of the memory)',
      sizeOf,
    )
    .option(
      '--lanes <n>',
      'processes for models that take more than about a millisecond a row, at most; 0: none (default: cores - 1, at least 1)',
      lanesOf,
    )
    .option('--require-contract', 'refuse to put a model without a contract in production (PARLEY_REQUIRE_CONTRACT)')
    .optionsGroup('Log:')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (PARLEY_LOG_LEVEL)')
    .addOption(
      new Option(
        '--access-log <which>',
        'calls that are logged, never with what they brought: failures (and slow ones), all (100 a second), or off',
      )
        .choices(ACCESS_LOGS)
        .default(DEFAULT_CALL_LOG.access),
    )
    .option(
      '--slow-ms <milliseconds>',
      'calls that took this long are logged as slow',
      millisecondsOf,
      DEFAULT_CALL_LOG.slowMs,
    )
    .optionsGroup('Options:')
    .option('--json', 'print one line of JSON once it can answer')
    .addHelpText(
      'after',
      '\nExamples:\n  parley serve\n  parley serve --port 0 --json\n  parley serve --http-port 9091 --memory-limit 2GiB --require-contract\n  parley serve --processes 4 --http-port 9091\n  parley serve --config serving.yaml\n  parley serve --host 0.0.0.0 --tls-cert server.crt --tls-key server.key --tokens tokens.yaml\n  parley serve --host 0.0.0.0 --insecure --anonymous predict --redis redis://10.0.0.5:6379' +
        `\n${REDIS_ADDRESSES}`,
    )
    .action(async ({ json, ...options }: Options) => {
      const { output, signal } = context;
      const server = await context.serve(options);
      // A terminal that goes away takes its server along.
      if (server.reload !== undefined && !output.isTerminal) context.onHangUp?.(server.reload);
      try {
        if (json)
          output.event({
            event: 'listening',
            pid: process.pid,
            thrift: server.thrift,
            ...(server.http && { http: server.http }),
            ...(server.processes && { processes: server.processes }),
          });
        else {
          output.line(
            `listening on ${server.thrift.host}:${server.thrift.port}${server.tls ? ' over TLS' : ''}, models from ${server.store}`,
          );
          output.note(
            server.services.length === 0
              ? 'no typed service yet; they appear when a contract is published'
              : `typed services: ${server.services.join(', ')}`,
          );
          if (server.processes !== undefined)
            output.note(`${server.processes.length} processes answer: ${server.processes.join(', ')}`);
          if (server.http !== undefined)
            output.note(
              `http${server.tls ? 's' : ''}://${server.http.host}:${server.http.port} has /metrics, /models, /live and /ready`,
            );
          if (output.isTerminal) output.note('Ctrl-C stops it');
        }
        await aborted(signal);
        output.note('stopping: accepted calls are answered first');
      } finally {
        await server.close();
      }
    });
};

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

export function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('Write a port from 0 to 65535.');
  return port;
}

function millisecondsOf(text: string): number {
  const milliseconds = Number(text);
  // Serving processes are sent it as JSON, which has no Infinity.
  if (!(milliseconds > 0 && Number.isFinite(milliseconds)))
    throw new InvalidArgumentError('Write milliseconds above 0, such as 250.');
  return milliseconds;
}

const MOST_PROCESSES = 256;

function processesOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > MOST_PROCESSES)
    throw new InvalidArgumentError(`Write a number from 1 to ${MOST_PROCESSES}.`);
  return count;
}

const MOST_LANES = 256;

function lanesOf(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > MOST_LANES)
    throw new InvalidArgumentError(`Write a number from 0 to ${MOST_LANES}.`);
  return count;
}

function sizeOf(text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new InvalidArgumentError('Write a size such as 2GiB, 512MiB or 800M.');
  return bytes;
}

function frameOf(text: string): number {
  const bytes = sizeOf(text);
  if (bytes > MOST_FRAME_BYTES) throw new InvalidArgumentError('Write a size of at most 1GiB.');
  return bytes;
}
