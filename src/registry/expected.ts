/**
 * Rows and the trainer's own answers to them, as one MessagePack value.
 *
 * Numbers travel as little-endian bytes, so that any language can make one:
 * `{rows: n, inputs: {name: {kind, values}}, outputs: {name: {data_type, shape, values}}}`.
 */
import { Packr, Unpackr } from 'msgpackr';
import { z } from 'zod';
import { invalidInput } from '../errors.js';
import type { Column, ColumnBatch } from '../model/row.js';
import { allocate, DATA_TYPES, type DataType, type Tensor, type TensorData } from '../model/tensor.js';
import type { Expected } from '../model/trained.js';

const packr = new Packr({ useRecords: false }),
  unpackr = new Unpackr({ useRecords: false });

const values = z.union([z.instanceof(Uint8Array), z.array(z.string())]);
const schema = z.object({
  rows: z.int().positive(),
  inputs: z.record(z.string(), z.object({ kind: z.enum(['number', 'string']), values })),
  outputs: z
    .record(
      z.string(),
      z.object({
        data_type: z.enum(Object.keys(DATA_TYPES) as [DataType, ...DataType[]]),
        shape: z.array(z.int().nonnegative()),
        values,
      }),
    )
    .refine((outputs) => Object.keys(outputs).length > 0, 'must hold at least one'),
});

export function encodeExpected({ rows, outputs }: Expected): Buffer {
  return packr.pack({
    rows: rows.rows,
    inputs: Object.fromEntries(
      rows.specs.map(({ name, kind }, index) => [name, { kind, values: bytesOf(rows.columns[index]!) }]),
    ),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, { dataType, shape, data }]) => [
        name,
        { data_type: dataType, shape: [...shape], values: bytesOf(data) },
      ]),
    ),
  });
}

/** @throws ParleyError INVALID_INPUT */
export function decodeExpected(bytes: Uint8Array): Expected {
  let parsed: z.infer<typeof schema>;
  try {
    parsed = schema.parse(unpackr.unpack(bytes));
  } catch (cause) {
    throw invalidInput(
      'the expected answers cannot be read: they must be a MessagePack map of rows, inputs and outputs, with at least one row and one output',
      { cause },
    );
  }
  const { rows, inputs, outputs } = parsed;
  const columns = Object.entries(inputs).map(
    ([name, { kind, values: raw }]) => dataOf(raw, kind === 'number' ? 'float64' : 'string', rows, name) as Column,
  );
  const batch: ColumnBatch = {
    specs: Object.entries(inputs).map(([name, { kind }]) => ({ name, kind })),
    rows,
    columns,
  };
  return {
    rows: batch,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, { data_type: dataType, shape, values: raw }]): [string, Tensor] => [
        name,
        {
          dataType,
          shape,
          data: dataOf(
            raw,
            dataType,
            shape.reduce((a, b) => a * b, 1),
            name,
          ),
        },
      ]),
    ),
  };
}

const bytesOf = (data: TensorData | Column): string[] | Buffer =>
  Array.isArray(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);

function dataOf(raw: Uint8Array | string[], dataType: DataType, length: number, name: string): TensorData {
  const isText = dataType === 'string';
  const found = Array.isArray(raw) ? raw.length : raw.byteLength / (DATA_TYPES[dataType].bytes || 1);
  if (Array.isArray(raw) !== isText || found !== length)
    throw invalidInput(`the expected answers' "${name}" must hold ${length} values of ${dataType}, got ${found}`);
  if (Array.isArray(raw)) return raw;
  const data = allocate(dataType, length) as Uint8Array;
  Buffer.from(data.buffer).set(raw);
  return data;
}
