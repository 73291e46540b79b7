// Runs Mocha on dist-test/ and writes "passed failed skipped" to the file named by --report, whatever becomes of Mocha:
// a crash, a hang and a run without tests are failures too. scripts/test is what people call.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const { values: flags } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    coverage: { type: 'boolean', default: false },
    grep: { type: 'string' },
    report: { type: 'string' },
  },
});
const limitMinutes = Number(process.env.PARLEY_TEST_MINUTES || 40);

const COVERAGE = [
  'node_modules/c8/bin/c8.js',
  ...['--reporter', 'text-summary', '--reporter', 'lcovonly', '--reports-dir', 'coverage'],
  ...['--clean', '--src', 'src', '--include', 'src/**', '--exclude', 'gen/**', '--exclude-after-remap'],
];

function mochaCommand(countsFile) {
  return [
    ...(flags.coverage ? [...COVERAGE, process.execPath] : []),
    'node_modules/mocha/bin/mocha.js',
    ...['--config', flags.full ? '.mocharc.full.json' : '.mocharc.json'],
    ...['--reporter', './scripts/mocha-reporter.mjs', '--reporter-option', `counts=${countsFile}`],
    ...(flags.grep === undefined ? [] : ['--grep', flags.grep]),
  ];
}

/** Resolves to how Mocha ended: its exit status, or why it was ended. */
function run(command) {
  return new Promise((settle) => {
    const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    let gaveUp = false;
    const limit = setTimeout(() => {
      gaveUp = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
    }, limitMinutes * 60_000);
    child.on('error', (error) => settle({ status: 1, problem: `Mocha could not be started: ${error.message}` }));
    child.on('exit', (status, signal) => {
      clearTimeout(limit);
      const problem = gaveUp ? `the tests took more than ${limitMinutes} minutes` : signal && `Mocha died of ${signal}`;
      settle({ status: status ?? 1, problem });
    });
  });
}

function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 0, skipped: 0, ended: false };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'parley-counts-'));
const countsFile = join(folder, 'counts.json');
const { status, problem } = await run(mochaCommand(countsFile));
const counts = readCounts(countsFile);
rmSync(folder, { recursive: true });

const complaints = [];
if (problem) complaints.push(problem);
else if (!counts.ended) complaints.push('Mocha ended before its tests did');
else if (status !== 0 && counts.failed === 0)
  complaints.push(`Mocha failed with status ${status} after its tests passed`);
else if (counts.passed + counts.failed === 0) complaints.push('no test ran');
for (const complaint of complaints) console.error(`error: ${complaint}`);

const failed = counts.failed + complaints.length;
if (flags.report) writeFileSync(flags.report, `${counts.passed} ${failed} ${counts.skipped}\n`);
process.exitCode = failed === 0 ? 0 : 1;
