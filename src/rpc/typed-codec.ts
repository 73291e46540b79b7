/**
 * A contract's method on the wire, driven by tables made from the contract: no code is generated for it.
 *
 * Requests are decoded from the frame straight into the batch's columns and checked on the way; answers are written from
 * the run's outputs. Hot path: no object per value; strings of a closed vocabulary are the contract's own. A problem is
 * put into words only when there is one. typed/ has the parts.
 */
import type { MethodBinding } from '../contract/bind.js';
import type { ContractMethod } from '../contract/contract.js';
import { invalidInput } from '../errors.js';
import type { Answers, Call } from '../serving/batcher.js';
import type { Plan } from '../serving/plan.js';
import type { Servable } from '../serving/servable.js';
import type { ShapedAnswers } from '../serving/shaped-plan.js';
import { MOST_ROWS } from './limits.js';
import { ProvenanceWriter } from './provenance.js';
import { CallPictures, type EncodedPicture } from './typed/call-pictures.js';
import { typedField } from './typed/fields.js';
import { RequestProblems } from './typed/problems.js';
import { QuickRows } from './typed/quick-rows.js';
import { RowReader } from './typed/row-reader.js';
import { BatchedRows, MOST_KEPT_BYTES, type RowSink, ShapedRows } from './typed/row-sink.js';
import { type FieldWriter, fieldWriter } from './typed/row-writer.js';
import { CompactReader } from './wire/compact.js';
import { LIST, Malformed, STRUCT, type WireReader, type WireWriter } from './wire/protocol.js';

export { WIRE_TYPES } from './typed/fields.js';

/** Of the columns that one call's rows take. What it sent may be less: a file of a picture, a row without its lists. */
const MOST_COLUMN_BYTES = 256 << 20;

export class TypedCodec {
  readonly method: ContractMethod;
  /** Undefined where rows are not batched. */
  readonly plan: Plan | undefined;
  readonly #sink: RowSink;
  readonly provenance: ProvenanceWriter;
  readonly #rows: RowReader;
  /** Undefined where requests are more than fields of one value. */
  readonly #quick: QuickRows | undefined;
  readonly #problems: RequestProblems;
  readonly #pictures = new CallPictures();
  readonly #writers: readonly FieldWriter[];

  constructor(
    binding: MethodBinding,
    readonly servable: Servable,
    readonly aliasName: string | undefined,
  ) {
    const { request, argument } = binding.method;
    this.method = binding.method;
    this.plan = servable.batchable ? servable.plan(binding.fetches) : undefined;
    this.#sink =
      this.plan === undefined
        ? new ShapedRows(servable, servable.shapedPlan(binding.fetches))
        : new BatchedRows(this.plan);
    this.provenance = new ProvenanceWriter(servable, aliasName);
    const fields = request.fields.map((field, index) =>
      typedField(field, index, request, binding.inputs, this.#sink.slots),
    );
    this.#problems = new RequestProblems(argument.name);
    this.#rows = new RowReader(fields, request, this.#problems, this.#pictures);
    this.#quick = this.plan && QuickRows.of(fields);
    this.#writers = [...binding.outputs]
      .sort((a, b) => a.field.id - b.field.id)
      .map((output) => fieldWriter(output, binding.fetches, servable, this.provenance));
  }

  /** Files among the pictures of the call that was just read, once; while there are any, its rows are not whole. */
  takePictures(): readonly EncodedPicture[] {
    return this.#pictures.take();
  }

  // ------------------------------------------------------------------ requests

  /**
   * Reads the rows at the reader's position into the plan's batch, behind those that wait there.
   *
   * @param decoded pixels of the call's picture files, where it is read again
   * @returns how many rows
   * @throws ParleyError INVALID_INPUT with every problem; the batch is unchanged then
   */
  decode(reader: WireReader, decoded?: readonly Uint8Array[]): number {
    const problems = this.#problems,
      { many } = this.method;
    problems.clear();
    this.#pictures.begin(decoded);
    const rows = many ? this.#rowCount(reader) : 1;
    const sink = this.#sink,
      { into, first } = sink.reserve(rows),
      quick = this.#quick,
      compact = reader instanceof CompactReader;
    try {
      for (let i = 0; i < rows; i++) {
        if (quick !== undefined) {
          i = quick.read(reader, compact, into, first + i, first + rows) - first;
          if (i === rows) break;
        }
        if (many) problems.row = i;
        this.#rows.read(reader, into, sink.rowOf(first, i));
        if (problems.full) break;
        sink.rowEnds();
        if (problems.count === 0) quick?.expect(this.#rows.met);
      }
      if (problems.count > 0) throw problems.error();
    } catch (error) {
      // Also of what is malformed: a few bytes may have made room for very many rows.
      sink.drop(rows);
      this.#pictures.take();
      throw error;
    } finally {
      this.#pictures.end();
      if (rows * sink.rowBytes > MOST_KEPT_BYTES) quick?.forget();
    }
    return rows;
  }

  #rowCount(reader: WireReader): number {
    const { name } = this.method.argument;
    reader.listBegin();
    const { size } = reader;
    if (size > 0 && reader.elementType !== STRUCT) throw new Malformed('a list of something else than structs');
    if (size === 0)
      throw invalidInput(`${name}: the list is empty; send at least one row`, {
        problems: [{ path: name, message: 'must have at least one row' }],
      });
    if (size > MOST_ROWS)
      throw invalidInput(`${name}: ${size} rows in one call; send at most ${MOST_ROWS}`, {
        problems: [{ path: name, message: `must have at most ${MOST_ROWS} rows`, got: String(size) }],
      });
    const { rowBytes } = this.#sink,
      bytes = size * rowBytes;
    if (bytes > MOST_COLUMN_BYTES) {
      const most = Math.floor(MOST_COLUMN_BYTES / rowBytes);
      throw invalidInput(`${name}: ${size} rows in one call; send at most ${most}, for a row has many values`, {
        problems: [{ path: name, message: `must have at most ${most} rows`, got: String(size) }],
      });
    }
    return size;
  }

  /** Has the rows that were decoded last run. */
  commit(rows: number, call: Call): void {
    this.#sink.commit(rows, call);
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
    const runs = this.plan === undefined ? (answers as ShapedAnswers).runs : undefined;
    for (let row = first; row < first + rows; row++) {
      writer.structBegin();
      for (const field of this.#writers)
        if (runs === undefined) field(writer, answers, row, arrivedMs, nextId);
        else field(writer, runs[row]!, 0, arrivedMs, nextId);
      writer.structEnd();
    }
    writer.structEnd();
  }
}
