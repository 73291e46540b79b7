/** What the readers of one contract share: its problems, and each declaration read once. */
import type { EnumDefinition, FieldDefinition, FunctionType, StructDefinition } from '@creditkarma/thrift-parser';
import type { ContractEnum, RequestStruct, ResponseStruct } from './contract.js';
import type { Problems } from './problems.js';
import { readEnum } from './read-enum.js';
import { type Resolved, resolveType } from './resolve.js';
import { checkName, type Scope } from './scope.js';

const MAX_ID = 32_767;

export class Reader {
  readonly #enums = new Map<EnumDefinition, ContractEnum>();
  readonly requests = new Map<StructDefinition, RequestStruct>();
  readonly responses = new Map<StructDefinition, ResponseStruct>();

  constructor(readonly problems: Problems) {}

  /** The struct as `read` gives it the first time: one declaration is one object, and is reported on once. */
  once<Struct>(known: Map<StructDefinition, Struct>, declaration: StructDefinition, read: () => Struct): Struct {
    let struct = known.get(declaration);
    if (struct === undefined) {
      struct = read();
      known.set(declaration, struct);
    }
    return struct;
  }

  /** Those that were asked for, in the order of asking. */
  get enums(): readonly ContractEnum[] {
    return [...this.#enums.values()];
  }

  resolve(scope: Scope, type: FunctionType): Resolved {
    return resolveType(scope, type, this.problems);
  }

  enumOf(resolved: Extract<Resolved, { readonly kind: 'enum' }>): ContractEnum {
    let read = this.#enums.get(resolved.declaration);
    if (read === undefined) {
      read = readEnum(resolved.scope.source, resolved.declaration, this.problems);
      this.#enums.set(resolved.declaration, read);
    }
    return read;
  }

  /** The fields whose ids and names are in order and not taken; the others are reported. */
  distinctFields(scope: Scope, fields: readonly FieldDefinition[], owner: string): readonly FieldDefinition[] {
    const ids = new Map<number, string>();
    const names = new Set<string>();
    return fields.filter((field) => {
      const name = field.name.value;
      const position = scope.source.at(field.name.loc);
      const before = this.problems.count;
      checkName(scope.source, field.name, this.problems);
      const id = field.fieldID?.value;
      if (id === undefined) {
        this.problems.add(position, `${name} has no id; number it, as in "1: optional double ${name}"`);
      } else if (id < 1 || id > MAX_ID) {
        this.problems.add(position, `the id ${id} of ${name} must be between 1 and ${MAX_ID}`);
      } else if (ids.has(id)) {
        this.problems.add(position, `the id ${id} of ${name} is already that of ${ids.get(id)} in ${owner}`);
      } else ids.set(id, name);
      if (names.has(name)) this.problems.add(position, `${owner} has two fields called ${name}; rename one`);
      names.add(name);
      return this.problems.count === before;
    });
  }
}
