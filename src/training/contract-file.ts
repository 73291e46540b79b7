/** A contract read from the disk, with the files that it includes. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Contract } from '../contract/contract.js';
import { type ContractSource, parseContract } from '../contract/parse.js';
import { hasErrno, notFound } from '../errors.js';

/** Always known to the parser, and so never looked for. */
const GENERIC = 'parley.thrift';

/**
 * @throws NOT_FOUND when the file, or one that it includes, is not there; INVALID_INPUT with file, line and column for
 *   what is wrong in it
 */
export function readContract(file: string): Contract {
  return parseContract(readContractSource(file, 'parley.yaml: contract'));
}

/**
 * A file with all that it includes, as they are written.
 *
 * @param where who named the file, for the message @throws NOT_FOUND
 */
export function readContractSource(file: string, where: string): ContractSource {
  const idl = readIdl(file, where);
  const includes: Record<string, string> = {};
  collectIncludes(idl, file, includes);
  return { file: basename(file), idl, includes };
}

function collectIncludes(idl: string, file: string, includes: Record<string, string>): void {
  for (const [line, name] of includesOf(idl)) {
    if (basename(name) === GENERIC || includes[name] !== undefined) continue;
    const included = join(dirname(file), name);
    includes[name] = readIdl(included, `${basename(file)}:${line}: include "${name}"`);
    collectIncludes(includes[name], included, includes);
  }
}

/** Line and name of each `include`, comments aside. */
function includesOf(idl: string): [number, string][] {
  const code = idl.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
  return code.split('\n').flatMap((text, index) => {
    const name = /^\s*include\s+(?:"([^"]+)"|'([^']+)')/.exec(text);
    return name === null ? [] : [[index + 1, name[1] ?? name[2]] satisfies [number, string]];
  });
}

function readIdl(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT') && !hasErrno(cause, 'EISDIR')) throw cause;
    throw notFound(`${where}: no file "${file}"; expected a Thrift file. Make it, or correct the name`, { cause });
  }
}
