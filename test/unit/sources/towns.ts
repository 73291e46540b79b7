/** One table, `towns`, written as a real file of each kind, for the suite that every source passes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import sqlite from 'node-sqlite3-wasm';

/** A row of the table; null is a missing value. */
export type Town = readonly [
  name: string | null,
  height: number | null,
  people: number | null,
  coastal: boolean | null,
  founded: string | null,
];

const NAMES = ['name', 'height', 'people', 'coastal', 'founded'];

export const TOWNS: readonly Town[] = [
  ['Zürich', 408.5, 434335, false, '1218-04-03'],
  ['東京, "Tokyo"', 40, 13960000, true, null],
  [null, null, null, null, '1963-01-10'],
  ["Val-d'Or 🪙", -3.25, 9007199254740992, false, '1935-08-15'],
];

/** @returns the source's configuration, `query` reading all rows */
export type Write = (folder: string, towns: readonly Town[]) => Promise<{ path: string; query: string }>;

export const written: Readonly<Record<string, Write>> = {
  async sqlite(folder, towns) {
    const database = new sqlite.Database(join(folder, 'towns.sqlite'));
    database.exec('CREATE TABLE towns (name TEXT, height REAL, people BIGINT, coastal BOOLEAN, founded DATE); BEGIN');
    const insert = database.prepare('INSERT INTO towns VALUES (?, ?, ?, ?, ?)');
    for (const town of towns) insert.run([...town]);
    insert.finalize();
    database.exec('COMMIT');
    database.close();
    return { path: 'towns.sqlite', query: 'SELECT * FROM towns' };
  },
  async csv(folder, towns) {
    const quoted = (value: Town[number]) => (typeof value === 'string' ? `"${value.replaceAll('"', '""')}"` : value);
    const lines = towns.map((town) => town.map((value) => quoted(value) ?? '').join(','));
    writeFileSync(join(folder, 'towns.csv'), `${NAMES.join(',')}\n${lines.map((line) => `${line}\n`).join('')}`);
    return { path: 'towns.csv', query: 'SELECT * FROM data' };
  },
  async jsonl(folder, towns) {
    const lines = towns.map((town) => JSON.stringify(Object.fromEntries(NAMES.map((name, i) => [name, town[i]]))));
    writeFileSync(join(folder, 'towns.jsonl'), lines.map((line) => `${line}\n`).join(''));
    return { path: 'towns.jsonl', query: 'SELECT * FROM data' };
  },
  async parquet(folder, towns) {
    await written.csv(folder, towns);
    await parquetOf(`SELECT * FROM read_csv('${join(folder, 'towns.csv')}')`, join(folder, 'towns.parquet'));
    return { path: 'towns.parquet', query: 'SELECT * FROM data' };
  },
};

export async function parquetOf(select: string, file: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (${select}) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}
