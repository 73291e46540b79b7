/** `parley serve`: answers calls until it is told to stop. */
import { InvalidArgumentError } from 'commander';
import { DEFAULT_HOST, DEFAULT_PORT, parseSize } from '../config.js';
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
    .option('--http-port <port>', 'also answer /metrics, /live and /ready over HTTP; 0 for any free port', portOf)
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
    .option(
      '--default-service <name>',
      'the typed service whose methods can be called by their plain names; the only one when there is one',
    )
    .option(
      '--memory-limit <size>',
      'what loaded versions may take together, such as 2GiB; the least recently used go first (default: half of the memory)',
      sizeOf,
    )
    .option('--require-contract', 'refuse to put a model without a contract in production (PARLEY_REQUIRE_CONTRACT)')
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (PARLEY_LOG_LEVEL)')
    .option('--json', 'print one line of JSON once it can answer')
    .addHelpText(
      'after',
      '\nExamples:\n  parley serve\n  parley serve --port 0 --json\n  parley serve --http-port 9091 --memory-limit 2GiB --require-contract\n  parley serve --host 0.0.0.0 --tls-cert server.crt --tls-key server.key --tokens tokens.yaml\n  parley serve --host 0.0.0.0 --insecure --anonymous predict --redis redis://10.0.0.5:6379' +
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
          if (server.http !== undefined)
            output.note(
              `http${server.tls ? 's' : ''}://${server.http.host}:${server.http.port} has /metrics, /live and /ready`,
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('Write a port from 0 to 65535.');
  return port;
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
