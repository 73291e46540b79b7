/** A folder that is written as a whole: over nothing, or over what was written here before and nobody has changed since. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { conflict, invalidInput, ParleyError } from '../../errors.js';

/** Remembers what was written. */
const RECORD = '.parley-stubs.json';

/** Path within the folder -> what is in it. */
export type Files = ReadonlyMap<string, string>;

interface Written {
  /** Path -> SHA-256. */
  readonly files: Readonly<Record<string, string>>;
}

/** @throws ParleyError CONFLICT where something stands there that was not written here, or has been changed since */
export function checkFolder(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) throw conflict(`${folder} is a file; choose a folder with --out`);
  if (readdirSync(folder).length === 0) return;
  const written = readRecord(folder);
  if (written === undefined)
    throw conflict(`${folder} is not empty and was not made by "parley stubs"; choose another --out, or remove it`);
  const changed = Object.entries(written.files).filter(
    ([path, digest]) => existsSync(join(folder, path)) && digestOf(readFileSync(join(folder, path))) !== digest,
  );
  if (changed.length > 0)
    throw conflict(
      `${join(folder, changed[0]![0])} has been changed since "parley stubs" made it${changed.length > 1 ? `, and ${changed.length - 1} other files too` : ''}; move the changes elsewhere, and remove it`,
    );
}

/**
 * Writes all files and removes those that were made before and are no more; what others put beside them stays.
 *
 * @throws ParleyError CONFLICT; INVALID_INPUT where nothing can be written
 */
export function writeFolder(folder: string, files: Files, about: object): void {
  checkFolder(folder);
  try {
    writeAll(folder, files, about);
  } catch (cause) {
    if (cause instanceof ParleyError) throw cause;
    throw invalidInput(`${folder} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

/** Each missing folder in turn: where a file system takes none at all, Node's own `recursive` tries for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

function writeAll(folder: string, files: Files, about: object): void {
  const before = readRecord(folder)?.files ?? {};
  for (const path of files.keys())
    if (!Object.hasOwn(before, path) && existsSync(join(folder, path)))
      throw conflict(`${join(folder, path)} was not made by "parley stubs"; move it elsewhere`);
  for (const path of Object.keys(before)) if (!files.has(path)) rmSync(join(folder, path), { force: true });
  for (const [path, text] of files) {
    makeFolder(resolve(folder, dirname(path)));
    writeFileSync(join(folder, path), text);
  }
  const digests = Object.fromEntries([...files].sort().map(([path, text]) => [path, digestOf(text)]));
  writeFileSync(join(folder, RECORD), `${JSON.stringify({ ...about, files: digests }, undefined, 2)}\n`);
}

function readRecord(folder: string): Written | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(join(folder, RECORD), 'utf8'));
    const files = typeof read === 'object' && read !== null && 'files' in read ? read.files : undefined;
    return typeof files === 'object' && files !== null ? { files: files as Written['files'] } : undefined;
  } catch {
    return undefined;
  }
}

const digestOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
