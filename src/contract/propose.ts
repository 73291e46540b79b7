/** A first contract for a table: what `parley init` writes and people then edit. */
import { invalidInput } from '../errors.js';
import { MODEL_NAME_PATTERN } from '../model/version.js';
import { Names, pascalCase, snakeCase } from './identifiers.js';
import { didYouMean } from './nearest.js';
import { type ColumnProfile, type ProposedField, proposeField } from './propose-field.js';
import { type ProposedLabel, proposeLabel } from './propose-label.js';

export type { ColumnProfile } from './propose-field.js';

export interface ProposedContract {
  /** Thrift text that parseContract takes. */
  readonly text: string;
  /** Column -> the name of its field; the label's column -> its field of the response. */
  readonly identifiers: ReadonlyMap<string, string>;
}

/**
 * @param input the model's name, the label's column, and all columns with it
 * @throws INVALID_INPUT when the label is no column, or the only one
 */
export function proposeContract(input: {
  readonly name: string;
  readonly label: string;
  readonly columns: readonly ColumnProfile[];
}): ProposedContract {
  const label = input.columns.find((column) => column.name === input.label);
  if (label === undefined) {
    const names = input.columns.map((column) => column.name);
    throw invalidInput(
      `there is no column "${input.label}" for the label${didYouMean(input.label, names)}; columns: ${names.join(', ')}`,
    );
  }
  const columns = input.columns.filter((column) => column !== label);
  if (columns.length === 0)
    throw invalidInput(`"${input.label}" is the only column; a model needs others to learn from`);
  const identifiers = new Map<string, string>();
  const types = typeNames(input.name, label);
  const proposed = proposeLabel(label, types.label);
  const fields = requestFields(columns, identifiers, proposed.field);
  identifiers.set(label.name, proposed.field);
  return { text: write(input.name, label, types, proposed, fields), identifiers };
}

interface TypeNames {
  readonly service: string;
  readonly request: string;
  readonly response: string;
  readonly label: string;
}

function typeNames(name: string, label: ColumnProfile): TypeNames {
  const names = new Names();
  const service = names.take(pascalCase(name, 'Model'));
  const request = names.take(singular(service) ?? `${service}Row`);
  const response = names.take('Answer');
  return { service, request, response, label: names.take(pascalCase(label.name, 'Label')) };
}

function singular(plural: string): string | undefined {
  const match = /^(.*[a-z])(?:(ies)|s)$/.exec(plural);
  if (match === null || /(?:ss|us|is|series|news)$/i.test(plural)) return undefined;
  return match[2] === undefined ? match[1] : `${match[1]}y`;
}

interface RequestLine {
  readonly declaration: string;
  readonly field: ProposedField;
  readonly comment: string;
}

/** @param labelField no field may be called so, because fixtures hold both side by side */
function requestFields(
  columns: readonly ColumnProfile[],
  identifiers: Map<string, string>,
  labelField: string,
): readonly RequestLine[] {
  const names = new Names();
  names.take(labelField);
  const proposed: ProposedField[] = [];
  for (const column of columns) proposed.push(proposeField(column, !proposed.some((field) => field.role === 'id')));
  // A model must be fed something: where every column looks useless, they are all left to the reader to judge.
  const useless = proposed.every((field) => field.role !== 'feature');
  return columns.map((column, index) => {
    const name = names.take(snakeCase(column.name, 'column'));
    identifiers.set(column.name, name);
    const field = useless ? { ...proposed[index]!, annotations: [], role: 'feature' as const } : proposed[index]!;
    const original = name === column.name ? '' : `column ${JSON.stringify(column.name)}`;
    const comment = [original, field.comment].filter((part) => part !== '').join('; ');
    const allowed = useless && column.missing > 0 ? ['missing = "allowed"'] : field.annotations;
    const id = String(index + 1).padStart(String(columns.length).length);
    const declaration = `  ${id}: optional ${field.type} ${name}`;
    return { declaration, field: { ...field, annotations: allowed }, comment };
  });
}

function write(
  name: string,
  label: ColumnProfile,
  types: TypeNames,
  answer: ProposedLabel,
  fields: readonly RequestLine[],
): string {
  const verb = answer.task === 'regression' ? 'estimate' : 'classify';
  const context = '2: parley.RequestContext context';
  const throws = '    throws (1: parley.ParleyError error)';
  return [
    `/** ${inComment(`${name}: what is "${label.name}"? Proposed from ${label.rows} rows; check every line.`)} */`,
    'include "parley.thrift"',
    '',
    `namespace js ${snakeCase(name, 'model')}`,
    `namespace py ${snakeCase(name, 'model')}`,
    '',
    ...answer.enumLines,
    `struct ${types.request} {`,
    ...table(fields),
    '}',
    '',
    `struct ${types.response} {`,
    ...answer.responseLines,
    '}',
    '',
    `service ${types.service} {`,
    `  ${types.response} ${verb}(1: ${types.request} row, ${context})`,
    throws,
    `  list<${types.response}> ${verb}_many(1: list<${types.request}> rows, ${context})`,
    throws,
    '} (',
    `  model = "${MODEL_NAME_PATTERN.test(name) ? name : snakeCase(name, 'model')}",`,
    ...answer.acceptLines,
    ')',
    '',
  ].join('\n');
}

/** Declarations, annotations and comments, each in a column of their own. */
function table(lines: readonly RequestLine[]): readonly string[] {
  const rows = lines.map(({ declaration, field, comment }) => {
    const annotations = field.annotations.length === 0 ? '' : `(${field.annotations.join(', ')})`;
    return { declaration, annotations, comment: comment === '' ? '' : `// ${inComment(comment)}` };
  });
  const widest = (texts: readonly string[]) => Math.min(60, Math.max(...texts.map((text) => text.length)));
  const first = widest(rows.map((row) => row.declaration));
  const second = widest(rows.map((row) => row.annotations));
  return rows.map(({ declaration, annotations, comment }) =>
    `${declaration.padEnd(first)} ${annotations.padEnd(second)} ${comment}`.trimEnd(),
  );
}

/** Text that cannot end the comment that it stands in. */
function inComment(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ')
    .replaceAll('*/', '* /')
    .replaceAll('/*', '/ *');
}
