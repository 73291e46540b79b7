// Holds the tables in docs/contract-changes.md to those in the code.
//
//     node scripts/contract-changes.mjs           writes the code's tables into the page (needs dist/)
//     node scripts/contract-changes.mjs --check   compares only; exit 1 when they differ
//
// The test imports the functions.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHANGE_RULES } from '../dist/contract/change-rules.js';
import { LINT_RULES } from '../dist/contract/lint.js';

const page = fileURLToPath(new URL('../docs/contract-changes.md', import.meta.url));

const AREAS = {
  requests: 'Requests',
  answers: 'Answers',
  types: 'Types and structs',
  enums: 'Enums and labels',
  methods: 'Services and methods',
  values: 'What is taken, and what it means',
  acceptance: 'How good it must be',
  names: 'Names that only code sees',
};

const cell = (text) => text.replaceAll('|', '\\|');

/** One table an area. */
function rulesText() {
  return Object.entries(AREAS)
    .map(([area, title]) => {
      const rows = Object.entries(CHANGE_RULES)
        .filter(([, rule]) => rule.area === area)
        .map(([kind, { what, breaks, touchesVerdict, unseen, why }]) => {
          const whom = breaks.length === 0 ? 'nobody' : breaks.join(', ');
          const seen = !breaks.includes('callers') ? '' : unseen ? 'no' : 'yes';
          return `| \`${kind}\` | ${cell(what)} | ${whom} | ${touchesVerdict ? 'no' : 'yes'} | ${seen} | ${cell(why)} |\n`;
        });
      return `### ${title}\n\n| rule | what is different | breaks | verdicts stand | seen on the wire | why |\n|---|---|---|---|---|---|\n${rows.join('')}\n`;
    })
    .join('');
}

const lintText = () =>
  `| rule | warns of |\n|---|---|\n${Object.entries(LINT_RULES)
    .map(([rule, meaning]) => `| \`${rule}\` | ${cell(meaning)} |\n`)
    .join('')}`;

/** Block's name -> its lines, as the code has them. */
export const tables = () => ({ changes: rulesText(), lint: lintText() });

const block = (name) => new RegExp(`(<!-- ${name} -->\\n)([\\s\\S]*?)(<!-- end -->)`);

/** The lines that the docs have in a block. */
export function claimed(name) {
  const found = block(name).exec(readFileSync(page, 'utf8'));
  if (found === null) throw new Error(`docs/contract-changes.md has no block ${name}`);
  return found[2];
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const wrong = Object.entries(tables()).filter(([name, text]) => claimed(name) !== text);
  if (!process.argv.includes('--check')) {
    const mended = wrong.reduce(
      (all, [name, text]) => all.replace(block(name), (_, begin, _old, end) => begin + text + end),
      readFileSync(page, 'utf8'),
    );
    writeFileSync(page, mended);
  } else if (wrong.length === 0) console.error('docs/contract-changes.md has the tables of the code');
  else {
    console.error(
      'error: docs/contract-changes.md has other tables than the code; write them: node scripts/contract-changes.mjs',
    );
    process.exitCode = 1;
  }
}
