// Holds the table in docs/metrics.md to the table in the code.
//
//     node scripts/metrics.mjs           writes the code's table into docs/metrics.md (needs dist/)
//     node scripts/metrics.mjs --check   compares only; exit 1 when they differ
//
// The test imports the functions.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Metrics } from '../dist/http/metrics.js';

const page = fileURLToPath(new URL('../docs/metrics.md', import.meta.url));
const BLOCK = /(<!-- metrics -->\n)([\s\S]*?)(<!-- end -->)/;

/** Stands for every source: no value is read, only what there is to read. */
const anything = new Proxy(() => anything, { get: (_, name) => (name === Symbol.iterator ? undefined : anything) });

/** The code's metrics: name, kind, labels, help, and how processes add up. */
export const metricTable = () => new Metrics(anything).table;

/** The lines of the docs' table, as the code has them. */
export function tableText() {
  const rows = metricTable().map(({ name, kind, labels, across, help }) => {
    const cells = [`\`${name}\``, kind, labels.map((label) => `\`${label}\``).join(', '), help, across];
    return `| ${cells.join(' | ')} |\n`;
  });
  return `| metric | kind | labels | what it is | processes |\n|---|---|---|---|---|\n${rows.join('')}`;
}

/** The lines that the docs have. */
export function claimedTable() {
  const block = BLOCK.exec(readFileSync(page, 'utf8'));
  if (block === null) throw new Error('docs/metrics.md has no block of metrics');
  return block[2];
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    if (claimedTable() === tableText()) console.error('docs/metrics.md has the metrics of the code');
    else {
      console.error('error: docs/metrics.md has other metrics than the code; write them: node scripts/metrics.mjs');
      process.exitCode = 1;
    }
  } else
    writeFileSync(
      page,
      readFileSync(page, 'utf8').replace(BLOCK, (_, begin, _old, end) => begin + tableText() + end),
    );
}
