/** What the `contract` commands are given: a Thrift file, or a model's name for the contract that is in force. */
import { existsSync } from 'node:fs';
import type { Contract } from '../contract/contract.js';
import { type Idl, isContract } from '../contract/idl.js';
import { parseContract } from '../contract/parse.js';
import { readIdl } from '../contract/read-idl.js';
import { notFound, ParleyError } from '../errors.js';
import { readContractSource } from '../training/contract-file.js';
import { type CliContext, type StoreOptions, withRegistry } from './context.js';

export interface ThriftText {
  readonly idl: Idl;
  /** Absent where no service names a model. */
  readonly contract?: Contract;
}

/** @throws NOT_FOUND, INVALID_INPUT with everything that cannot be read */
export function openFile(file: string): ThriftText {
  const source = readContractSource(file, 'the contract');
  const idl = readIdl(source);
  return isContract(idl) ? { idl, contract: parseContract(source) } : { idl };
}

/** A file where there is one, or where it is called like one; otherwise the model of this name. */
export async function openFileOrModel(context: CliContext, place: string, options: StoreOptions): Promise<ThriftText> {
  if (existsSync(place) || /[/\\]|\.thrift$/.test(place)) return openFile(place);
  const contract = await withRegistry(context, options, (registry) => registry.contractInForce(place));
  if (contract === undefined) {
    throw notFound(
      `no contract of model "${place}" is in force, and there is no file of that name; name a Thrift file, or publish one with "parley contract publish PROJECT"`,
    );
  }
  return { idl: readIdl(contract), contract };
}

export const UNREADABLE = 2;

/** Runs the action; what cannot be read or found ends with the exit code 2, so that it is told from a finding. */
export async function orUnreadable(context: CliContext, json: boolean | undefined, action: () => Promise<void> | void) {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ParleyError) || (error.code !== 'INVALID_INPUT' && error.code !== 'NOT_FOUND')) throw error;
    if (json) context.output.json({ error: error.code, message: error.message, problems: error.problems });
    else context.output.failure(error);
    process.exitCode = UNREADABLE;
  }
}
