/** DuckDB's columns as rows hold them: each type's cast in SQL, and a chunk's vector as a column. */
import { DuckDBDoubleVector, type DuckDBType, DuckDBTypeId, type DuckDBVector } from '@duckdb/node-api';
import { invalidInput } from '../errors.js';
import type { Column, ColumnKind, ColumnSpec } from '../model/row.js';
import { identifier } from './sql.js';

export interface CastColumn {
  readonly spec: ColumnSpec;
  readonly expression: string;
}

/**
 * @param isText whether the column is text whatever its type is: lists and structures as JSON, bytes as base64
 * @throws INVALID_INPUT for lists, structures, bytes and other types that a row cannot hold
 */
export function cast(name: string, type: DuckDBType, isText = false): CastColumn {
  const column = identifier(name);
  const as = (kind: ColumnKind, expression: string) => ({ spec: { name, kind }, expression });
  if (isText && type.typeId === DuckDBTypeId.BLOB) return as('string', `base64(${column})`);
  if (isText && NESTED.has(type.typeId)) return as('string', `CAST(to_json(${column}) AS VARCHAR)`);
  if (isText && NUMBERS.has(type.typeId)) return as('string', `CAST(${column} AS VARCHAR)`);
  if (NUMBERS.has(type.typeId)) return as('number', `CAST(${column} AS DOUBLE)`);
  if (TEXTS.has(type.typeId)) return as('string', `CAST(${column} AS VARCHAR)`);
  if (LOCAL_TIMES.has(type.typeId)) return as('string', `replace(CAST(${column} AS VARCHAR), ' ', 'T')`);
  if (type.typeId === DuckDBTypeId.TIMESTAMP_TZ)
    return as('string', `replace(CAST(make_timestamp(epoch_us(${column})) AS VARCHAR), ' ', 'T') || 'Z'`);
  throw invalidInput(
    `source: column "${name}" is ${type.toString()}; expected numbers, booleans, text, dates or times. Leave it out or take it apart with source.query`,
  );
}

const NUMBERS: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.DECIMAL,
]);

const TEXTS: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.ENUM,
  DuckDBTypeId.UUID,
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIME,
  DuckDBTypeId.SQLNULL,
]);

const NESTED: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.LIST,
  DuckDBTypeId.ARRAY,
  DuckDBTypeId.MAP,
  DuckDBTypeId.STRUCT,
]);

const LOCAL_TIMES: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
]);

/** A vector of DOUBLE or VARCHAR; the values are copied out of DuckDB's memory. */
export function columnOf(vector: DuckDBVector, rows: number): Column {
  return vector instanceof DuckDBDoubleVector ? numbers(vector, rows) : strings(vector, rows);
}

function numbers(vector: DuckDBDoubleVector, rows: number): Float64Array {
  const column = new Float64Array(rows);
  for (let row = 0; row < rows; row++) column[row] = vector.getItem(row) ?? Number.NaN;
  return column;
}

function strings(vector: DuckDBVector, rows: number): string[] {
  const column = new Array<string>(rows);
  for (let row = 0; row < rows; row++) column[row] = String(vector.getItem(row) ?? '');
  return column;
}
