/** A source's `path`: resolved against the project's folder, and there. */
import { type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { hasErrno, invalidInput, notFound } from '../errors.js';

/** @throws NOT_FOUND when there is no such file, INVALID_INPUT when it is a folder or cannot be read */
export function sourceFile(path: string, folder: string, what: string): string {
  const file = resolve(folder, path);
  if (!statOf(file, what).isFile()) throw invalidInput(`source.path: "${file}" is a folder; expected ${what}`);
  return file;
}

function statOf(file: string, what: string): Stats {
  try {
    return statSync(file);
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT') && !hasErrno(cause, 'ENOTDIR'))
      throw invalidInput(`source.path: "${file}" cannot be read: ${String(cause)}`, { cause });
    throw notFound(
      `source.path: no file "${file}"; expected ${what}. A relative path starts at the project's folder: make the file, or correct the path`,
      { cause },
    );
  }
}

/** The error of a query that a database refused, with its own words. */
export function refusedQuery(problem: string, cause: unknown): Error {
  return invalidInput(`source.query: ${problem}`, { cause, problems: [{ path: 'source.query', message: problem }] });
}

/** The error of a query that gives two columns one name. */
export function repeatedColumn(name: string): Error {
  return invalidInput(
    `source.query: two columns are called "${name}"; expected one each. Rename one: … AS another_name`,
  );
}
