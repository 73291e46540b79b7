/** Two enums of the same place: numbers, names, and the labels that data know their values by. */
import type { Comparison, Pair, Way } from './comparison.js';
import type { IdlEnum, IdlMember } from './idl.js';

type Report = (kind: Parameters<Comparison['report']>[0], member: IdlMember, message: string, at?: IdlMember) => void;

export function compareEnums(comparison: Comparison, pair: Pair): void {
  const before = comparison.before.idl.enums.get(pair[0]);
  const after = comparison.after.idl.enums.get(pair[1]);
  if (before === undefined || after === undefined) return;
  const ways = comparison.ways(pair);
  if (comparison.isRenaming(pair)) {
    comparison.report('type-renamed', before.name, `is called ${after.name} now`, after.position, ways);
  }
  const report: Report = (kind, member, message, at = member) =>
    comparison.report(kind, `${before.name}.${member.name}`, message, at.position, ways);
  const taken = compareMembers(comparison, before, after, report);
  for (const member of after.members) if (!taken.has(member)) memberAdded(comparison, member, ways, report);
  if (comparison.ofContracts) comparePositive(comparison, before, after, ways);
}

/** @returns the new enum's members that have an old one */
function compareMembers(comparison: Comparison, before: IdlEnum, after: IdlEnum, report: Report): Set<IdlMember> {
  const taken = new Set<IdlMember>();
  for (const old of before.members) {
    const member = twinOf(comparison, before, after, old);
    if (member === undefined) {
      const isZero = comparison.ofContracts && old.value === 0;
      report(isZero ? 'enum-zero-removed' : 'enum-value-removed', old, `${old.name} = ${old.value} is gone`);
      continue;
    }
    taken.add(member);
    if (member.value !== old.value) {
      report('enum-value-renumbered', old, `was ${old.value}, is ${member.value}`, member);
    }
    if (member.name !== old.name)
      report('enum-value-renamed', old, `${old.value} is called ${member.name} now`, member);
    if (comparison.ofContracts && old.value !== 0) compareLabels(before, after, old, member, report);
  }
  return taken;
}

/**
 * By name; or by number, where the name is gone and the number's new name was not there. In a contract another name and
 * another label at once are another value: nothing says that they are the same.
 */
function twinOf(comparison: Comparison, before: IdlEnum, after: IdlEnum, old: IdlMember): IdlMember | undefined {
  const sameName = after.members.find((member) => member.name === old.name);
  if (sameName !== undefined) return sameName;
  const isNew = (member: IdlMember) => !before.members.some(({ name }) => name === member.name);
  const sameValue = after.members.find((member) => member.value === old.value && isNew(member));
  const isSame = !comparison.ofContracts || old.value === 0 || sameValue?.label === old.label;
  return isSame ? sameValue : undefined;
}

function memberAdded(comparison: Comparison, member: IdlMember, ways: ReadonlySet<Way>, report: Report): void {
  const message = `${member.name} = ${member.value} is new`;
  if (comparison.ofContracts && member.value === 0) report('enum-zero-added', member, message);
  else report(ways.has('answered') ? 'answer-enum-value-added' : 'enum-value-added', member, message);
}

function compareLabels(before: IdlEnum, after: IdlEnum, old: IdlMember, member: IdlMember, report: Report): void {
  if (old.label === member.label) return;
  const now = after.members.find(({ label }) => label === old.label);
  const once = before.members.find(({ label }) => label === member.label);
  const moved = member.value === old.value && (now ?? once) !== undefined;
  const where = now === undefined ? '' : `; "${old.label}" is ${now.value} now`;
  report(moved ? 'label-moved' : 'label-renamed', old, `was "${old.label}", is "${member.label}"${where}`, member);
}

function comparePositive(comparison: Comparison, before: IdlEnum, after: IdlEnum, ways: ReadonlySet<Way>): void {
  const old = before.members.find((member) => member.positive);
  const now = after.members.find((member) => member.positive);
  if (old?.label === now?.label || old?.name === now?.name) return;
  const message = `the positive value was ${old?.name ?? 'none'}, is ${now?.name ?? 'none'}`;
  comparison.report('positive-moved', before.name, message, (now ?? after).position, ways);
}
