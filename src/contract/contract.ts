/**
 * A project's contract, read: what goes in, what comes out, how good it must be.
 *
 * This is the meaning of one Thrift file, resolved (typedefs, includes, enums) and checked; parse.ts makes it, the
 * fingerprint is taken of it, and codec, validation, binding and acceptance are driven by it.
 */

import type { DataType } from '../model/tensor.js';

/** Thrift's scalar types that a row's field may have; `enum` fields refer to one of the contract's enums. */
export type FieldType = 'bool' | 'byte' | 'i16' | 'i32' | 'i64' | 'double' | 'string' | 'enum';

export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface ContractEnum {
  readonly name: string;
  /** In order of value; 0 is never a valid choice and its label is empty. */
  readonly members: readonly EnumMember[];
}

export interface EnumMember {
  readonly name: string;
  readonly value: number;
  /** As data and graphs spell it: the `label` annotation, or the member's name. */
  readonly label: string;
  readonly positive: boolean;
}

/**
 * What a missing field means: refused (the default), allowed (NaN or ''), or this value: the default behind the equals
 * sign, or what `missing = "-1"` says, which need not be within the field's bounds. Of a field with many values: of each.
 */
export type Missing =
  | { readonly kind: 'refused' }
  | { readonly kind: 'allowed' }
  | { readonly kind: 'default'; readonly value: number | string };

/** How a picture may arrive: raw pixels, row by row, three bytes each; or a file's bytes. */
export type ImageEncoding = 'rgb8' | 'png' | 'jpeg';

/** What a field holds that has many values. The field's `type` is that of one of them; a picture's and raw bytes' is `byte`. */
export interface FieldTensor {
  /** `binary`: raw elements of `dataType`, little-endian, row-major; or a picture. */
  readonly from: 'list' | 'map' | 'binary';
  /** Of one row, without the batch's extent: (keys) for a map, (height, width, 3) for a picture. -1, alone: of any length. */
  readonly shape: readonly number[];
  /** A map's closed set of keys, as data spell them, in the order of the row's values: `values`, or its enum's labels. */
  readonly keys?: readonly string[];
  /** Of a map that is keyed by one. */
  readonly keyEnum?: ContractEnum;
  readonly dataType?: DataType;
  /** Height and width stand in `shape`. */
  readonly encodings?: readonly ImageEncoding[];
}

/**
 * One field that has a value: of a request's struct, or of a struct nested in it.
 *
 * In tables (fixtures, training) a field with a `tensor` is a column of strings: JSON for lists and maps; base64 for binary.
 */
export interface InputField {
  readonly id: number;
  /** With the names of the structs around it: `bill.length_mm`. Also what a graph's input is called. */
  readonly name: string;
  /** Field ids from the request's struct down to this one; the last is `id`. */
  readonly path: readonly number[];
  readonly type: FieldType;
  readonly tensor?: FieldTensor;
  readonly enum?: ContractEnum;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  /** The closed vocabulary of a string field, in the contract's order. */
  readonly values?: readonly string[];
  readonly maxBytes?: number;
  /** A string field's regular expression (RE2's syntax), which the whole value must match. */
  readonly pattern?: string;
  readonly missing: Missing;
  readonly sensitive: boolean;
  /** Only `feature` is fed to the model. `id`: the caller's own key; `time` and `weight`: what training and monitoring go by. */
  readonly role: InputRole;
  readonly position: Position;
}

export type InputRole = 'feature' | 'id' | 'time' | 'weight' | 'ignored';

/** A union of a request: exactly one of its members must be there, or at most one where it may be missing. */
export interface UnionGroup {
  /** Dotted, as fields' names are. */
  readonly name: string;
  /** Field ids from the request's struct down to the union's own field. */
  readonly path: readonly number[];
  readonly members: readonly { readonly id: number; readonly name: string }[];
  readonly missing: 'refused' | 'allowed';
}

export type OutputRole =
  | 'label'
  | 'probability'
  | 'probability_of_positive'
  | 'confidence'
  | 'value'
  | 'interval_low'
  | 'interval_high'
  | 'provenance';

/** Roles that only a regression's answer has: a double, or a list of them. */
export const ESTIMATES: readonly OutputRole[] = ['value', 'interval_low', 'interval_high'];

/** One field of a response's struct. A `probability` field is a map from the label's enum (or string) to double. */
export interface OutputField {
  readonly id: number;
  readonly name: string;
  readonly role: OutputRole;
  /** Of a list of values, for one row: `value` and the interval's ends may be lists of double. */
  readonly shape?: readonly number[];
  readonly type: FieldType | 'map' | 'provenance';
  readonly enum?: ContractEnum;
  readonly unit?: string;
  readonly position: Position;
}

export interface RequestStruct {
  readonly name: string;
  /** Those of nested structs and unions too, each by its path; in order of their paths. */
  readonly fields: readonly InputField[];
  readonly unions?: readonly UnionGroup[];
}
export interface ResponseStruct {
  readonly name: string;
  readonly fields: readonly OutputField[];
}

export interface ContractMethod {
  readonly name: string;
  /** Takes and returns a list. */
  readonly many: boolean;
  /** The argument that carries the rows. */
  readonly argument: { readonly id: number; readonly name: string };
  readonly request: RequestStruct;
  /** Field id of the RequestContext argument, when there is one. */
  readonly contextId?: number;
  readonly response: ResponseStruct;
  /** Field id of ParleyError in `throws`, when declared. */
  readonly errorId?: number;
  readonly position: Position;
}

export type Comparison = '>=' | '>' | '<=' | '<';

/** One condition of a slice: rows whose field has this value. */
export interface SliceTerm {
  /** A request field's name. */
  readonly field: string;
  readonly value: string;
}

/** `accept.recall = ">= 0.95"`, `accept.1 = "recall[sex=FEMALE] >= 0.9"`: one number that the acceptance suite must find. */
export interface AcceptBound {
  /** `precision`, `recall`, `accuracy`, `f1`, `latency_p99_ms` … */
  readonly metric: string;
  /** In parentheses behind the metric: a class, `macro`, or a quantile's level. */
  readonly argument?: string;
  /** All must hold; absent: all rows. */
  readonly slice?: readonly SliceTerm[];
  /**
   * The bound is on a difference: how much worse than production's the version is (`accept.f1.drop = "<= 0.01"`), or how much
   * better than the baseline (`accept.f1.gain = ">= 0.1"`).
   */
  readonly relativeTo?: 'production' | 'baseline';
  readonly comparison: Comparison;
  readonly bound: number;
  /** The comparison and its number as written, for people. */
  readonly text: string;
  readonly position: Position;
}

export interface Acceptance {
  readonly bounds: readonly AcceptBound[];
  /** `majority`: the version must beat always answering the commonest class (McNemar, p < 0.05). */
  readonly baseline?: 'majority' | 'mean';
  /** 0 to 1: with it, the end of this confidence interval that is the worse must meet each bound, not the figure itself. */
  readonly confidence?: number;
  /** Fewer fixtures than this (in a slice: of the slice) are a refusal. */
  readonly minFixtures?: number;
  /** Aliases beside `production` that the gate guards. */
  readonly guards: readonly string[];
}

export interface ContractService {
  readonly name: string;
  readonly model: string;
  readonly methods: readonly ContractMethod[];
  readonly accept: Acceptance;
  /** The next contract must be proposed by one and agreed to by another. */
  readonly changes?: 'agreed';
  readonly position: Position;
}

export interface Contract {
  /** All services name the same model. */
  readonly model: string;
  /** Lowercase hex SHA-256 of the meaning: comments, order of declarations and spacing do not change it. */
  readonly fingerprint: string;
  readonly file: string;
  readonly idl: string;
  readonly includes: Readonly<Record<string, string>>;
  readonly enums: readonly ContractEnum[];
  readonly services: readonly ContractService[];
}

/** The classes that a label field may answer, in the contract's order; empty where labels are free strings or numbers. */
export function labelClasses(response: ResponseStruct): readonly string[] {
  const label = response.fields.find((field) => field.role === 'label');
  return label?.enum?.members.filter((member) => member.value !== 0).map((member) => member.label) ?? [];
}

/** Whether the field stands inside of what is at `path`: a struct, or a union. */
export function isWithin(field: InputField, path: readonly number[]): boolean {
  return field.path.length > path.length && path.every((id, depth) => field.path[depth] === id);
}

/** The union that the field is in, if it is in one: it may be missing then, whatever it says itself. */
export function unionOf({ unions = [] }: RequestStruct, field: InputField): UnionGroup | undefined {
  return unions.find((union) => isWithin(field, union.path));
}

/** By the first id that differs; a struct comes before what it holds. */
export function comparePaths(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((id, depth) => id !== b[depth]);
  return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? 0);
}
