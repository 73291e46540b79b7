/**
 * What is different between two contracts, or between two Thrift files that are none.
 *
 * Structs, enums and services are compared as their stubs see them; on top of that, where both are contracts, what they
 * say of values, labels and acceptance. Each kind of difference, and whom it breaks, stands in change-rules.ts.
 */
import type { ContractChange } from './change.js';
import type { ChangeKind } from './change-rules.js';
import { compareEnums } from './compare-enums.js';
import { compareUnions } from './compare-inputs.js';
import { compareServices } from './compare-services.js';
import { compareStructs } from './compare-structs.js';
import { Comparison, Side } from './comparison.js';
import type { Contract } from './contract.js';
import type { Idl, IdlAlias } from './idl.js';
import { readIdl } from './read-idl.js';

/** @returns every difference; none where nothing differs but comments, spacing and the order of declarations */
export function compareContracts(before: Contract, after: Contract): readonly ContractChange[] {
  return compareSides(new Side(readIdl(before), before), new Side(readIdl(after), after));
}

/** The same for any two files: no difference breaks a model there, or touches a verdict. */
export function compareIdl(before: Idl, after: Idl): readonly ContractChange[] {
  return compareSides(new Side(before), new Side(after));
}

function compareSides(before: Side, after: Side): readonly ContractChange[] {
  const comparison = new Comparison(before, after);
  for (const name of [...before.idl.structs.keys(), ...before.idl.enums.keys()]) {
    if (after.has(name)) comparison.pair(name, name);
  }
  compareServices(comparison);
  // Comparing structs finds more pairs, behind those that are there.
  for (const pair of comparison.pairs) {
    compareStructs(comparison, pair);
    compareEnums(comparison, pair);
  }
  compareRequestUnions(comparison);
  tellUnpaired(comparison);
  compareNames(comparison);
  return comparison.changes;
}

/** Unions as wholes, of methods that are on both sides. */
function compareRequestUnions(comparison: Comparison): void {
  const seen = new Set<string>();
  for (const service of comparison.before.contract?.services ?? [])
    for (const { name, request } of service.methods) {
      const same = comparison.after.contract?.services.find((other) => other.name === service.name);
      const method = same?.methods.find((other) => other.name === name);
      if (method === undefined || seen.has(request.name)) continue;
      seen.add(request.name);
      const at = { struct: request.name, position: method.position };
      compareUnions(comparison, request.unions ?? [], method.request.unions ?? [], at);
    }
}

/** Structs and enums that stand for none of the other side. */
function tellUnpaired(comparison: Comparison): void {
  const { before, after } = comparison;
  for (const [what, olds, news] of [
    ['struct', before.idl.structs, after.idl.structs],
    ['enum', before.idl.enums, after.idl.enums],
  ] as const) {
    for (const { name, position } of olds.values()) {
      if (!comparison.isPaired(name, 'before')) comparison.report(`${what}-removed`, name, `${name} is gone`, position);
    }
    for (const { name, position } of news.values()) {
      if (!comparison.isPaired(name, 'after')) comparison.report(`${what}-added`, name, `${name} is new`, position);
    }
  }
}

function compareNames(comparison: Comparison): void {
  const { before, after } = comparison;
  compareAliases(comparison, before.idl.namespaces, after.idl.namespaces, 'namespace ', {
    removed: 'namespace-changed',
    changed: 'namespace-changed',
  });
  compareAliases(comparison, before.idl.typedefs, after.idl.typedefs, '', {
    removed: 'typedef-removed',
    changed: 'typedef-changed',
  });
  compareAliases(comparison, before.idl.constants, after.idl.constants, '', {
    removed: 'constant-removed',
    changed: 'constant-changed',
  });
}

function compareAliases(
  comparison: Comparison,
  before: ReadonlyMap<string, IdlAlias>,
  after: ReadonlyMap<string, IdlAlias>,
  prefix: string,
  kinds: { readonly removed: ChangeKind; readonly changed: ChangeKind },
): void {
  for (const { name, text, position } of before.values()) {
    const now = after.get(name);
    if (now === undefined) comparison.report(kinds.removed, prefix + name, `was ${text}, is gone`, position);
    else if (now.text !== text)
      comparison.report(kinds.changed, prefix + name, `was ${text}, is ${now.text}`, now.position);
  }
}
