/**
 * A contract's method on the wire, driven by tables made from the contract: no code is generated for it.
 *
 * Requests are decoded from the frame straight into the batch's columns and checked on the way; answers are written from
 * the run's outputs. Hot path: no object per value; strings of a closed vocabulary are the contract's own. A problem is
 * put into words only when there is one.
 */
import { isUtf8 } from 'node:buffer';
import type { InputBinding, MethodBinding, OutputBinding } from '../contract/bind.js';
import { problemOf } from '../contract/check.js';
import type { ContractMethod, FieldType, InputField } from '../contract/contract.js';
import { invalidInput, type Problem } from '../errors.js';
import type { TensorData } from '../model/tensor.js';
import type { Batch } from '../serving/batch.js';
import type { Answers } from '../serving/batcher.js';
import type { Plan } from '../serving/plan.js';
import type { Servable } from '../serving/servable.js';
import { invalidRequest } from './invalid-request.js';
import { MOST_ROWS } from './limits.js';
import { ProvenanceWriter } from './provenance.js';
import {
  BOOL,
  BYTE,
  DOUBLE,
  I16,
  I32,
  I64,
  LIST,
  MAP,
  Malformed,
  STOP,
  STRING,
  STRUCT,
  sameBytes,
  TYPE_NAMES,
  type WireReader,
  type WireWriter,
} from './wire/protocol.js';

/** A request with this many problems is told these, and not read further. */
const MOST_PROBLEMS = 100;

export const WIRE_TYPES: Readonly<Record<FieldType, number>> = {
  bool: BOOL,
  byte: BYTE,
  i16: I16,
  i32: I32,
  i64: I64,
  double: DOUBLE,
  string: STRING,
  enum: I32,
};

/** How one field of the request is read, checked and stored. */
interface FieldReader {
  readonly field: InputField;
  readonly wireType: number;
  readonly index: number;
  /** Where it goes; -1: it is checked and not fed. */
  readonly input: number;
  readonly column: number;
  readonly rowWidth: number;
  readonly min: number;
  readonly max: number;
  readonly vocabulary: readonly Uint8Array[] | undefined;
  readonly values: readonly string[] | undefined;
  readonly enumLabels: ReadonlyMap<number, string> | undefined;
  /** What stands for a missing value: NaN, '', or the contract's default; undefined: it must not be missing. */
  readonly missing: number | string | undefined;
}

export class TypedCodec {
  readonly method: ContractMethod;
  readonly plan: Plan;
  readonly #readers: readonly FieldReader[];
  readonly #byId: (FieldReader | undefined)[] = [];
  /** Per field, the number of the row in which it was last seen. */
  readonly #seen: Int32Array;
  #row = 0;
  readonly #writers: readonly FieldWriter[];
  readonly provenance: ProvenanceWriter;
  #problems: Problem[] = [];
  #problemCount = 0;

  constructor(
    binding: MethodBinding,
    readonly servable: Servable,
    readonly aliasName: string | undefined,
  ) {
    this.method = binding.method;
    this.plan = servable.plan(binding.fetches);
    this.provenance = new ProvenanceWriter(servable, aliasName);
    this.#readers = binding.method.request.fields.map((field, index) =>
      fieldReader(field, index, binding.inputs, servable),
    );
    for (const reader of this.#readers) this.#byId[reader.field.id] = reader;
    this.#seen = new Int32Array(this.#readers.length);
    this.#writers = [...binding.outputs]
      .sort((a, b) => a.field.id - b.field.id)
      .map((output) => fieldWriter(output, binding.fetches, servable, this.provenance));
  }

  // ------------------------------------------------------------------ requests

  /**
   * Reads the rows at the reader's position into the plan's batch, behind those that wait there.
   *
   * @returns how many rows
   * @throws ParleyError INVALID_INPUT with every problem; the batch is unchanged then
   */
  decode(reader: WireReader): number {
    this.#problems = [];
    this.#problemCount = 0;
    const { many, argument } = this.method;
    let rows = 1;
    if (many) {
      reader.listBegin();
      rows = reader.size;
      if (rows > 0 && reader.elementType !== STRUCT) throw new Malformed('a list of something else than structs');
      if (rows === 0)
        throw invalidInput(`${argument.name}: the list is empty; send at least one row`, {
          problems: [{ path: argument.name, message: 'must have at least one row' }],
        });
    }
    if (rows > MOST_ROWS)
      throw invalidInput(`${argument.name}: ${rows} rows in one call; send at most ${MOST_ROWS}`, {
        problems: [{ path: argument.name, message: `must have at most ${MOST_ROWS} rows`, got: String(rows) }],
      });
    const batch = this.plan.reserve(rows);
    for (let i = 0; i < rows; i++) {
      this.#decodeRow(reader, batch, batch.rows + i, many ? i : -1);
      if (this.#problemCount >= MOST_PROBLEMS) break;
    }
    if (this.#problemCount > 0)
      throw invalidRequest(this.#problems, this.#problemCount, this.#problemCount >= MOST_PROBLEMS);
    return rows;
  }

  #decodeRow(reader: WireReader, batch: Batch, row: number, listIndex: number): void {
    const stamp = (this.#row = (this.#row + 1) | 0),
      seen = this.#seen,
      byId = this.#byId;
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      const field = byId[reader.fieldId];
      if (field === undefined) {
        reader.skip(type);
        continue;
      }
      seen[field.index] = stamp;
      if (type !== field.wireType) {
        reader.skip(type);
        this.#problem(
          field,
          listIndex,
          `must be ${TYPE_NAMES[field.wireType]}, as the contract says`,
          TYPE_NAMES[type],
        );
      } else if (type === STRING) this.#decodeText(reader, field, batch, row, listIndex);
      else this.#decodeNumber(reader, type, field, batch, row, listIndex);
    }
    reader.structEnd();
    const readers = this.#readers;
    for (let i = 0; i < readers.length; i++) if (seen[i] !== stamp) this.#missing(readers[i]!, batch, row, listIndex);
  }

  #decodeNumber(
    reader: WireReader,
    type: number,
    field: FieldReader,
    batch: Batch,
    row: number,
    listIndex: number,
  ): void {
    const value =
      type === DOUBLE
        ? reader.double()
        : type === I32
          ? reader.i32()
          : type === I64
            ? reader.i64()
            : type === I16
              ? reader.i16()
              : type === BYTE
                ? reader.byte()
                : reader.bool()
                  ? 1
                  : 0;
    if (field.enumLabels !== undefined) {
      const label = field.enumLabels.get(value);
      if (label === undefined)
        this.#problem(
          field,
          listIndex,
          `must be one of ${[...field.enumLabels].map(([number, name]) => `${number} (${name})`).join(', ')}`,
          String(value),
        );
      else store(batch, field, row, label);
      return;
    }
    if (value >= field.min && value <= field.max) store(batch, field, row, value);
    else if (Number.isNaN(value)) this.#missing(field, batch, row, listIndex);
    else this.#wrong(field, value, listIndex);
  }

  #decodeText(reader: WireReader, field: FieldReader, batch: Batch, row: number, listIndex: number): void {
    const length = reader.span(),
      { buffer, spanAt } = reader,
      { vocabulary } = field;
    if (vocabulary !== undefined) {
      for (let k = 0; k < vocabulary.length; k++) {
        if (sameBytes(buffer, spanAt, length, vocabulary[k]!)) {
          store(batch, field, row, field.values![k]!);
          return;
        }
      }
    }
    if (length === 0) {
      this.#missing(field, batch, row, listIndex);
      return;
    }
    const bytes = buffer.subarray(spanAt, spanAt + length);
    if (!isUtf8(bytes)) {
      this.#problem(field, listIndex, 'must be UTF-8', `${length} bytes that are not`);
      return;
    }
    const text = bytes.toString('utf8');
    const problem = problemOf(field.field, text, '');
    if (problem === undefined) store(batch, field, row, text);
    else this.#problem(field, listIndex, problem.message, problem.got);
  }

  #missing(field: FieldReader, batch: Batch, row: number, listIndex: number): void {
    if (field.missing !== undefined) store(batch, field, row, field.missing);
    else this.#wrong(field, undefined, listIndex);
  }

  #wrong(field: FieldReader, value: number | undefined, listIndex: number): void {
    const problem = problemOf(field.field, value, '');
    this.#problem(
      field,
      listIndex,
      problem?.message ?? 'is not allowed',
      problem?.got ?? (value === undefined ? undefined : String(value)),
    );
  }

  #problem(field: FieldReader, listIndex: number, message: string, got: string | undefined): void {
    if (this.#problemCount++ >= MOST_PROBLEMS) return;
    const row = listIndex < 0 ? '' : `[${listIndex}]`;
    this.#problems.push({
      path: `${this.method.argument.name}${row}.${field.field.name}`,
      message,
      ...(got === undefined || field.field.sensitive ? {} : { got }),
    });
  }

  // ------------------------------------------------------------------ answers

  /** The result struct's success field for `rows` answers from `first` on. */
  encode(
    writer: WireWriter,
    answers: Answers,
    first: number,
    rows: number,
    arrivedMs: number,
    nextId: () => Uint8Array,
  ): void {
    writer.structBegin();
    writer.field(this.method.many ? LIST : STRUCT, 0);
    if (this.method.many) writer.listBegin(STRUCT, rows);
    for (let row = first; row < first + rows; row++) {
      writer.structBegin();
      for (const field of this.#writers) field(writer, answers, row, arrivedMs, nextId);
      writer.structEnd();
    }
    writer.structEnd();
  }
}

function fieldReader(
  field: InputField,
  index: number,
  inputs: readonly InputBinding[],
  servable: Servable,
): FieldReader {
  const binding = inputs.find((input) => input.field.id === field.id);
  const { values } = field;
  return {
    field,
    index,
    wireType: WIRE_TYPES[field.type],
    input: binding?.input ?? -1,
    column: binding?.column ?? 0,
    rowWidth: binding === undefined ? 0 : servable.inputs[binding.input]!.rowWidth,
    min: field.min ?? -Number.MAX_VALUE,
    max: field.max ?? Number.MAX_VALUE,
    vocabulary: values?.map((value) => Buffer.from(value)),
    values,
    enumLabels:
      field.enum === undefined
        ? undefined
        : new Map(
            field.enum.members.filter((member) => member.value !== 0).map((member) => [member.value, member.label]),
          ),
    missing: missingValue(field),
  };
}

/** What stands for a value that is not sent. */
function missingValue(field: InputField): number | string | undefined {
  const text = field.type === 'string' || field.type === 'enum';
  if (field.missing.kind === 'default') return field.missing.value;
  return field.missing.kind === 'allowed' ? (text ? '' : Number.NaN) : undefined;
}

function store(batch: Batch, field: FieldReader, row: number, value: number | string): void {
  if (field.input < 0) return;
  const column = batch.columns[field.input]!,
    at = row * field.rowWidth + field.column;
  if (column instanceof BigInt64Array || column instanceof BigUint64Array) column[at] = BigInt(value);
  else (column as (number | string)[])[at] = value;
}

// -------------------------------------------------------------------- answers, field by field

type FieldWriter = (
  writer: WireWriter,
  answers: Answers,
  row: number,
  arrivedMs: number,
  nextId: () => Uint8Array,
) => void;

function fieldWriter(
  binding: OutputBinding,
  fetches: readonly number[],
  servable: Servable,
  provenance: ProvenanceWriter,
): FieldWriter {
  const { field } = binding,
    { id } = field;
  if (field.role === 'provenance') {
    return (writer, answers, _row, arrivedMs, nextId) => {
      writer.field(STRUCT, id);
      provenance.write(writer, nextId(), answers, arrivedMs);
    };
  }
  const output = fetches.indexOf(binding.output!),
    width = servable.outputs[binding.output!]!.rowWidth;
  switch (field.role) {
    case 'label':
      return labelWriter(binding, output, servable);
    case 'probability':
      return probabilityWriter(binding, output, width);
    case 'confidence':
      return (writer, { values }, row) => {
        const data = values[output] as Float32Array;
        let most = Number(data[row * width]);
        for (let k = 1; k < width; k++) most = Math.max(most, Number(data[row * width + k]));
        writer.field(DOUBLE, id);
        writer.double(most);
      };
    default:
      return (writer, { values }, row) => {
        writer.field(WIRE_TYPES[field.type as FieldType], id);
        writeNumber(
          writer,
          field.type as FieldType,
          Number((values[output] as Float32Array)[row * width + (binding.column ?? 0)]),
        );
      };
  }
}

/** The label as the contract's enum value, or as text. Graphs answer it as text or as an index into the classes. */
function labelWriter({ field }: OutputBinding, output: number, servable: Servable): FieldWriter {
  const classes = (servable.metadata.classes ?? []) as readonly string[];
  const numbers = new Map(field.enum?.members.map((member) => [member.label, member.value]));
  const labelAt = (data: TensorData, row: number): string => {
    const value = data[row]!;
    return typeof value === 'string' ? value : (classes[Number(value)] ?? String(value));
  };
  if (field.type === 'string') {
    return (writer, { values }, row) => {
      writer.field(STRING, field.id);
      writer.text(labelAt(values[output]!, row));
    };
  }
  if (field.enum === undefined) {
    const type = field.type as FieldType;
    return (writer, { values }, row) => {
      writer.field(WIRE_TYPES[type], field.id);
      writeNumber(writer, type, Number(labelAt(values[output]!, row)));
    };
  }
  return (writer, { values }, row) => {
    writer.field(I32, field.id);
    writer.i32(numbers.get(labelAt(values[output]!, row)) ?? 0);
  };
}

function probabilityWriter({ field, keys = [] }: OutputBinding, output: number, width: number): FieldWriter {
  const entries = keys.map(({ key, column }) => ({ number: Number(key), text: Buffer.from(String(key)), column }));
  const keyType = typeof keys[0]?.key === 'number' ? I32 : STRING;
  return (writer, { values }, row) => {
    const data = values[output] as Float32Array;
    writer.field(MAP, field.id);
    writer.mapBegin(keyType, DOUBLE, entries.length);
    for (let k = 0; k < entries.length; k++) {
      const entry = entries[k]!;
      if (keyType === I32) writer.i32(entry.number);
      else writer.bytes(entry.text);
      writer.double(Number(data[row * width + entry.column]));
    }
  };
}

function writeNumber(writer: WireWriter, type: FieldType, value: number): void {
  switch (type) {
    case 'double':
      writer.double(value);
      break;
    case 'i64':
      writer.i64(Math.round(value));
      break;
    case 'i16':
      writer.i16(Math.round(value));
      break;
    case 'byte':
      writer.byte(Math.round(value));
      break;
    default:
      writer.i32(Math.round(value));
  }
}
