/** `parley mock`: a contract is served before there is a model. */
import { InvalidArgumentError } from 'commander';
import { DEFAULT_HOST, DEFAULT_PORT } from '../config.js';
import type { Contract } from '../contract/contract.js';
import { didYouMean } from '../contract/nearest.js';
import { parseContract } from '../contract/parse.js';
import { invalidInput } from '../errors.js';
import { readContractSource } from '../training/contract-file.js';
import type { CommandDefinition, MockOptions } from './context.js';
import { contractFile } from './contract-source.js';
import { aborted, portOf } from './serve.js';

interface Options extends MockOptions {
  readonly json?: boolean;
}

export const mock: CommandDefinition = (program, context) => {
  program
    .command('mock')
    .summary('serve a contract before there is a model')
    .description(
      'Answers the typed services of a Thrift file with made-up answers that fit it, so that callers can be built before there is a model: requests are checked as a server checks them, labels are of the enum, probabilities sum to 1, and the same row always gets the same answer. Nothing is stored. Answers say of themselves that no model gave them: their version is 64 zeros.',
    )
    .argument('<file>', "the contract's Thrift file, or the folder of parley.yaml")
    .option('--host <address>', 'the address to listen on', DEFAULT_HOST)
    .option('--port <port>', 'the port; 0 for any free one', portOf, DEFAULT_PORT)
    .option(
      '--default-service <name>',
      'the typed service whose methods can be called by their plain names; the only one when there is one',
    )
    .option('--seed <number>', 'other answers for the same rows', seedOf, 0)
    .option('--log-level <level>', 'trace, debug, info, warn, error or silent (PARLEY_LOG_LEVEL)')
    .option('--json', 'print one line of JSON once it can answer')
    .addHelpText(
      'after',
      '\nExamples:\n  parley mock penguins.thrift\n  parley mock examples/penguins/penguins.thrift --port 0 --json',
    )
    .action(async (file: string, { json, ...options }: Options) => {
      const { output, signal } = context;
      const contract = parseContract(readContractSource(await contractFile(file), 'parley mock'));
      checkService(contract, options.defaultService);
      const server = await context.mock(contract, options);
      try {
        const { thrift, services } = server;
        if (json)
          output.event({ event: 'listening', pid: process.pid, thrift, services, fingerprint: contract.fingerprint });
        else {
          output.line(`listening on ${thrift.host}:${thrift.port}, with made-up answers of model "${contract.model}"`);
          output.note(`typed services: ${services.join(', ')}`);
          if (output.isTerminal) output.note('Ctrl-C stops it');
        }
        await aborted(signal);
      } finally {
        await server.close();
      }
    });
};

/** @throws INVALID_INPUT; a mock's services are known, other than those of a server that models come to. */
function checkService({ services, file }: Contract, name: string | undefined): void {
  const names = services.map((service) => service.name);
  if (name !== undefined && !names.includes(name))
    throw invalidInput(
      `--default-service: ${file} has no service "${name}"${didYouMean(name, names)}; there are ${names.join(', ')}`,
    );
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed))
    throw new InvalidArgumentError('Write a whole number from 0 on.');
  return seed;
}
