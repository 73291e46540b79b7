/** Two structs, unions or exceptions of the same place: fields, ids, types, and what the contract says of them. */
import { compareInputs } from './compare-inputs.js';
import { compareOutputs } from './compare-outputs.js';
import { compareTypes } from './compare-types.js';
import type { Comparison, Pair, Way } from './comparison.js';
import type { IdlField, IdlStruct } from './idl.js';
import { typeText } from './idl.js';
import { matchFields } from './match-fields.js';

/** A struct's pair, and how methods reach it. */
interface Place {
  readonly before: IdlStruct;
  readonly after: IdlStruct;
  readonly ways: ReadonlySet<Way>;
}

export function compareStructs(comparison: Comparison, pair: Pair): void {
  const before = comparison.before.idl.structs.get(pair[0]);
  const after = comparison.after.idl.structs.get(pair[1]);
  if (before === undefined || after === undefined) return;
  const place = { before, after, ways: comparison.ways(pair) };
  if (comparison.isRenaming(pair)) {
    comparison.report('type-renamed', before.name, `is called ${after.name} now`, after.position, place.ways);
  }
  if (before.kind !== after.kind) {
    const message = `was a ${before.kind}, is a ${after.kind}`;
    comparison.report('struct-kind-changed', before.name, message, after.position, place.ways);
  }
  const { pairs, removed, added } = matchFields(before.fields, after.fields);
  for (const field of removed) fieldRemoved(comparison, place, field);
  for (const [old, field] of pairs) compareFields(comparison, place, old, field);
  for (const field of added) fieldAdded(comparison, place, field);
}

function fieldRemoved(comparison: Comparison, { before, ways }: Place, field: IdlField): void {
  const kind = isAnswer(ways) ? 'answer-field-removed' : 'field-removed';
  const message = `${field.id}: ${typeText(field.type)} ${field.name} is gone`;
  comparison.report(kind, `${before.name}.${field.name}`, message, field.position, ways);
}

function fieldAdded(comparison: Comparison, place: Place, field: IdlField): void {
  const { before, ways } = place;
  const message = `${field.id}: ${typeText(field.type)} ${field.name} is new`;
  const [kind, detail] = addedKind(comparison, place, field);
  comparison.report(kind, `${before.name}.${field.name}`, message + detail, field.position, ways);
}

function addedKind(comparison: Comparison, { after, ways }: Place, field: IdlField) {
  if (after.kind === 'union') {
    return ways.has('answered') ? (['answer-union-member-added', ''] as const) : (['union-member-added', ''] as const);
  }
  if (!comparison.ofContracts) {
    if (field.requiredness === 'required') return ['required-field-added', ' and required'] as const;
    return [isAnswer(ways) ? 'answer-field-added' : 'field-added', ''] as const;
  }
  const output = comparison.after.output(field);
  if (output !== undefined) {
    const kind = output.role === 'provenance' ? 'answer-field-added' : 'answer-added';
    return [kind, `, with role ${output.role}`] as const;
  }
  const inputs = comparison.after.inputsUnder(field);
  const union = comparison.after.union(field);
  const mustBeThere =
    union?.missing ?? (inputs.some(({ missing }) => missing.kind === 'refused') ? 'refused' : 'allowed');
  if (mustBeThere === 'refused' && inputs.length > 0) {
    return ['field-added-refused', ' and may not be missing'] as const;
  }
  if (inputs.length > 0 && inputs.every((input) => input.role !== 'feature')) {
    return ['field-added-unfed', `, with role ${inputs[0]!.role}`] as const;
  }
  return [isAnswer(ways) ? 'answer-field-added' : 'field-added', ' and may be missing'] as const;
}

function compareFields(comparison: Comparison, place: Place, old: IdlField, field: IdlField): void {
  const { ways } = place;
  const path = `${place.before.name}.${old.name}`;
  const report = (kind: Parameters<Comparison['report']>[0], message: string) =>
    comparison.report(kind, path, message, field.position, ways);
  if (old.id !== field.id) report('id-changed', `had the id ${old.id}, has ${field.id}`);
  if (old.name !== field.name) {
    report(
      isAnswer(ways) ? 'answer-field-renamed' : 'field-renamed',
      `the field ${old.id} is called ${field.name} now`,
    );
  }
  const inputs = [comparison.before.input(old), comparison.after.input(field)] as const;
  const outputs = [comparison.before.output(old), comparison.after.output(field)] as const;
  const isRead = [...inputs, ...outputs].some((meaning) => meaning !== undefined);
  compareTypes(comparison, old.type, field.type, { path, position: field.position, kind: 'type-changed', isRead });
  if (place.after.kind !== 'union') compareRequiredness(comparison, place, path, old, field);
  if (inputs[0] !== undefined && inputs[1] !== undefined) {
    compareInputs(comparison, path, inputs[0], inputs[1]);
  } else if (old.defaultValue !== field.defaultValue) {
    const isAlwaysSent = old.requiredness === 'required' && field.requiredness === 'required';
    const kind = isAlwaysSent ? 'initial-value-changed' : 'default-changed';
    report(kind, `the default was ${old.defaultValue ?? 'none'}, is ${field.defaultValue ?? 'none'}`);
  }
  if (outputs[0] !== undefined && outputs[1] !== undefined) compareOutputs(comparison, path, outputs[0], outputs[1]);
}

/** A contract's server goes by `missing`, and fills all that it answers; other readers go by the word. */
function compareRequiredness(
  comparison: Comparison,
  { ways }: Place,
  path: string,
  old: IdlField,
  field: IdlField,
): void {
  if (old.requiredness === field.requiredness) return;
  const message = `was ${word(old)}, is ${word(field)}`;
  const refuses = !comparison.ofContracts && [old.requiredness, field.requiredness].includes('required');
  const kind = !refuses
    ? 'requiredness-changed'
    : field.requiredness === 'required'
      ? 'became-required'
      : 'became-optional';
  comparison.report(kind, path, message, field.position, ways);
}

const word = ({ requiredness }: IdlField) =>
  requiredness === 'default' ? 'neither required nor optional' : requiredness;

/** Answered and never sent. */
const isAnswer = (ways: ReadonlySet<Way>) => ways.has('answered') && !ways.has('sent');
