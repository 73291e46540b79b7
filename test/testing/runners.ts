/** `parley/testing` under real test runners, in processes of their own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProjectFolder } from '../unit/training/projects.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const MOCHA = at('../../node_modules/mocha/bin/mocha.js');

interface Told {
  readonly title: string;
  readonly err: { readonly message?: string; readonly expected?: string; readonly actual?: string };
}
interface MochaReport {
  readonly stats: { readonly tests: number; readonly passes: number; readonly failures: number };
  readonly tests: readonly Told[];
  readonly failures: readonly Told[];
}

/** The flowers' model by `project`'s suite. */
function run(
  argv: readonly string[],
  folder: ProjectFolder,
  project: string,
): Promise<{ code: number | null; text: string }> {
  const SUBJECT = JSON.stringify({ file: join(folder.path, 'flowers.onnx') });
  // What this runner hands down makes node:test's runner report to it.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const child = spawn(process.execPath, argv, { env: { ...inherited, FLOWERS: project, SUBJECT } });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });
}

export async function runMocha(folder: ProjectFolder, project = folder.path): Promise<MochaReport> {
  const argv = [MOCHA, '--no-config', '--reporter', 'json', at('suites/by-globals.js')];
  const { text } = await run(argv, folder, project);
  return JSON.parse(text.slice(text.indexOf('{'))) as MochaReport;
}

/** @returns TAP */
export const runNodeTest = (folder: ProjectFolder) =>
  run(['--test', '--test-reporter', 'tap', at('suites/by-node.js')], folder, folder.path);
