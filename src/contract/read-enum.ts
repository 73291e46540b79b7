/** An enum's declaration, read: members with values and labels. */
import type { EnumDefinition, EnumMember as EnumMemberSyntax } from '@creditkarma/thrift-parser';
import type { ContractEnum, EnumMember } from './contract.js';
import type { Problems } from './problems.js';
import { AnnotationSet, refuseAnnotations } from './read-annotations.js';
import { checkName } from './scope.js';
import type { SourceText } from './syntax.js';

const MAX_I32 = 2 ** 31 - 1;

/** What a member with value 0 may be called, so that nobody takes it for a choice. */
const NO_CHOICE = /(?:^|_)(?:UNSPECIFIED|UNKNOWN|UNSET|INVALID)$/i;

/** Members are in order of value, so that the order of declaration means nothing. */
export function readEnum(source: SourceText, declaration: EnumDefinition, problems: Problems): ContractEnum {
  refuseAnnotations(source, declaration.annotations, 'an enum', problems);
  const members: EnumMember[] = [];
  let next = 0;
  for (const syntax of declaration.members) {
    const value = syntax.initializer === null ? next : Number(syntax.initializer.value.value);
    next = value + 1;
    const member = readMember(source, syntax, value, problems);
    if (isDistinct(source, declaration.name.value, members, member, syntax, problems)) members.push(member);
  }
  if (members.filter((member) => member.positive).length > 1) {
    problems.add(source.at(declaration.name.loc), `${declaration.name.value} has more than one positive member`);
  }
  return { name: declaration.name.value, members: members.sort((a, b) => a.value - b.value) };
}

function readMember(source: SourceText, syntax: EnumMemberSyntax, value: number, problems: Problems): EnumMember {
  const name = syntax.name.value;
  const position = source.at(syntax.name.loc);
  checkName(source, syntax.name, problems);
  const annotations = new AnnotationSet(source, syntax.annotations, 'enum member', problems);
  if (value < 0 || value > MAX_I32) problems.add(position, `${name} = ${value} must be between 0 and ${MAX_I32}`);
  if (value === 0 && (!NO_CHOICE.test(name) || annotations.get('label') || annotations.get('positive'))) {
    const message = `value 0 is never a valid choice; give ${name} another number and declare UNSPECIFIED = 0`;
    problems.add(position, message);
  }
  const label = annotations.text('label') ?? name;
  return { name, value, label: value === 0 ? '' : label, positive: annotations.flag('positive') };
}

function isDistinct(
  source: SourceText,
  enumName: string,
  members: readonly EnumMember[],
  member: EnumMember,
  syntax: EnumMemberSyntax,
  problems: Problems,
): boolean {
  for (const [what, key] of [
    ['name', 'name'],
    ['value', 'value'],
    ['label', 'label'],
  ] as const) {
    const twin = members.find((other) => other[key] === member[key]);
    if (twin === undefined) continue;
    const found = key === 'name' ? member.name : `${member.name} and ${twin.name}`;
    problems.add(source.at(syntax.name.loc), `${enumName} has the ${what} ${member[key]} twice (${found})`);
    return false;
  }
  return true;
}
