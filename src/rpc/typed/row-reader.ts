/**
 * Rows of a request, whatever is nested in them, checked and stored field by field; what is wrong is told of all of them.
 *
 * Structs and unions are walked by a tree of field ids; their fields lie flat in the columns. Hot path: no object per value.
 */
import type { RequestStruct, UnionGroup } from '../../contract/contract.js';
import { STOP, STRING, STRUCT, TYPE_NAMES, type WireReader } from '../wire/protocol.js';
import type { CallPictures } from './call-pictures.js';
import { type Columns, store, type TypedField } from './fields.js';
import { numberOf } from './numbers.js';
import type { RequestProblems } from './problems.js';
import { SeveralValues } from './several-values.js';
import { textOf } from './text.js';

/** A struct in the request, or a union; by field id what stands in it. */
interface StructNode {
  readonly name: string;
  /** The union's place; -1: it is a struct. */
  readonly union: number;
  readonly fields: (TypedField | undefined)[];
  readonly structs: (StructNode | undefined)[];
  /** Those of structs inside too. */
  readonly within: TypedField[];
  /** Unions in it, itself included. */
  readonly unions: number[];
}

const NONE = 0;

export class RowReader {
  readonly #fields: readonly TypedField[];
  readonly #unions: readonly UnionGroup[];
  readonly #problems: RequestProblems;
  readonly #several: SeveralValues;
  readonly #root: StructNode;
  /** Per field, the number of the row in which it was last seen. */
  readonly #seen: Int32Array;
  /** Per union, its member in this row; its second one where there are two. */
  readonly #chosen: Int32Array;
  readonly #second: Int32Array;
  /** Of unions that have been told of. */
  readonly #wrong: Uint8Array;
  /** As they came in this row. */
  readonly met: TypedField[] = [];
  #stamp = 0;

  constructor(
    fields: readonly TypedField[],
    { unions = [] }: RequestStruct,
    problems: RequestProblems,
    pictures: CallPictures,
  ) {
    this.#fields = fields;
    this.#unions = unions;
    this.#problems = problems;
    this.#several = new SeveralValues(problems, pictures);
    this.#root = treeOf(fields, unions);
    this.#seen = new Int32Array(fields.length);
    this.#chosen = new Int32Array(unions.length);
    this.#second = new Int32Array(unions.length);
    this.#wrong = new Uint8Array(unions.length);
  }

  /** The struct at the reader's position, into row `row` of the columns. */
  read(reader: WireReader, into: Columns, row: number): void {
    this.#stamp = (this.#stamp + 1) | 0;
    this.met.length = 0;
    if (this.#unions.length > 0) {
      this.#chosen.fill(NONE);
      this.#second.fill(NONE);
      this.#wrong.fill(0);
    }
    this.#struct(reader, this.#root, into, row);
    for (let i = 0; i < this.#unions.length; i++) this.#checkUnion(i);
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i++) if (this.#seen[i] !== this.#stamp) this.#notSent(fields[i]!, into, row);
  }

  #struct(reader: WireReader, node: StructNode, into: Columns, row: number): void {
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      const id = reader.fieldId,
        field = node.fields[id];
      if (field !== undefined) this.#field(reader, type, node, field, into, row);
      else this.#inner(reader, type, node, id, into, row);
    }
    reader.structEnd();
  }

  #field(reader: WireReader, type: number, node: StructNode, field: TypedField, into: Columns, row: number): void {
    this.#seen[field.index] = this.#stamp;
    this.met.push(field);
    if (node.union >= 0) this.#choose(node.union, field.field.id);
    if (type !== field.wireType) {
      reader.skip(type);
      const expected = TYPE_NAMES[field.wireType];
      this.#problems.add(field.field, '', `must be ${expected}, as the contract says`, TYPE_NAMES[type]);
    } else if (field.tensor !== undefined) this.#several.read(reader, field, into, row);
    else if (type === STRING) this.#text(reader, field, into, row);
    else this.#number(reader, type, field, into, row);
  }

  #inner(reader: WireReader, type: number, node: StructNode, id: number, into: Columns, row: number): void {
    const inner = node.structs[id];
    if (inner === undefined) {
      reader.skip(type);
      return;
    }
    if (node.union >= 0) this.#choose(node.union, id);
    if (type === STRUCT) {
      this.#struct(reader, inner, into, row);
      return;
    }
    reader.skip(type);
    for (const field of inner.within) this.#seen[field.index] = this.#stamp;
    for (const union of inner.unions) this.#wrong[union] = 1;
    this.#problems.add(
      { name: inner.name, sensitive: false },
      '',
      'must be struct, as the contract says',
      TYPE_NAMES[type],
    );
  }

  #number(reader: WireReader, type: number, field: TypedField, into: Columns, row: number): void {
    const value = numberOf(reader, type);
    if (field.enumLabels !== undefined) {
      const label = field.enumLabels.get(value);
      if (label === undefined) this.#problems.enumValue(field.field, '', field.enumLabels, value);
      else store(into, field, row, label);
    } else if (value >= field.min && value <= field.max) store(into, field, row, value);
    else if (Number.isNaN(value)) this.#missing(field, into, row);
    else this.#problems.value(field.field, '', value);
  }

  #text(reader: WireReader, field: TypedField, into: Columns, row: number): void {
    const length = reader.span(),
      { buffer, spanAt } = reader,
      text = textOf(buffer, spanAt, length, field);
    if (text !== undefined) store(into, field, row, text);
    else if (length === 0) this.#missing(field, into, row);
    else this.#problems.text(field.field, '', buffer.subarray(spanAt, spanAt + length));
  }

  #missing(field: TypedField, into: Columns, row: number): void {
    if (field.missing === undefined) this.#problems.value(field.field, '', undefined);
    else store(into, field, row, field.missing);
  }

  // ------------------------------------------------------------------ what is not there

  #notSent(field: TypedField, into: Columns, row: number): void {
    const blank = field.missing === undefined && this.#isElsewhere(field) ? field.blank : field.missing;
    if (blank === undefined) this.#problems.value(field.field, '', undefined);
    else this.#several.fill(field, into, row, blank);
  }

  /** Whether it belongs to a union's member that this row has not chosen. */
  #isElsewhere({ choices }: Pick<TypedField, 'choices'>): boolean {
    for (let i = 0; i < choices.length; i++) {
      const { union, member } = choices[i]!;
      if (this.#chosen[union] !== member && this.#second[union] !== member) return true;
    }
    return false;
  }

  #choose(union: number, member: number): void {
    if (this.#chosen[union] === NONE) this.#chosen[union] = member;
    else if (this.#chosen[union] !== member) this.#second[union] = member;
  }

  #checkUnion(index: number): void {
    const { name, path, members, missing } = this.#unions[index]!;
    const nameOf = (id: number) => members.find((member) => member.id === id)?.name ?? String(id);
    if (this.#wrong[index] === 1) return;
    if (this.#second[index] !== NONE) {
      const got = `${nameOf(this.#chosen[index]!)} and ${nameOf(this.#second[index]!)}`,
        sensitive = this.#isSensitive(path);
      this.#problems.add({ name, sensitive }, '', `must have only one of ${listed(members)}`, got);
    } else if (
      this.#chosen[index] === NONE &&
      missing === 'refused' &&
      !this.#isElsewhere({ choices: this.#around(path) })
    )
      this.#problems.add(
        { name, sensitive: false },
        '',
        `is missing; one of ${listed(members)} is required`,
        undefined,
      );
  }

  /** Whether nobody may see what it holds. Which of its members was sent would tell something of it. */
  #isSensitive(path: readonly number[]): boolean {
    return this.#fields.every(({ field }) => field.sensitive || !isInside(field.path, path));
  }

  /** The members of other unions that a union stands in. */
  #around(path: readonly number[]): { union: number; member: number }[] {
    return this.#unions.flatMap((other, union) =>
      isInside(path, other.path) ? [{ union, member: path[other.path.length]! }] : [],
    );
  }
}

const listed = (members: UnionGroup['members']): string => members.map(({ name }) => name).join(', ');

const isInside = (path: readonly number[], outer: readonly number[]): boolean =>
  outer.length < path.length && outer.every((id, depth) => path[depth] === id);

function treeOf(fields: readonly TypedField[], unions: readonly UnionGroup[]): StructNode {
  const nodeOf = (path: readonly number[], name: string): StructNode => {
    const within = fields.filter(({ field }) => isInside(field.path, path)),
      depth = path.length;
    const node: StructNode = {
      name,
      union: unions.findIndex((union) => union.path.length === depth && union.path.every((id, i) => id === path[i])),
      fields: [],
      structs: [],
      within,
      unions: [...unions.keys()].filter(
        (i) => String(unions[i]!.path) === String(path) || isInside(unions[i]!.path, path),
      ),
    };
    for (const each of within) {
      const { id, path: own, name: dotted } = each.field;
      if (own.length === depth + 1) node.fields[id] = each;
      else
        node.structs[own[depth]!] ??= nodeOf(
          own.slice(0, depth + 1),
          dotted
            .split('.')
            .slice(0, depth + 1)
            .join('.'),
        );
    }
    return node;
  };
  return nodeOf([], '');
}
