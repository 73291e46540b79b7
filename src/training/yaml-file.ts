/** parley.yaml as plain values: read, its syntax checked, and single keys replaced from the command line. */
import { readFileSync } from 'node:fs';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import { hasErrno, invalidInput, notFound, type Problem } from '../errors.js';

const MISSING_PROJECT = 'a project\'s folder has one. Make it with "parley init", or name another folder';

/**
 * @param overrides dotted key -> value, written as in YAML: `{'trainer.l2': '0.5'}`
 * @param missing what to do where there is no such file
 * @throws NOT_FOUND without the file; INVALID_INPUT with line and column for what is not YAML
 */
export function readYaml(
  file: string,
  shownAs: string,
  overrides: Readonly<Record<string, string>>,
  missing = MISSING_PROJECT,
): unknown {
  const document = parse(readText(file, missing), shownAs);
  if (!isMap(document.contents))
    throw invalidInput(`${shownAs}: expected keys and values such as "contract: penguins.thrift", got none`);
  for (const [key, text] of Object.entries(overrides)) override(document, key, text);
  return document.toJS();
}

function readText(file: string, missing: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT') && !hasErrno(cause, 'ENOTDIR')) throw cause;
    throw notFound(`no file "${file}"; ${missing}`, { cause });
  }
}

function parse(text: string, shownAs: string): Document {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const problems = document.errors.map((error): Problem => {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    return { path: `${shownAs}:${line}:${col}`, message: error.message };
  });
  if (problems.length === 0) return document;
  const [first] = problems;
  throw invalidInput(`${first.path}: ${first.message}`, { problems });
}

function override(document: Document, key: string, text: string): void {
  const value = parse(text, `--set ${key}`).toJS();
  try {
    document.setIn(key.split('.'), value);
  } catch (cause) {
    throw invalidInput(`--set ${key}: "${key.split('.').slice(0, -1).join('.')}" holds a single value and no keys`, {
      cause,
    });
  }
}
