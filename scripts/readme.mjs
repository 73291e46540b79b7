// Holds README's printed output to what `scripts/quickstart` prints.
//
//     node scripts/readme.mjs           runs the quickstart and puts its output into README.md
//     node scripts/readme.mjs --check   compares only; exit 1 when they differ
//
// The test imports the functions. What differs from run to run (times, ports, ids, latencies) is not compared.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const readmeFile = join(root, 'README.md');
const BLOCK = /(<!-- output: scripts\/quickstart -->\n```text\n)([\s\S]*?)(```\n<!-- end -->)/;

/** What the README claims that the quickstart prints. */
export function claimedOutput() {
  const block = BLOCK.exec(readFileSync(readmeFile, 'utf8'));
  if (block === null) throw new Error('README.md has no output block of scripts/quickstart');
  return block[2];
}

/** Runs the quickstart on a data folder of its own. @returns what it prints behind the set-up, on both streams */
export function runQuickstart() {
  const data = mkdtempSync(join(tmpdir(), 'parley-readme-'));
  try {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', 'exec scripts/quickstart 2>&1'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PARLEY_DATA_DIR: data, PARLEY_REDIS_URL: '', PARLEY_SERVER: '' },
    });
    if (status !== 0) throw new Error(`scripts/quickstart ended with ${status}:\n${stdout}${stderr}`);
    const begin = stdout.indexOf('== Load the data');
    return stdout.slice(begin < 0 ? 0 : begin);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** The text with everything that differs from run to run replaced by what kind of thing it is. */
export function normalized(text) {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replace(/prediction [0-9a-z]{20}, \d+ µs/g, 'PREDICTION')
    .replace(/(latency_p99_ms +<= 5 +)[\d.]+/g, (_, before) => `${before.trimEnd()} MS`)
    .replace(/(TIME .*? {2})\S+( *)$/gm, '$1ACTOR')
    .replace(/ +/g, ' ')
    .trim();
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const printed = runQuickstart();
  if (process.argv.includes('--check')) {
    const same = normalized(printed) === normalized(claimedOutput());
    console.error(
      same
        ? 'README.md shows what the quickstart prints'
        : 'README.md differs from what the quickstart prints; run node scripts/readme.mjs',
    );
    process.exit(same ? 0 : 1);
  }
  const readme = readFileSync(readmeFile, 'utf8');
  writeFileSync(
    readmeFile,
    readme.replace(BLOCK, (_, before, __, after) => `${before}${printed.trim()}\n${after}`),
  );
}
