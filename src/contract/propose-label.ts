/** The label's column as the response: an enum of classes, free classes, or a value to estimate. */
import { Names, snakeCase } from './identifiers.js';
import { type ColumnProfile, isPrintable, quote } from './propose-field.js';

export interface ProposedLabel {
  readonly task: 'classification' | 'regression';
  /** The response's field that the label's column becomes. */
  readonly field: string;
  /** With an empty line behind, or nothing. */
  readonly enumLines: readonly string[];
  readonly responseLines: readonly string[];
  readonly acceptLines: readonly string[];
}

const MOST_INTEGER_CLASSES = 20;
const MOST_CLASSES = 200;

/** What data call the class that a question is about. */
const POSITIVE = new Set(['1', 'true', 't', 'yes', 'y', 'positive', 'pos']);

const PROVENANCE = ' 15: optional parley.Provenance provenance';
const LATENCY = '  accept.latency_p99_ms = "<= 5",';

/** @param enumName for the enum of classes */
export function proposeLabel(column: ColumnProfile, enumName: string): ProposedLabel {
  const names = new Names();
  for (const taken of ['confidence', 'probability', 'provenance']) names.take(taken);
  const field = names.take(snakeCase(column.name, 'label'));
  const many = column.kind === 'integer' && column.distinct > MOST_INTEGER_CLASSES;
  if (column.kind === 'number' || many) return regression(field);
  const classes = classesOf(column);
  return classes === undefined ? freeClassification(field) : enumClassification(field, enumName, classes);
}

function regression(field: string): ProposedLabel {
  return {
    task: 'regression',
    field,
    enumLines: [],
    responseLines: [`  1: optional double ${field} (role = "value")`, PROVENANCE],
    acceptLines: [
      '  accept.r2 = ">= 0.5",                // share of the variance explained, on the fixtures',
      LATENCY,
      '  accept.baseline = "mean"             // and it must beat always answering the mean',
    ],
  };
}

const CLASSIFICATION_BOUNDS = [
  '  accept.precision = ">= 0.7",         // on the fixtures',
  '  accept.recall = ">= 0.7",',
  LATENCY,
  '  accept.baseline = "majority"         // and it must beat always answering the commonest class',
];

function freeClassification(field: string): ProposedLabel {
  return {
    task: 'classification',
    field,
    enumLines: [],
    responseLines: [
      `  1: optional string ${field} (role = "label")   // any class; an enum would name them`,
      '  2: optional double confidence (role = "confidence")',
      '  3: optional map<string, double> probability (role = "probability")',
      PROVENANCE,
    ],
    acceptLines: CLASSIFICATION_BOUNDS,
  };
}

function enumClassification(field: string, enumName: string, classes: readonly string[]): ProposedLabel {
  const names = new Names();
  names.take('UNSPECIFIED');
  const positive = classes.length === 2 ? classes.filter((name) => POSITIVE.has(name.toLowerCase())) : [];
  const members = classes.map((label, index) => {
    const name = names.take(snakeCase(label, snakeCase(field, 'class')).toUpperCase());
    const mark = positive.length === 1 && positive[0] === label ? ', positive = "true"' : '';
    return { declaration: `  ${name} = ${index + 1}`, annotation: `(label = ${quote(label)}${mark})` };
  });
  const width = Math.max(...members.map((member) => member.declaration.length));
  const lines = members.map(({ declaration, annotation }) => `${declaration.padEnd(width)}  ${annotation}`);
  const declarations = [`  1: optional ${enumName} ${field}`, '  2: optional double confidence'];
  const map = `  3: optional map<${enumName}, double> probability`;
  const column = Math.max(map.length, ...declarations.map((line) => line.length));
  return {
    task: 'classification',
    field,
    enumLines: [`enum ${enumName} {`, '  UNSPECIFIED = 0', ...lines, '}', ''],
    responseLines: [
      `${declarations[0]!.padEnd(column)}  (role = "label")`,
      `${declarations[1]!.padEnd(column)}  (role = "confidence")`,
      `${map.padEnd(column)}  (role = "probability")`,
      PROVENANCE,
    ],
    acceptLines: CLASSIFICATION_BOUNDS,
  };
}

/** Undefined when an enum cannot hold them: too many, fewer than two, or not known. */
function classesOf(column: ColumnProfile): readonly string[] | undefined {
  const values = column.values ?? (column.kind === 'boolean' ? ['false', 'true'] : integersOf(column));
  const classes = [...new Set(values)].filter((value) => value.trim() !== '');
  if (classes.length < 2 || classes.length > MOST_CLASSES || !classes.every(isPrintable)) return undefined;
  return column.kind === 'integer' ? classes.sort((a, b) => Number(a) - Number(b)) : classes.sort(byCodeUnits);
}

/** Without a list of the values: all between the smallest and the largest, when their number says so. */
function integersOf({ kind, min, max, distinct }: ColumnProfile): readonly string[] {
  if (kind !== 'integer' || min === undefined || max === undefined || max - min + 1 !== distinct) return [];
  return Array.from({ length: distinct }, (_, index) => String(min + index));
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
