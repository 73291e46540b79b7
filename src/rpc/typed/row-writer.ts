/** Answers of a typed method, field by field, from the outputs of a run. Hot path: no object per value. */
import type { OutputBinding } from '../../contract/bind.js';
import type { FieldType } from '../../contract/contract.js';
import type { TensorData } from '../../model/tensor.js';
import type { Answers } from '../../serving/batcher.js';
import type { Servable } from '../../serving/servable.js';
import type { ProvenanceWriter } from '../provenance.js';
import { DOUBLE, I32, LIST, MAP, STRING, STRUCT, type WireWriter } from '../wire/protocol.js';
import { WIRE_TYPES } from './fields.js';

export type FieldWriter = (
  writer: WireWriter,
  answers: Answers,
  row: number,
  arrivedMs: number,
  nextId: () => Uint8Array,
) => void;

export function fieldWriter(
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
  const output = fetches.indexOf(binding.output!);
  switch (field.role) {
    case 'label':
      return labelWriter(binding, output, servable);
    case 'probability':
      return probabilityWriter(binding, output);
    case 'confidence':
      return (writer, { values, outputs }, row) => {
        const data = values[output] as Float32Array,
          width = outputs[output]!.rowWidth;
        let most = Number(data[row * width]);
        for (let k = 1; k < width; k++) most = Math.max(most, Number(data[row * width + k]));
        writer.field(DOUBLE, id);
        writer.double(most);
      };
    default:
      return field.shape === undefined ? numberWriter(binding, output) : listWriter(binding, output);
  }
}

function numberWriter({ field, column = 0 }: OutputBinding, output: number): FieldWriter {
  const type = field.type as FieldType;
  return (writer, { values, outputs }, row) => {
    const data = values[output] as Float32Array;
    writer.field(WIRE_TYPES[type], field.id);
    writeNumber(writer, type, Number(data[row * outputs[output]!.rowWidth + column]));
  };
}

/** Where its length is not the contract's, it is the whole row of the output. */
function listWriter({ field, column = 0 }: OutputBinding, output: number): FieldWriter {
  const type = field.type as FieldType,
    fixed = field.shape!.every((extent) => extent >= 0) ? field.shape!.reduce((a, b) => a * b, 1) : undefined;
  return (writer, { values, outputs }, row) => {
    const data = values[output] as Float32Array,
      width = outputs[output]!.rowWidth,
      length = fixed ?? width,
      from = row * width + column;
    writer.field(LIST, field.id);
    writer.listBegin(WIRE_TYPES[type], length);
    for (let k = 0; k < length; k++) writeNumber(writer, type, Number(data[from + k]));
  };
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

function probabilityWriter({ field, keys = [] }: OutputBinding, output: number): FieldWriter {
  const entries = keys.map(({ key, column }) => ({ number: Number(key), text: Buffer.from(String(key)), column }));
  const keyType = typeof keys[0]?.key === 'number' ? I32 : STRING;
  return (writer, { values, outputs }, row) => {
    const data = values[output] as Float32Array,
      at = row * outputs[output]!.rowWidth;
    writer.field(MAP, field.id);
    writer.mapBegin(keyType, DOUBLE, entries.length);
    for (let k = 0; k < entries.length; k++) {
      const entry = entries[k]!;
      if (keyType === I32) writer.i32(entry.number);
      else writer.bytes(entry.text);
      writer.double(Number(data[at + entry.column]));
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
