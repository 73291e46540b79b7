/**
 * Prediction.predict on the wire for graphs that cannot be batched: tensors of the caller's own shapes in, tensors of
 * whatever shapes the run gives out.
 *
 * One copy of each tensor, a few objects a request: such a graph costs a run a request anyway.
 */
import type { InputBinding } from '../contract/bind.js';
import { invalidInput, type Problem, unsupported } from '../errors.js';
import { allocate, DATA_TYPES, type TensorData, type TensorSpec } from '../model/tensor.js';
import { type Feeds, feedsOf, runtimeTensor } from '../onnx/session.js';
import { bytesOf } from '../serving/batch.js';
import type { Answers } from '../serving/batcher.js';
import type { Servable } from '../serving/servable.js';
import type { ShapedAnswers, ShapedPlan } from '../serving/shaped-plan.js';
import { guardValues } from './guards.js';
import { invalidRequest } from './invalid-request.js';
import {
  copyStrings,
  indicesOf,
  type PredictRequestSpans,
  requireBools,
  shapeText,
  type TensorSpan,
  writeValues,
} from './predict-codec.js';
import { ProvenanceWriter } from './provenance.js';
import { I32, I64, LIST, STRING, STRUCT, type WireReader, type WireWriter } from './wire/protocol.js';

const MOST_EXTENT = 2 ** 31 - 1;
/** A graph may answer much to little; a frame's length is an i32. */
const MOST_REPLY_BYTES = 2 ** 30;

export class ShapedCodec {
  readonly plan: ShapedPlan;
  readonly servable: Servable;
  readonly #outputs: readonly { readonly spec: TensorSpec; readonly name: Buffer; readonly number: number }[];
  readonly #provenance: ProvenanceWriter;

  /**
   * @param wanted names of outputs; all when undefined
   * @param guards the contract's fields behind the inputs, whose ranges hold here too
   */
  constructor(
    servable: Servable,
    readonly aliasName: string | undefined,
    wanted: readonly string[] | undefined,
    private readonly guards: readonly InputBinding[] = [],
  ) {
    const { outputs } = servable.signature,
      fetches = indicesOf(outputs, wanted);
    this.plan = servable.shapedPlan(fetches);
    this.servable = servable;
    this.#provenance = new ProvenanceWriter(servable, aliasName);
    this.#outputs = fetches.map((index) => {
      const spec = outputs[index]!;
      return { spec, name: Buffer.from(spec.name), number: DATA_TYPES[spec.dataType].number };
    });
  }

  /**
   * Offers the request's tensors to the plan.
   *
   * @returns 1, the request
   * @throws ParleyError INVALID_INPUT with every problem
   */
  decode(reader: WireReader, request: PredictRequestSpans): number {
    const problems: Problem[] = [],
      found = this.#match(reader, request, problems);
    for (const { tensor, spec, path } of found) {
      checkShaped(tensor, spec, path, problems);
      this.#checkNothing(tensor, path, problems);
    }
    if (problems.length > 0) throw invalidRequest(problems);
    const feeds = found.map(({ tensor, spec }) => {
      const shape = [...tensor.shape.subarray(0, tensor.rank)];
      return [spec.name, runtimeTensor(spec.dataType, valuesOf(reader, tensor, spec, request), shape)] as const;
    });
    this.#guard(feeds);
    this.plan.offer([feedsOf(feeds)]);
    return 1;
  }

  #guard(feeds: readonly (readonly [string, Feeds[string]])[]): void {
    const problems: Problem[] = [],
      { inputs } = this.servable.signature;
    for (const guard of this.guards) {
      const tensor = feeds.find(([name]) => name === inputs[guard.input]!.name)?.[1],
        [rows = 1] = tensor?.dims ?? [];
      if (tensor === undefined || rows === 0) continue;
      const data = tensor.data as TensorData;
      guardValues(guard, data, data.length / rows, 0, rows, problems);
    }
    if (problems.length > 0) throw invalidRequest(problems);
  }

  #match(reader: WireReader, request: PredictRequestSpans, problems: Problem[]) {
    const { inputs } = this.servable.signature;
    const found: { readonly tensor: TensorSpan; readonly spec: TensorSpec; readonly path: string }[] = [];
    for (let t = 0; t < request.inputs; t++) {
      const tensor = request.tensors[t]!,
        path = `inputs[${t}]`;
      const name = reader.buffer.toString('utf8', tensor.nameAt, tensor.nameAt + tensor.nameLength);
      const spec = inputs.find((input) => input.name === name || (name === '' && inputs.length === 1));
      if (spec === undefined) {
        const names = inputs.map((input) => input.name).join(', ');
        const message =
          inputs.length === 0 ? 'must not be there: the graph takes no inputs' : `must be one of ${names}`;
        problems.push({ path: `${path}.name`, message, got: name.slice(0, 64) });
      } else if (found.some((other) => other.spec === spec))
        problems.push({ path: `${path}.name`, message: 'must be there once', got: name.slice(0, 64) });
      else found.push({ tensor, spec, path });
    }
    for (const { name } of inputs) {
      if (found.some(({ spec }) => spec.name === name) || this.servable.defaults[name] !== undefined) continue;
      problems.push({ path: 'inputs', message: `the tensor "${name}" is missing` });
    }
    return found;
  }

  /** Some operators of the runtime take the process with them. */
  #checkNothing(tensor: TensorSpan, path: string, problems: Problem[]): void {
    const { endedByNothing } = this.servable;
    if (endedByNothing.length === 0 || !tensor.shape.subarray(0, tensor.rank).includes(0)) return;
    const message = `must have no extent of 0, which the runtime's ${endedByNothing.join(', ')} cannot take`;
    problems.push({ path: `${path}.shape`, message, got: shapeText(tensor) });
  }

  /** The result struct's success field. */
  encode(
    writer: WireWriter,
    answers: Answers,
    _first: number,
    _rows: number,
    arrivedMs: number,
    nextId: () => Uint8Array,
  ): void {
    const { values, shapes } = answers as ShapedAnswers;
    const bytes = values.reduce((sum, each) => sum + (Array.isArray(each) ? each.length * 4 : each.byteLength), 0);
    if (bytes > MOST_REPLY_BYTES)
      throw unsupported(
        `the answer has ${bytes} bytes; at most ${MOST_REPLY_BYTES} fit into one, ask for fewer outputs`,
      );
    writer.structBegin();
    writer.field(STRUCT, 0);
    writer.structBegin();
    writer.field(STRUCT, 1);
    this.#provenance.write(writer, nextId(), answers, arrivedMs);
    writer.field(LIST, 2);
    writer.listBegin(STRUCT, this.#outputs.length);
    this.#outputs.forEach(({ name, number }, index) => {
      const shape = shapes[index]!;
      writer.structBegin();
      writer.field(STRING, 1);
      writer.bytes(name);
      writer.field(I32, 2);
      writer.i32(number);
      writer.field(LIST, 3);
      writer.listBegin(I64, shape.length);
      for (const extent of shape) writer.i64(extent);
      writeValues(writer, answers, index, 0, values[index]!.length);
      writer.structEnd();
    });
    writer.structEnd();
    writer.structEnd();
  }
}

function valuesOf(
  reader: WireReader,
  tensor: TensorSpan,
  { dataType }: TensorSpec,
  { tensors }: PredictRequestSpans,
): TensorData {
  const values = allocate(dataType, volumeOf(tensor)),
    index = tensors.indexOf(tensor);
  if (values.length === 0) return values;
  if (dataType === 'bool') requireBools(reader, tensor, index);
  if (Array.isArray(values)) copyStrings(reader, tensor, index, values, 0, values.length);
  else reader.buffer.copy(bytesOf(values)!, 0, tensor.dataAt, tensor.dataAt + tensor.dataLength);
  return values;
}

const volumeOf = ({ shape, rank }: TensorSpan): number => shape.subarray(0, rank).reduce((a, b) => a * b, 1);

/** Rank and extents must be the signature's where it fixes them. */
function checkShaped(tensor: TensorSpan, { dataType, shape }: TensorSpec, path: string, problems: Problem[]): void {
  const before = problems.length,
    { number, bytes } = DATA_TYPES[dataType];
  if (tensor.dataType !== number)
    problems.push({
      path: `${path}.data_type`,
      message: `must be ${dataType.toUpperCase()} (${number})`,
      got: String(tensor.dataType),
    });
  const fits = (extent: number, axis: number) => {
    const given = tensor.shape[axis]!;
    return extent < 0 ? given >= 0 && given <= MOST_EXTENT : given === extent;
  };
  if (tensor.rank !== shape.length || !shape.every(fits)) {
    const expected = shape.map((extent) => (extent < 0 ? 'any' : extent)).join(', ');
    problems.push({ path: `${path}.shape`, message: `must be (${expected})`, got: shapeText(tensor) });
  }
  if (problems.length > before) return;
  const values = volumeOf(tensor);
  if (dataType === 'string') {
    if (tensor.strings === values) return;
    const message = `must hold ${values} strings, as the shape says`;
    problems.push({ path: `${path}.strings`, message, got: String(tensor.strings) });
  } else if (tensor.dataLength !== values * bytes || (tensor.dataAt < 0 && values > 0)) {
    const got = tensor.dataAt < 0 ? 'nothing' : `${tensor.dataLength} bytes`;
    problems.push({ path: `${path}.data`, message: `must be ${values * bytes} bytes, as type and shape say`, got });
  }
}

/** A graph without inputs, or with optional ones alone, is asked with none. */
function needsInputs({ signature, defaults }: Servable): boolean {
  return signature.inputs.some(({ name }) => defaults[name] === undefined);
}

/** For a request without inputs. @throws ParleyError INVALID_INPUT */
export function requireInputs(servable: Servable): void {
  if (!needsInputs(servable)) return;
  const path = 'request.inputs';
  throw invalidInput(`${path} is missing`, { problems: [{ path, message: 'is required' }] });
}
