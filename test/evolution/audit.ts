/** What `thrift --audit` says of two files, and whether the comparison says something of the same thing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContractChange } from '#parley/contract/change.js';
import { compareIdl } from '#parley/contract/compare.js';
import { type Idl, type IdlField, namesIn } from '#parley/contract/idl.js';
import { readIdl } from '#parley/contract/read-idl.js';
import { run } from '../clients/toolchain.js';

export interface Audited {
  /** The compiler's lines, as it prints them. */
  readonly lines: readonly string[];
  /** Those of which the comparison says nothing. */
  readonly missed: readonly string[];
  readonly changes: readonly ContractChange[];
}

export function audit(compiler: string, folder: string, before: string, after: string): Audited {
  const [old, now] = [join(folder, 'old.thrift'), join(folder, 'new.thrift')];
  writeFileSync(old, before);
  writeFileSync(now, after);
  const { output } = run(compiler, ['--audit', old, now]);
  const lines = output.split('\n').flatMap((line) => /^\[Thrift Audit \w+:[^\]]*\] (.*\S)/.exec(line)?.[1] ?? []);
  const sides = [readIdl({ file: 'old.thrift', idl: before }), readIdl({ file: 'new.thrift', idl: after })] as const;
  const changes = compareIdl(...sides);
  const isTold = (line: string) => pathsOf(line, sides).some((path) => changes.some((change) => change.path === path));
  return { lines, changes, missed: lines.filter((line) => !isTold(line)) };
}

type Sides = readonly [Idl, Idl];
type Words = readonly string[];

/** A line's pattern -> where the comparison would tell of it. */
const LINES: readonly (readonly [RegExp, (words: Words, sides: Sides) => readonly string[]])[] = [
  [
    /^Namespace (\S+) changed/,
    (_, sides) => [...sides[0].namespaces.keys()].map((language) => `namespace ${language}`),
  ],
  [/for Id = (-?\d+) in (\w+)/, ([id, owner], sides) => fieldPaths(Number(id), owner!, sides)],
  [
    /^Struct field is added in the middle with Id = (-?\d+) in (\w+)/,
    ([id, owner], sides) => fieldPaths(Number(id), owner!, sides),
  ],
  [/^Enum value (-?\d+) missing in (\w+)/, ([value, name], sides) => memberPaths(Number(value), name!, sides[0])],
  [
    /^Name of the value (-?\d+) changed in enum (\w+)/,
    ([value, name], sides) => memberPaths(Number(value), name!, sides[0]),
  ],
  [/for function (\w+)/, ([method], sides) => methodPaths(method!, sides[0])],
  [/inheritance for (\w+)/, ([service]) => [service!]],
  [/missing a service (\w+)/, ([service]) => [service!]],
  [/function (\w+)/, ([method], sides) => methodPaths(method!, sides[0])],
  [/^Struct (\w+) not found/, ([name]) => [name!]],
  [/^Constants? (?:Missing )?(\w+)/, ([name]) => [name!]],
];

function pathsOf(line: string, sides: Sides): readonly string[] {
  for (const [pattern, paths] of LINES) {
    const match = pattern.exec(line);
    if (match !== null) return paths(match.slice(1), sides);
  }
  throw new Error(`thrift --audit says something new: ${line}`);
}

/** Of a struct, or of a method's arguments or exceptions: the compiler makes structs of both. */
function fieldPaths(id: number, owner: string, sides: Sides): readonly string[] {
  const [, method, list] = /^(\w+)_(args|exception)$/.exec(owner) ?? [];
  return sides.flatMap((idl) => {
    const lists: (readonly [string, readonly IdlField[]])[] = [...idl.structs.values()]
      .filter(({ name }) => name === owner)
      .map(({ name, fields }) => [name, fields]);
    for (const service of idl.services.values())
      for (const each of service.methods) {
        if (each.name !== method) continue;
        lists.push([`${service.name}.${each.name}`, list === 'args' ? each.arguments : each.throws]);
      }
    return lists.flatMap(([path, fields]) =>
      // A field whose type is another may be one whose type is only called otherwise: that is told of the type.
      fields.filter((field) => field.id === id).flatMap(({ name, type }) => [`${path}.${name}`, ...namesIn(type)]),
    );
  });
}

const memberPaths = (value: number, name: string, { enums }: Idl): readonly string[] =>
  (enums.get(name)?.members ?? []).filter((member) => member.value === value).map((member) => `${name}.${member.name}`);

const methodPaths = (method: string, { services }: Idl): readonly string[] =>
  [...services.values()].map((service) => `${service.name}.${method}`);
