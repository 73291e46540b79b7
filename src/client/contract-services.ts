/** A contract's services as objects with a function for each method: plain rows in, plain answers out. */
import type { Contract, ContractMethod, ContractService } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import { contractMismatch, invalidInput, unsupported } from '../errors.js';
import { contractCall } from '../rpc/client/generic-calls.js';
import { type PlainAnswer, type PlainRow, typedCall } from '../rpc/client/typed.js';
import { readContractSource } from '../training/contract-file.js';
import type { Ask, Caller } from './caller.js';
import type { CallOptions, ContractText } from './options.js';

/** A method as it is called: one row and its answer, or a list of rows and theirs where the contract has a list. */
export interface ContractCall {
  (row: PlainRow, options?: CallOptions): Promise<PlainAnswer>;
  (rows: readonly PlainRow[], options?: CallOptions): Promise<readonly PlainAnswer[]>;
}
export type ContractMethods = Readonly<Record<string, ContractCall>>;
/** By the services' names, their first letter small. */
export type ContractServices = Readonly<Record<string, ContractMethods>>;

/** @throws ParleyError NOT_FOUND, and INVALID_INPUT with file, line and column for what is wrong in it */
export const contractOf = (contract: string | ContractText): Contract =>
  typeof contract === 'string'
    ? parseContract(readContractSource(contract, 'option contract'))
    : parseContract({ file: 'contract.thrift', idl: contract.idl, includes: contract.includes ?? {} });

export function servicesOf({ services }: Contract, caller: Caller): ContractServices {
  return Object.fromEntries(services.map((service) => [propertyOf(service.name), methodsOf(service, caller)]));
}

/** `Penguins` is `client.penguins`. */
const propertyOf = (service: string): string => service.charAt(0).toLowerCase() + service.slice(1);

function methodsOf(service: ContractService, caller: Caller): ContractMethods {
  return Object.fromEntries(
    service.methods.map((method) => [method.name, callOf(service, method, caller) as ContractCall]),
  );
}

function callOf(service: ContractService, method: ContractMethod, caller: Caller) {
  const name = `${propertyOf(service.name)}.${method.name}`;
  return async (input: unknown, options?: CallOptions): Promise<PlainAnswer | readonly PlainAnswer[]> => {
    if (Array.isArray(input) !== method.many)
      throw invalidInput(
        method.many
          ? `${name} takes a list of rows, and was given ${shown(input)}`
          : `${name} takes one row, an object of its fields, and was given ${shown(input)}`,
      );
    const rows = (method.many ? input : [input]) as readonly PlainRow[];
    rows.forEach((row, index) => {
      if (typeof row !== 'object' || row === null)
        throw invalidInput(`${name}: row ${index} is ${shown(row)}; expected an object of its fields`);
    });
    const answers = await caller.run(typedCall(service, method, rows), options);
    return method.many ? answers : answers[0]!;
  };
}

const shown = (value: unknown): string => (Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value);

/**
 * Asks the server on a new connection whether it keeps the contract.
 *
 * @throws ParleyError CONTRACT_MISMATCH whose problems are the breaking differences; UNSUPPORTED where it cannot tell
 */
export async function negotiate(contract: Contract, ask: Ask): Promise<void> {
  const { compatible, differences } = await ask(contractCall(contract));
  if (compatible === true) return;
  if (compatible === undefined)
    throw unsupported(
      'negotiate: the server does not compare contracts, being of an older release; leave it out, or update it',
    );
  const problems = differences.filter(({ breaking }) => breaking).map(({ path, message }) => ({ path, message }));
  const first = problems[0] === undefined ? '' : `: ${problems[0].path}: ${problems[0].message}`,
    more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  throw contractMismatch(
    `the server's contract breaks this client, which is written against ${contract.file}${first}${more}; get the contract in force and make the program follow it`,
    { problems },
  );
}
