// Holds the tables in docs/contract.md to the code's own.
//
//     node scripts/contract-docs.mjs           writes the code's tables into docs/contract.md (needs dist/)
//     node scripts/contract-docs.mjs --check   compares only; exit 1 when they differ
//
// The test imports the functions.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ANNOTATIONS, METRICS } from '../dist/contract/annotations.js';

const file = fileURLToPath(new URL('../docs/contract.md', import.meta.url));
const BLOCK = /(<!-- table: (\w+) -->\n)([\s\S]*?)(<!-- end -->)/g;

const cell = (text) => text.replaceAll('|', '\\|');
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |\n`).join('');

const annotationRows = (wanted) =>
  ANNOTATIONS.filter(({ key }) => wanted(key)).map(({ key, places, meaning, example }) => [
    `\`${key}\``,
    places.join(', '),
    meaning,
    `\`${example}\``,
  ]);
const HEAD = ['annotation', 'stands behind', 'meaning', 'example'];

const end = (number) => (Number.isFinite(number) ? String(number) : number < 0 ? '-∞' : '∞');

/** Each table of the page by its name, as the code has it. */
export const TABLES = {
  annotations: () =>
    table(
      HEAD,
      annotationRows((key) => !key.startsWith('accept.')),
    ),
  acceptance: () =>
    table(
      HEAD,
      annotationRows((key) => key.startsWith('accept.')),
    ),
  figures: () =>
    table(
      ['metric', 'of', 'better', 'range', 'meaning'],
      METRICS.map(({ name, task, better, range, meaning }) => [
        `\`${name}\``,
        task,
        better,
        `${end(range[0])} to ${end(range[1])}`,
        meaning,
      ]),
    ),
};

export const page = () => readFileSync(file, 'utf8');

/** The page with the code's tables in it. */
export const written = (text) => text.replace(BLOCK, (_, begin, name, _old, ending) => begin + TABLES[name]() + ending);

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const text = page();
  if (!process.argv.includes('--check')) writeFileSync(file, written(text));
  else if (written(text) === text) console.error('docs/contract.md has the tables of the code');
  else {
    console.error('error: docs/contract.md has other tables than the code; write them: node scripts/contract-docs.mjs');
    process.exitCode = 1;
  }
}
