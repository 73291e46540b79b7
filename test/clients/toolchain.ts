/** Programs that a test needs and a machine may lack. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { skip } from '../skip.js';
import { ROOT } from './server.js';

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a program to its end; a program that is not there has the status null. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Ran {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options });
  return { status, output: `${stdout ?? ''}${stderr ?? ''}` };
}

/** As `run`, and fails with everything that was printed unless it ended well. */
export function must(program: string, args: readonly string[], options: { cwd?: string } = {}): string {
  const { status, output } = run(program, args, options);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${output}`);
  return output;
}

/** The first of the programs that can be run. */
export const found = (programs: readonly string[], args: readonly string[]): string | undefined =>
  programs.find((program) => run(program, args).status === 0);

/** Of all the compilers here, Debian's: its libraries for Java and C++ are of about the same version, and no newer one fits them. */
export const DEBIAN_COMPILER = '/usr/bin/thrift';

export type Language = 'node' | 'python' | 'go' | 'java' | 'cpp' | 'rust';

/** Where Cargo may be: on the PATH, or where rustup puts it. */
export const CARGO: readonly string[] = ['cargo', join(homedir(), '.cargo/bin/cargo')];

/**
 * Makes a language's stubs, or skips where there is no compiler that can. One that refuses the contract is a failure.
 *
 * @param compiler the one on PATH when absent
 */
export function makeStubs(context: Mocha.Context, language: Language, compiler = process.env.THRIFT): string {
  const env = compiler === undefined ? process.env : { ...process.env, THRIFT: compiler };
  const { status, stdout, stderr } = spawnSync(join(ROOT, 'scripts/stubs'), [language], { encoding: 'utf8', env });
  const lack = /error: (there is no Thrift compiler.*?|.* is Thrift .*)[;\n]/.exec(stderr)?.[1];
  if (status !== 0 && lack !== undefined) skip(context, lack);
  if (status !== 0) throw new Error(stderr);
  const stubs = join(ROOT, stdout.trim());
  if (!existsSync(stubs)) throw new Error(`scripts/stubs ${language} says that it made ${stubs}, which is not there`);
  return stubs;
}
