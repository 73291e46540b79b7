/**
 * The Lua scripts beside this file, as methods of an ioredis client: `commands/<name>-<number of keys>.lua`, or `<name>.lua`
 * where the call says how many keys it brings.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';

type Value = string | number | Uint8Array;

/** A script's keys in the order of its header, then its arguments. */
type Script = (...keysAndArguments: Value[]) => Promise<(string | number)[]>;

export interface Scripts {
  readonly publishVersion: Script;
  readonly publishContract: Script;
  readonly proposeContract: Script;
  readonly withdrawContract: Script;
  readonly recordVerdict: Script;
  readonly moveAlias: Script;
  readonly setCanary: Script;
  readonly holdAlias: Script;
  readonly retireVersion: Script;
  readonly pruneVersion: Script;
  readonly importVersion: Script;
  /** The number of keys comes first. */
  readonly restoreModel: Script;
  readonly readState: Script;
  readonly sealUpload: Script;
  readonly uploadPart: Script;
}

export type ScriptClient = Redis & Scripts;

const FOLDER = new URL('./commands/', import.meta.url);
const NAME = /^([a-z][A-Za-z]*)(?:-(\d+))?\.lua$/;

/** What scripts share: it stands before each. */
const SHARED = readFileSync(new URL('_ledger.lua', FOLDER), 'utf8');

/** A script's text, for a transaction: what has not been loaded yet fails there. */
export const scriptText = (name: keyof Scripts, numberOfKeys: number): string =>
  readFileSync(new URL(`${name}-${numberOfKeys}.lua`, FOLDER), 'utf8');

/** Teaches `client` the scripts. ioredis sends a script's text once a connection, its SHA-1 from then on. */
export function defineScripts(client: Redis): ScriptClient {
  for (const file of readdirSync(FOLDER)) {
    const [, name, numberOfKeys] = NAME.exec(file) ?? [];
    if (name === undefined) continue;
    client.defineCommand(name, {
      ...(numberOfKeys === undefined ? {} : { numberOfKeys: Number(numberOfKeys) }),
      lua: SHARED + readFileSync(new URL(file, FOLDER), 'utf8'),
    });
  }
  // defineCommand adds methods that the type checker cannot see; a test holds the interface to the folder.
  return client as ScriptClient;
}
