/** Where tests run `parley stubs`. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { run } from '../clients/toolchain.js';
import { skip } from '../skip.js';

export const CONTRACT = resolve('examples/penguins/penguins.thrift');
const MAIN = resolve('dist/main.js');

export const stubsFolder = (): string => mkdtempSync(join(tmpdir(), 'parley-stubs-test-'));

export const stubs = (...args: string[]): { status: number | null; output: string } =>
  run(process.execPath, [MAIN, 'stubs', ...args]);

export function needCompiler(context: Mocha.Context): void {
  if (run('thrift', ['--version']).status !== 0) skip(context, 'there is no Thrift compiler on the PATH');
}
