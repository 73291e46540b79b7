// Follows docs/tutorial.md as a new user would: runs its commands, makes its edits, and holds what it prints to the page.
//
//     node scripts/tutorial.mjs           runs it and puts the output into the page
//     node scripts/tutorial.mjs --check   compares only; exit 1 when they differ
//
// Of a block of `console`, a line that begins with `$ ` is a command, and what follows is what it prints, on both streams; one
// that ends in `&` runs until the end. A block of `diff` under a comment `<!-- edit: FILE -->` is an edit of that file. What
// differs from run to run (times, ports, ids, latencies) is not compared. The test imports the functions.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { normalized } from './readme.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs', 'tutorial.md');
const BLOCK = /(?:<!-- edit: (.+?) -->\n)?```(console|diff)\n([\s\S]*?)```/g;
const COMMAND_MS = 120_000;

/** @returns the page with what its commands print now */
export async function followed() {
  const work = mkdtempSync(join(tmpdir(), 'parley-tutorial-'));
  const place = { work, env: environment(work), running: [] };
  writeFileSync(join(work, 'penguins.csv'), penguins());
  try {
    const text = readFileSync(page, 'utf8');
    let out = '',
      at = 0;
    for (const match of text.matchAll(BLOCK)) {
      const [whole, file, kind, body] = match;
      out += text.slice(at, match.index);
      at = match.index + whole.length;
      if (kind === 'diff') edit(join(work, file), body);
      out += kind === 'diff' ? whole : `\`\`\`console\n${await session(place, body)}\`\`\``;
    }
    return out + text.slice(at);
  } finally {
    for (const child of place.running.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(work, { recursive: true, force: true });
  }
}

/** Measured penguins as a table; what is not known is empty. */
function penguins() {
  const columns = [
    'Beak Length (mm)',
    'Beak Depth (mm)',
    'Flipper Length (mm)',
    'Body Mass (g)',
    'Island',
    'Sex',
    'Species',
  ];
  const rows = JSON.parse(readFileSync(join(root, 'node_modules/vega-datasets/data/penguins.json'), 'utf8'));
  const lines = rows
    .filter((row) => row[columns[0]] !== null)
    .map((row) => columns.map((column) => (row[column] === '.' ? '' : (row[column] ?? ''))).join(','));
  return `${['bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,island,sex,species', ...lines].join('\n')}\n`;
}

/** What must be the same on every run. */
export const comparable = (text) =>
  normalized(text)
    .replace(/^(listening|serving).*$/gm, 'LISTENING')
    .replace(/prediction [0-9a-z]{20}/g, 'PREDICTION');

export const claimed = () => readFileSync(page, 'utf8');

/** `parley` is this checkout's; the data folder is the tutorial's own. */
function environment(work) {
  const bin = join(work, '.bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'parley'), `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/main.js')}" "$@"\n`);
  chmodSync(join(bin, 'parley'), 0o755);
  const { PATH, HOME, LANG, ORT_DISABLE_TELEMETRY = '1' } = process.env;
  return { HOME, LANG, ORT_DISABLE_TELEMETRY, PATH: `${bin}:${PATH}` };
}

/** The page says 9090, which somebody else may have. */
const PORT = '9090',
  freePort = String(20_000 + Math.floor(Math.random() * 12_000));

async function session(place, body) {
  let out = '';
  for (const line of body.split('\n')) {
    if (!line.startsWith('$ ')) continue;
    const command = line.slice(2);
    out += `${line}\n`;
    out += command.endsWith(' &') ? await begin(place, command.slice(0, -2)) : run(place, command);
  }
  return out;
}

function run({ work, env }, command) {
  const { stdout: raw, signal } = spawnSync('bash', ['-c', `exec 2>&1; ${command.replaceAll(PORT, freePort)}`], {
    cwd: work,
    env,
    encoding: 'utf8',
    timeout: COMMAND_MS,
  });
  if (signal !== null) throw new Error(`${command}: ended by ${signal}`);
  const stdout = raw.replaceAll(freePort, PORT);
  return stdout === '' || stdout.endsWith('\n') ? stdout : `${stdout}\n`;
}

/** Waits for the first line that it prints. */
async function begin(place, command) {
  const child = spawn('bash', ['-c', `exec 2>&1; exec ${command.replaceAll(PORT, freePort)}`], {
    cwd: place.work,
    env: place.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  place.running.push(child);
  let text = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes('\n')) break;
  }
  child.stdout.resume();
  return `${text.split('\n')[0].replaceAll(freePort, PORT)}\n`;
}

/** Lines with `-` give way to those with `+`; the others must be there. */
function edit(file, body) {
  const lines = body.split('\n').filter((line) => line !== '');
  const side = (sign) =>
    lines
      .filter((line) => line.startsWith(sign) || line.startsWith(' '))
      .map((line) => `${line.slice(1)}\n`)
      .join('');
  const [before, after] = [side('-'), side('+')],
    text = readFileSync(file, 'utf8');
  if (text.split(before).length !== 2) throw new Error(`${file} does not have these lines once:\n${before}\n${text}`);
  writeFileSync(
    file,
    text.replace(before, () => after),
  );
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const now = await followed();
  if (process.argv.includes('--check')) {
    const same = comparable(now) === comparable(claimed());
    console.error(
      same
        ? 'docs/tutorial.md shows what its commands print'
        : 'docs/tutorial.md differs; run node scripts/tutorial.mjs',
    );
    process.exit(same ? 0 : 1);
  }
  writeFileSync(page, now);
}
