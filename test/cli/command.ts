/** Running commands: in this process where nothing but files is touched, and as a user does in one of their own. */
import { spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { CliContext } from '#parley/cli/context.js';
import { Output } from '#parley/cli/output.js';
import { runCommand } from '#parley/cli/program.js';
import type { RegistryPort } from '#parley/model/registry-port.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** @param registry for commands that need one; without it, opening one fails */
export async function runHere(
  argv: readonly string[],
  signal = new AbortController().signal,
  registry?: RegistryPort,
): Promise<Ran> {
  const texts = { stdout: '', stderr: '' };
  const collecting = (name: keyof typeof texts) =>
    new PassThrough().on('data', (chunk: Buffer) => (texts[name] += chunk.toString()));
  const away = () => Promise.reject(new Error('this command has no business with a store or a server'));
  const context: CliContext = {
    output: new Output(collecting('stdout'), collecting('stderr')),
    signal,
    version: '0.0.0',
    stdin: new PassThrough(),
    openRegistry: registry === undefined ? away : async () => ({ registry, close: async () => {} }),
    openArchives: away,
    openServer: away,
    predict: away,
    serve: away,
    mock: away,
  };
  const code = await runCommand(argv, context);
  return { code, ...texts };
}

/** `parley …` in a process of its own. @param settings how its environment differs from ours */
export function runProcess(argv: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...argv], {
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}
