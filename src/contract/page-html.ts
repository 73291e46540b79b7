/** The page as one self-contained HTML file: no script, nothing loaded. */
import type { Page, PageSection } from './page.js';

const STYLE = `
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f6f8fa; --dim: #57606a; }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #161b22; --dim: #9198a1; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.8rem; margin: 0 0 1rem; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; } p { margin: .3rem 0 .7rem; color: var(--dim); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; white-space: nowrap; color: var(--dim); }
td:first-child, code, pre { font-family: ui-monospace, monospace; font-size: .87rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; font-size: .92rem; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: .87rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; margin: 0; }
@media print { body { max-width: none; } }
`;

export function pageHtml({ title, facts, sections }: Page): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escaped(title)}</h1>`,
    `<dl>${facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`,
    ...sections.map(sectionHtml),
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function sectionHtml({ title, note, table, examples = [] }: PageSection): string {
  const parts = [`<h2>${escaped(title)}</h2>`];
  if (note !== undefined) parts.push(`<p>${escaped(note)}</p>`);
  if (table !== undefined) {
    // Columns without a word in them say nothing.
    const shown = table.header.map((_, column) => table.rows.some((row) => row[column] !== ''));
    const line = (cells: readonly string[], tag: string) =>
      `<tr>${cells.flatMap((cell, column) => (shown[column] ? [`<${tag}>${escaped(cell)}</${tag}>`] : [])).join('')}</tr>`;
    const rows = table.rows.map((row) => line(row, 'td')).join('\n');
    parts.push(`<div class="wide"><table>\n${line(table.header, 'th')}\n${rows}\n</table></div>`);
  }
  for (const { language, code } of examples) {
    parts.push(`<h3>${escaped(language)}</h3>\n<pre>${escaped(code)}</pre>`);
  }
  return `<section>\n${parts.join('\n')}\n</section>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);
