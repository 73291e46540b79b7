/** A slice of the fixtures, read: conditions on the request's fields that a row can meet. */
import type { BoundText, Placed } from './bound-text.js';
import { problemOf } from './check.js';
import type { InputField, RequestStruct, SliceTerm } from './contract.js';
import { didYouMean } from './nearest.js';
import { parseNumber } from './read-annotations.js';

/** @param report is given what is wrong with a part of the text */
export function readSlice(
  terms: NonNullable<BoundText['slice']>,
  request: RequestStruct,
  report: (part: Placed, message: string) => void,
): readonly SliceTerm[] {
  terms.forEach(({ field }, index) => {
    if (terms.findIndex((other) => other.field.text === field.text) < index)
      report(field, `the slice names ${field.text} twice; keep one`);
  });
  for (const { field, value } of terms) checkTerm(field, value, request, report);
  return terms.map(({ field, value }) => ({ field: field.text, value: value.text }));
}

function checkTerm(
  name: Placed,
  value: Placed,
  request: RequestStruct,
  report: (part: Placed, message: string) => void,
): void {
  const field = request.fields.find((candidate) => candidate.name === name.text);
  if (field === undefined) {
    const names = request.fields.filter(({ tensor }) => tensor === undefined).map((candidate) => candidate.name);
    const near = didYouMean(name.text, names);
    report(name, `${request.name} has no field ${name.text}${near}; a slice is of ${names.join(', ')}`);
  } else if (field.tensor !== undefined) {
    report(name, `${field.name} holds many values, so no slice can be of it`);
  } else {
    const problem = wrongValue(field, value.text);
    if (problem !== undefined) report(value, `${field.name} ${problem}, so "${value.text}" is no row's`);
  }
}

function wrongValue(field: InputField, text: string): string | undefined {
  const value = sliceValue(field, text);
  if (value === undefined) return field.type === 'bool' ? 'must be true or false' : 'must be a number';
  return problemOf(field, value, '')?.message;
}

/**
 * What the field's column holds in the slice's rows: a number (NaN: missing), or a string ('': missing).
 *
 * @returns undefined where the text is no value of the field's kind
 */
export function sliceValue(field: InputField, text: string): number | string | undefined {
  if (field.type === 'string' || field.type === 'enum') return text;
  if (text === '') return Number.NaN;
  if (field.type === 'bool') return text === 'true' || text === 'false' ? Number(text === 'true') : undefined;
  return parseNumber(text);
}
