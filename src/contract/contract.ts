/**
 * A project's contract, read: what goes in, what comes out, how good it must be.
 *
 * This is the meaning of one Thrift file, resolved (typedefs, includes, enums) and checked; parse.ts makes it, the
 * fingerprint is taken of it, and codec, validation, binding and acceptance are driven by it.
 */

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

/** What a missing field means: refused (the default), allowed (NaN or ''), or this value. */
export type Missing =
  | { readonly kind: 'refused' }
  | { readonly kind: 'allowed' }
  | { readonly kind: 'default'; readonly value: number | string };

/** One field of a request's struct. */
export interface InputField {
  readonly id: number;
  readonly name: string;
  readonly type: FieldType;
  readonly enum?: ContractEnum;
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  /** The closed vocabulary of a string field, in the contract's order. */
  readonly values?: readonly string[];
  readonly maxBytes?: number;
  readonly missing: Missing;
  readonly sensitive: boolean;
  /** `id`: the caller's own key; `ignored`: not fed to the model. */
  readonly role: 'feature' | 'id' | 'ignored';
  readonly position: Position;
}

export type OutputRole = 'label' | 'probability' | 'probability_of_positive' | 'confidence' | 'value' | 'provenance';

/** One field of a response's struct. A `probability` field is a map from the label's enum (or string) to double. */
export interface OutputField {
  readonly id: number;
  readonly name: string;
  readonly role: OutputRole;
  readonly type: FieldType | 'map' | 'provenance';
  readonly enum?: ContractEnum;
  readonly unit?: string;
  readonly position: Position;
}

export interface RequestStruct {
  readonly name: string;
  readonly fields: readonly InputField[];
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

/** `accept.recall = ">= 0.95"`: one number that the acceptance suite must find. */
export interface AcceptBound {
  /** `precision`, `recall`, `accuracy`, `f1`, `latency_p99_ms` … */
  readonly metric: string;
  readonly comparison: Comparison;
  readonly bound: number;
  /** As written, for people. */
  readonly text: string;
  readonly position: Position;
}

export interface Acceptance {
  readonly bounds: readonly AcceptBound[];
  /** `majority`: the version must beat always answering the commonest class (McNemar, p < 0.05). */
  readonly baseline?: 'majority' | 'mean';
  /** Aliases beside `production` that the gate guards. */
  readonly guards: readonly string[];
}

export interface ContractService {
  readonly name: string;
  readonly model: string;
  readonly methods: readonly ContractMethod[];
  readonly accept: Acceptance;
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
