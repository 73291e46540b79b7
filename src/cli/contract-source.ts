/** What the `contract` commands are given: a Thrift file, a project's folder, or a model's name for the contract that is in force. */
import { statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Contract } from '../contract/contract.js';
import { type Idl, isContract } from '../contract/idl.js';
import { parseContract } from '../contract/parse.js';
import { readIdl } from '../contract/read-idl.js';
import { invalidInput, notFound, ParleyError } from '../errors.js';
import { readContractSource } from '../training/contract-file.js';
import { loadProject, PROJECT_FILE } from '../training/project.js';
import { type CliContext, type StoreOptions, withRegistry } from './context.js';

export interface ThriftText {
  readonly idl: Idl;
  /** Absent where no service names a model. */
  readonly contract?: Contract;
}

const isFolder = (place: string) => statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;

/** The Thrift file itself, or the one that a project's folder names. @throws NOT_FOUND */
export async function contractFile(place: string): Promise<string> {
  if (statSync(place, { throwIfNoEntry: false }) === undefined)
    throw notFound(`there is no "${place}"; give the folder of ${PROJECT_FILE}, or a Thrift file`);
  if (!isFolder(place)) return place;
  const { folder, resolved } = await loadProject(place);
  return resolve(folder, String(resolved.contract));
}

/** @throws NOT_FOUND, INVALID_INPUT with everything that cannot be read */
export async function openFile(place: string): Promise<ThriftText> {
  const source = readContractSource(await contractFile(place), 'the contract');
  const idl = readIdl(source);
  return isContract(idl) ? { idl, contract: parseContract(source) } : { idl };
}

/**
 * A file where there is one, a folder where it is written as a path (`penguins/`): a bare name of one is the model's, because
 * a project and its model are mostly called alike. Otherwise the model of this name.
 */
export async function openFileOrModel(context: CliContext, place: string, options: StoreOptions): Promise<ThriftText> {
  const known = statSync(place, { throwIfNoEntry: false });
  if (known?.isFile() || /[/\\]|\.thrift$|^\.\.?$/.test(place)) return openFile(place);
  const contract = await withRegistry(context, options, (registry) => registry.contractInForce(place));
  if (contract === undefined) {
    throw notFound(
      `no contract of model "${place}" is in force, and ${known === undefined ? 'there is no file of that name; name a Thrift file' : `a folder is written "${place}/"; write that`}, or publish one with "parley contract publish PROJECT"`,
    );
  }
  return { idl: readIdl(contract), contract };
}

/** @throws INVALID_INPUT when it cannot be written */
export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw invalidInput(`${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
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
