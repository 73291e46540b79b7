/** Fixtures' cells that name a file beside the fixtures, `file:birds/17.png`: its bytes stand in its place. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { InputField, RequestStruct } from '../contract/contract.js';
import { hasErrno, invalidInput, notFound } from '../errors.js';
import type { Column, ColumnBatch } from '../model/row.js';

const MARK = 'file:';
const MOST_BYTES = 32 << 20;

/** @param folder what the names start at @throws ParleyError NOT_FOUND, INVALID_INPUT with row and field */
export async function withFiles(rows: ColumnBatch, request: RequestStruct, folder: string): Promise<ColumnBatch> {
  const columns: Column[] = [];
  for (const [index, { name }] of rows.specs.entries()) {
    const column = rows.columns[index]!;
    const field = request.fields.find((candidate) => candidate.name === name);
    const mayName = field?.tensor?.from === 'binary' && Array.isArray(column);
    columns.push(mayName ? await read(column, field, folder) : column);
  }
  return { ...rows, columns };
}

async function read(column: readonly string[], field: InputField, folder: string): Promise<string[]> {
  const cells: string[] = [];
  for (const [row, text] of column.entries()) {
    const where = `fixtures, row ${row + 1}: ${field.name}`;
    cells.push(text.startsWith(MARK) ? await bytesOf(resolve(folder, text.slice(MARK.length)), where) : text);
  }
  return cells;
}

/** @returns base64 */
async function bytesOf(file: string, where: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MOST_BYTES)
      throw invalidInput(`${where}: "${file}" has ${size} bytes; a cell holds at most ${MOST_BYTES}`);
    return (await readFile(file)).toString('base64');
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT') || hasErrno(cause, 'ENOTDIR'))
      throw notFound(`${where}: no file "${file}"; a name behind "${MARK}" starts at the fixtures' folder`, { cause });
    if (hasErrno(cause, 'EISDIR')) throw invalidInput(`${where}: "${file}" is a folder`, { cause });
    throw cause;
  }
}
