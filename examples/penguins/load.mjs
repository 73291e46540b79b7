// Writes the penguins into a SQLite database, data/penguins.sqlite, as a service's own database might hold them.
//
//   node load.mjs              all rows that are not fixtures
//   node load.mjs --fixtures   writes fixtures.csv anew, which is part of the project
//
// A row is a fixture when it is complete and the first byte of the SHA-256 of its JSON is under 51: a fifth of them,
// always the same ones. The database is written beside its place and then renamed, so that a reader sees all or nothing,
// and running this again changes nothing.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import sqlite from 'node-sqlite3-wasm';

const here = dirname(fileURLToPath(import.meta.url));
const database = join(here, 'data', 'penguins.sqlite');
const fixtures = join(here, 'fixtures.csv');

/** The contract's names for the package's. */
const COLUMNS = {
  bill_length_mm: 'Beak Length (mm)',
  bill_depth_mm: 'Beak Depth (mm)',
  flipper_length_mm: 'Flipper Length (mm)',
  body_mass_g: 'Body Mass (g)',
  island: 'Island',
  sex: 'Sex',
  species: 'Species',
};
const NAMES = Object.keys(COLUMNS);
const FIXTURE_BYTES = 51;

function penguins() {
  const file = new URL('../data/penguins.json', import.meta.resolve('vega-datasets'));
  const rows = JSON.parse(readFileSync(file, 'utf8'));
  return rows.map((row) => NAMES.map((name) => (row[COLUMNS[name]] === '.' ? null : row[COLUMNS[name]])));
}

const isFixture = (row) =>
  !row.includes(null) && createHash('sha256').update(JSON.stringify(row)).digest()[0] < FIXTURE_BYTES;

function writeFixtures(rows) {
  writeFileSync(fixtures, [NAMES, ...rows].map((row) => `${row.join(',')}\n`).join(''));
  console.log(`${relative('.', fixtures)}: ${rows.length} rows`);
}

function writeDatabase(rows) {
  const unfinished = `${database}.${process.pid}`;
  mkdirSync(dirname(database), { recursive: true });
  rmSync(unfinished, { force: true });
  const written = new sqlite.Database(unfinished);
  try {
    fill(written, rows);
  } finally {
    written.close();
  }
  renameSync(unfinished, database);
  const unmeasured = rows.filter((row) => row[0] === null).length;
  console.log(
    `${relative('.', database)}: table penguins, ${rows.length} rows, ${unmeasured} of them without measurements`,
  );
}

function fill(written, rows) {
  const types = NAMES.map((name) => `${name} ${/_(mm|g)$/.test(name) ? 'REAL' : 'TEXT'}`);
  written.exec(`BEGIN; CREATE TABLE penguins (${types.join(', ')})`);
  const insert = written.prepare(`INSERT INTO penguins VALUES (${NAMES.map(() => '?').join(', ')})`);
  for (const row of rows) insert.run(row);
  insert.finalize();
  written.exec('COMMIT');
}

const all = penguins();
if (process.argv.includes('--fixtures')) writeFixtures(all.filter(isFixture));
else writeDatabase(all.filter((row) => !isFixture(row)));
