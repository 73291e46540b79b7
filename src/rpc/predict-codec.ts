/**
 * Prediction.predict on the wire, without the generated code.
 *
 * The decoder notes where things lie in the frame and copies each tensor once, into the batch's column. Hot path: no
 * object per value, no string where the caller asks for what it asked for last; replies are written around the outputs'
 * own bytes. Sources: idl/parley.thrift for the ids.
 */

import { isUtf8 } from 'node:buffer';
import type { InputBinding } from '../contract/bind.js';
import { invalidInput, type Problem } from '../errors.js';
import { DATA_TYPES, MOST_RANK } from '../model/tensor.js';
import type { Batch } from '../serving/batch.js';
import type { Answers } from '../serving/batcher.js';
import type { Plan } from '../serving/plan.js';
import type { Servable, Slot } from '../serving/servable.js';
import { guardValues } from './guards.js';
import { invalidRequest } from './invalid-request.js';
import { MOST_ROWS } from './limits.js';
import { ProvenanceWriter } from './provenance.js';
import type { ContextFields } from './request-context.js';
import {
  I32,
  I64,
  LIST,
  Malformed,
  STOP,
  STRING,
  STRUCT,
  sameBytes,
  type WireReader,
  type WireWriter,
} from './wire/protocol.js';

const MOST_PROBLEMS = 100;
/** Tensors of one request, and outputs that it may name; what is beyond is counted and not kept. */
const MOST_TENSORS = 1_024;
/** What a decoder puts in the place of bytes that are not UTF-8; it may also have been sent. */
const REPLACEMENT = '\ufffd';

/** Where one tensor of the request lies in the frame. */
export class TensorSpan {
  nameAt = 0;
  nameLength = 0;
  dataType = 0;
  rank = -1;
  readonly shape = new Float64Array(MOST_RANK);
  /** -1: absent. */
  dataAt = -1;
  dataLength = 0;
  stringsAt = -1;
  strings = 0;
}

/** One request, as spans of its frame. Reused for every call; it is only its reader's until the next. */
export class PredictRequestSpans {
  modelAt = 0;
  modelLength = 0;
  referenceAt = 0;
  referenceLength = 0;
  routingKeyAt = 0;
  routingKeyLength = 0;
  /** The list of wanted outputs, from its header on; a length of 0: absent. */
  outputsAt = 0;
  outputsLength = 0;
  outputsNamed = 0;
  readonly tensors: TensorSpan[] = [];
  inputs = 0;
  /** Where the list of inputs begins and ends. */
  inputsAt = 0;
  inputsEnd = 0;

  read(reader: WireReader, context: ContextFields): void {
    this.modelLength = this.referenceLength = this.routingKeyLength = this.inputs = 0;
    this.outputsLength = this.outputsNamed = 0;
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      const id = reader.fieldId;
      if (id === 2 && type === STRING) {
        this.modelLength = reader.span();
        this.modelAt = reader.spanAt;
      } else if (id === 6 && type === LIST) this.#readTensors(reader);
      else if (id === 3 && type === STRING) {
        this.referenceLength = reader.span();
        this.referenceAt = reader.spanAt;
      } else if (id === 4 && type === STRING) {
        this.routingKeyLength = reader.span();
        this.routingKeyAt = reader.spanAt;
      } else if (id === 5 && type === LIST) this.#passOutputs(reader);
      else if (id === 1 && type === STRUCT) context.read(reader);
      else reader.skip(type);
    }
    reader.structEnd();
  }

  #passOutputs(reader: WireReader): void {
    this.outputsAt = reader.at;
    reader.listBegin();
    const { size, elementType } = reader;
    if (size > 0 && elementType !== STRING) throw new Malformed('outputs: a list of something else than strings');
    this.outputsNamed = size;
    for (let i = 0; i < size; i++) reader.span();
    this.outputsLength = reader.at - this.outputsAt;
  }

  /** The names of the wanted outputs, whose count was checked; undefined: all. */
  outputs(reader: WireReader): string[] | undefined {
    if (this.outputsLength === 0) return undefined;
    const back = reader.at,
      names: string[] = [];
    reader.at = this.outputsAt;
    reader.listBegin();
    for (let i = this.outputsNamed; i > 0; i--) {
      const length = reader.span();
      names.push(reader.buffer.toString('utf8', reader.spanAt, reader.spanAt + length));
    }
    reader.at = back;
    return names;
  }

  #readTensors(reader: WireReader): void {
    this.inputsAt = reader.at;
    reader.listBegin();
    const { size, elementType } = reader;
    if (size > 0 && elementType !== STRUCT) throw new Malformed('inputs: a list of something else than structs');
    this.inputs = size;
    for (let i = 0; i < size; i++) {
      if (i < MOST_TENSORS) this.#readTensor(reader, (this.tensors[i] ??= new TensorSpan()));
      else reader.skip(STRUCT);
    }
    this.inputsEnd = reader.at;
  }

  /** @throws ParleyError INVALID_INPUT when there is more than was kept */
  checkCounts(): void {
    refuseCount('inputs', this.inputs);
    refuseCount('outputs', this.outputsNamed);
  }

  #readTensor(reader: WireReader, tensor: TensorSpan): void {
    tensor.nameLength = tensor.dataType = tensor.strings = 0;
    tensor.rank = tensor.dataAt = tensor.stringsAt = -1;
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      const id = reader.fieldId;
      if (id === 5 && type === STRING) {
        tensor.dataLength = reader.span();
        tensor.dataAt = reader.spanAt;
      } else if (id === 3 && type === LIST) readShape(reader, tensor);
      else if (id === 2 && type === I32) tensor.dataType = reader.i32();
      else if (id === 1 && type === STRING) {
        tensor.nameLength = reader.span();
        tensor.nameAt = reader.spanAt;
      } else if (id === 4 && type === LIST) {
        tensor.stringsAt = reader.at;
        reader.listBegin();
        tensor.strings = reader.size;
        if (reader.size > 0 && reader.elementType !== STRING)
          throw new Malformed('strings: a list of something else than strings');
        for (let i = 0; i < tensor.strings; i++) reader.span();
      } else reader.skip(type);
    }
    reader.structEnd();
  }
}

function refuseCount(path: string, count: number): void {
  if (count <= MOST_TENSORS) return;
  throw invalidInput(`request.${path}: ${count} of them in one call; send at most ${MOST_TENSORS}`, {
    problems: [{ path, message: `must be at most ${MOST_TENSORS}`, got: String(count) }],
  });
}

function readShape(reader: WireReader, tensor: TensorSpan): void {
  reader.listBegin();
  const { size, elementType } = reader;
  if (size > 0 && elementType !== I64) throw new Malformed('shape: a list of something else than i64');
  tensor.rank = size;
  for (let i = 0; i < size; i++) {
    const extent = reader.i64();
    if (i < MOST_RANK) tensor.shape[i] = extent;
  }
}

/** A loaded version as `predict` sees it, for one choice of outputs. */
export class PredictCodec {
  readonly plan: Plan;
  readonly servable: Servable;
  readonly #outputs: readonly { readonly slot: Slot; readonly name: Buffer; readonly number: number }[];
  readonly #inputNames: readonly Buffer[];
  /** Of the request at hand: for each input, which tensor feeds it. */
  readonly #order: Int32Array;
  readonly #guards: readonly InputBinding[];
  readonly #provenance: ProvenanceWriter;

  /**
   * @param wanted names of outputs; all when undefined
   * @param guards the contract's fields behind the inputs, whose ranges hold here too
   */
  constructor(
    servable: Servable,
    readonly aliasName: string | undefined,
    wanted: readonly string[] | undefined,
    guards: readonly InputBinding[],
  ) {
    const fetches = indicesOf(servable.outputs, wanted);
    this.plan = servable.plan(fetches);
    this.servable = servable;
    this.#provenance = new ProvenanceWriter(servable, aliasName);
    this.#inputNames = servable.inputs.map((slot) => Buffer.from(slot.name));
    this.#order = new Int32Array(this.#inputNames.length);
    this.#guards = guards;
    this.#outputs = fetches.map((index) => {
      const slot = servable.outputs[index]!;
      return { slot, name: Buffer.from(slot.name), number: DATA_TYPES[slot.dataType].number };
    });
  }

  /**
   * Copies the request's tensors into the plan's batch.
   *
   * @returns how many rows
   * @throws ParleyError INVALID_INPUT with every problem; the batch is unchanged then
   */
  decode(reader: WireReader, request: PredictRequestSpans): number {
    const { inputs } = this.servable,
      order = this.#order,
      problems: Problem[] = [];
    this.#matchInputs(reader, request, problems);
    let rows = -1;
    for (let i = 0; i < inputs.length; i++) {
      const index = order[i]!;
      if (index < 0) continue;
      const found = checkTensor(request.tensors[index]!, inputs[i]!, index, problems);
      if (rows === -1) rows = found;
      else if (found !== -1 && found !== rows)
        problems.push({
          path: `inputs[${index}].shape`,
          message: `must have ${rows} rows, as the tensors before it`,
          got: String(found),
        });
    }
    if (problems.length > 0) throw invalidRequest(problems);
    const batch = this.plan.reserve(rows);
    for (let i = 0; i < inputs.length; i++)
      copyTensor(reader, request.tensors[order[i]!]!, order[i]!, inputs[i]!, batch, i, rows);
    if (this.#guards.length > 0) this.#guard(batch, rows);
    return rows;
  }

  /** Sets, for each input of the graph, which of the request's tensors feeds it; -1: none does. */
  #matchInputs(reader: WireReader, request: PredictRequestSpans, problems: Problem[]): void {
    const names = this.#inputNames,
      order = this.#order.fill(-1);
    for (let t = 0; t < request.inputs; t++) {
      const tensor = request.tensors[t]!,
        index = this.#inputNamed(reader, tensor);
      if (index >= 0 && order[index] === -1) {
        order[index] = t;
        continue;
      }
      problems.push({
        path: `inputs[${t}].name`,
        message: index >= 0 ? 'must be there once' : `must be one of ${names.map(String).join(', ')}`,
        got: reader.buffer.toString('utf8', tensor.nameAt, tensor.nameAt + Math.min(tensor.nameLength, 64)),
      });
      if (problems.length >= MOST_PROBLEMS) break;
    }
    for (let i = 0; i < names.length; i++)
      if (order[i] === -1) problems.push({ path: 'inputs', message: `the tensor "${names[i]}" is missing` });
  }

  /** The graph's input that a tensor names; the only one needs no name. */
  #inputNamed({ buffer }: WireReader, { nameAt, nameLength }: TensorSpan): number {
    const names = this.#inputNames;
    for (let i = 0; i < names.length; i++) if (sameBytes(buffer, nameAt, nameLength, names[i]!)) return i;
    return nameLength === 0 && names.length === 1 ? 0 : -1;
  }

  /** Holds generic callers to the contract's ranges, as typed ones are. */
  #guard(batch: Batch, rows: number): void {
    const problems: Problem[] = [];
    for (const guard of this.#guards)
      guardValues(
        guard,
        batch.columns[guard.input]!,
        this.servable.inputs[guard.input]!.rowWidth,
        batch.rows,
        rows,
        problems,
      );
    if (problems.length > 0) throw invalidRequest(problems);
  }

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
    writer.field(STRUCT, 0);
    writer.structBegin();
    writer.field(STRUCT, 1);
    this.#provenance.write(writer, nextId(), answers, arrivedMs);
    writer.field(LIST, 2);
    writer.listBegin(STRUCT, this.#outputs.length);
    for (let k = 0; k < this.#outputs.length; k++) {
      const { slot, name, number } = this.#outputs[k]!;
      writer.structBegin();
      writer.field(STRING, 1);
      writer.bytes(name);
      writer.field(I32, 2);
      writer.i32(number);
      writer.field(LIST, 3);
      writer.listBegin(I64, slot.rowShape.length + 1);
      writer.i64(rows);
      for (const extent of slot.rowShape) writer.i64(extent);
      writeValues(writer, answers, k, first * slot.rowWidth, rows * slot.rowWidth);
      writer.structEnd();
    }
    writer.structEnd();
    writer.structEnd();
  }
}

/** @returns which of the outputs are wanted, in the order of the question; all where it names none */
export function indicesOf(outputs: readonly { readonly name: string }[], wanted: readonly string[] = []): number[] {
  const names = outputs.map(({ name }) => name);
  if (wanted.length === 0) return [...names.keys()];
  return wanted.map((name, position) => indexOfOutput(names, name, wanted.indexOf(name) < position));
}

function indexOfOutput(names: readonly string[], name: string, repeated: boolean): number {
  const index = names.indexOf(name);
  if (repeated)
    throw invalidInput(`outputs: "${name.slice(0, 64)}" is asked for twice`, {
      problems: [{ path: 'outputs', message: 'must name each output once', got: name.slice(0, 64) }],
    });
  if (index < 0)
    throw invalidInput(`outputs: there is no output "${name.slice(0, 64)}"; the model answers ${names.join(', ')}`, {
      problems: [{ path: 'outputs', message: `must be among ${names.join(', ')}`, got: name.slice(0, 64) }],
    });
  return index;
}

/** @returns the rows of tensor `index` of the request; -1 when it does not fit its slot */
function checkTensor(tensor: TensorSpan, slot: Slot, index: number, problems: Problem[]): number {
  const before = problems.length,
    { number, bytes } = DATA_TYPES[slot.dataType];
  if (tensor.dataType !== number)
    problems.push({
      path: `inputs[${index}].data_type`,
      message: `must be ${slot.dataType.toUpperCase()} (${number})`,
      got: String(tensor.dataType),
    });
  let fits = tensor.rank === slot.rowShape.length + 1 && tensor.shape[0]! > 0;
  for (let i = 0; fits && i < slot.rowShape.length; i++) fits = tensor.shape[i + 1] === slot.rowShape[i];
  if (!fits)
    problems.push({
      path: `inputs[${index}].shape`,
      message: `must be (rows${slot.rowShape.map((extent) => `, ${extent}`).join('')}) with at least one row`,
      got: shapeText(tensor),
    });
  if (problems.length > before) return -1;
  const rows = tensor.shape[0]!,
    values = rows * slot.rowWidth;
  if (rows > MOST_ROWS)
    problems.push({
      path: `inputs[${index}].shape`,
      message: `must have at most ${MOST_ROWS} rows`,
      got: shapeText(tensor),
    });
  if (slot.dataType === 'string') {
    if (tensor.strings !== values)
      problems.push({
        path: `inputs[${index}].strings`,
        message: `must hold ${values} strings, as the shape says`,
        got: String(tensor.strings),
      });
  } else if (tensor.dataAt < 0 || tensor.dataLength !== values * bytes) {
    problems.push({
      path: `inputs[${index}].data`,
      message: `must be ${values * bytes} bytes, as type and shape say`,
      got: tensor.dataAt < 0 ? 'nothing' : `${tensor.dataLength} bytes`,
    });
  }
  return problems.length > before ? -1 : rows;
}

export function shapeText(tensor: TensorSpan): string {
  if (tensor.rank < 0) return 'no shape';
  return `(${[...tensor.shape.subarray(0, Math.min(tensor.rank, MOST_RANK))].join(', ')}${tensor.rank > MOST_RANK ? ', …' : ''})`;
}

function copyTensor(
  reader: WireReader,
  tensor: TensorSpan,
  index: number,
  slot: Slot,
  batch: Batch,
  input: number,
  rows: number,
): void {
  const at = batch.rows * slot.rowWidth,
    bytes = batch.bytes[input];
  if (bytes !== undefined) {
    const size = DATA_TYPES[slot.dataType].bytes;
    if (slot.dataType === 'bool') requireBools(reader, tensor, index);
    reader.buffer.copy(bytes, at * size, tensor.dataAt, tensor.dataAt + tensor.dataLength);
    return;
  }
  copyStrings(reader, tensor, index, batch.columns[input] as string[], at, rows * slot.rowWidth);
}

/** To the runtime a bool that is neither 0 nor 1 is undefined behaviour. @throws ParleyError INVALID_INPUT */
export function requireBools({ buffer }: WireReader, { dataAt, dataLength }: TensorSpan, index: number): void {
  for (let i = 0; i < dataLength; i++) {
    const value = buffer[dataAt + i]!;
    if (value > 1)
      throw invalidRequest([{ path: `inputs[${index}].data[${i}]`, message: 'must be 0 or 1', got: String(value) }]);
  }
}

/** Copies `count` strings of tensor `index` of the request. */
export function copyStrings(
  reader: WireReader,
  tensor: TensorSpan,
  index: number,
  column: string[],
  at: number,
  count: number,
): void {
  const back = reader.at;
  reader.at = tensor.stringsAt;
  reader.listBegin();
  for (let i = 0; i < count; i++) {
    const length = reader.span(),
      text = reader.buffer.toString('utf8', reader.spanAt, reader.spanAt + length);
    if (text.includes(REPLACEMENT) && !isUtf8(reader.buffer.subarray(reader.spanAt, reader.spanAt + length)))
      throw invalidRequest([
        {
          path: `inputs[${index}].strings[${i}]`,
          message: 'must be UTF-8',
          got: `${length} bytes that are not`,
        },
      ]);
    column[at + i] = text;
  }
  reader.at = back;
}

/** The field of `count` values of an output, from value `from` on. */
export function writeValues(writer: WireWriter, answers: Answers, output: number, from: number, count: number): void {
  const values = answers.values[output]!,
    bytes = answers.bytes[output];
  if (bytes !== undefined) {
    const size = (values as Float32Array).BYTES_PER_ELEMENT;
    writer.field(STRING, 5);
    writer.range(bytes, from * size, count * size);
    return;
  }
  writer.field(LIST, 4);
  writer.listBegin(STRING, count);
  for (let i = from; i < from + count; i++) writer.text((values as string[])[i]!);
}
