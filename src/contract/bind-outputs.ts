/** A graph's outputs and a response's fields: found by the names that trainers and exporters give them. */
import type { Problem } from '../errors.js';
import type { TensorSpec } from '../model/tensor.js';
import type { BindableVersion, OutputBinding } from './bind.js';
import { isShape } from './bind-picture.js';
import { isFloat, shapeText } from './bind-types.js';
import { type ContractEnum, ESTIMATES, type FieldType, type OutputField, type ResponseStruct } from './contract.js';
import { INTEGER_RANGES } from './value.js';

/** Parley's own names, then those of scikit-learn's exporter. */
export const OUTPUT_NAMES = {
  label: ['label', 'output_label'],
  probabilities: ['probabilities', 'output_probability'],
  value: ['value', 'variable'],
  interval_low: ['interval_low'],
  interval_high: ['interval_high'],
} as const;

interface Binder {
  readonly response: ResponseStruct;
  readonly modelType: string;
  readonly outputs: readonly TensorSpec[];
  readonly classes: readonly string[];
  readonly problems: Problem[];
}

/** What does not fit is added to `problems`. */
export function bindOutputs(
  response: ResponseStruct,
  version: BindableVersion,
  classes: readonly string[],
  problems: Problem[],
): readonly OutputBinding[] {
  const binder: Binder = {
    response,
    modelType: version.modelType,
    outputs: version.signature.outputs,
    classes,
    problems,
  };
  if (response.fields.some(({ role }) => role !== 'provenance' && !ESTIMATES.includes(role))) checkClasses(binder);
  return response.fields.map((field) => bindOutput(binder, field));
}

function bindOutput(binder: Binder, field: OutputField): OutputBinding {
  switch (field.role) {
    case 'provenance':
      return { field, output: undefined };
    case 'label':
      return { field, output: findLabel(binder, field), keys: keysOf(binder, field) };
    case 'probability':
      return { field, output: findProbabilities(binder, field), keys: keysOf(binder, field) };
    case 'confidence':
      return { field, output: findProbabilities(binder, field) };
    case 'probability_of_positive':
      return { field, output: findProbabilities(binder, field), column: positiveColumn(binder) };
    case 'value':
    case 'interval_low':
    case 'interval_high':
      return { field, output: findValue(binder, field, OUTPUT_NAMES[field.role]) };
  }
}

function find(binder: Binder, field: OutputField, names: readonly string[]): number | undefined {
  for (const name of names) {
    const index = binder.outputs.findIndex((output) => output.name === name);
    if (index >= 0) return index;
  }
  const found = binder.outputs.map((output) => output.name).join(', ');
  const role = names[0] === 'probabilities' ? 'probability' : names[0];
  const rename = found === '' ? '' : `; where only the name differs, publish it with --map-output ${role}=OUTPUT`;
  const message = `needs an output called ${names.join(' or ')}; this ${binder.modelType} gives ${found || 'none'}${rename}`;
  binder.problems.push({ path: `${binder.response.name}.${field.name}`, message });
  return undefined;
}

function report(binder: Binder, output: TensorSpec, expected: string): void {
  const got = `${output.dataType} ${shapeText(output.shape)}`;
  binder.problems.push({ path: `outputs.${output.name}`, message: `must be ${expected}; the graph has ${got}`, got });
}

function findLabel(binder: Binder, field: OutputField): number | undefined {
  const index = find(binder, field, OUTPUT_NAMES.label);
  if (index === undefined) return undefined;
  const output = binder.outputs[index]!;
  const typed = output.dataType === 'string' || output.dataType === 'int64';
  if (!typed || !isShape(output.shape, [-1])) report(binder, output, "string or int64 (a class's index) of shape (-1)");
  return index;
}

function findProbabilities(binder: Binder, field: OutputField): number | undefined {
  const index = find(binder, field, OUTPUT_NAMES.probabilities);
  if (index === undefined) return undefined;
  const output = binder.outputs[index]!;
  const count = binder.classes.length;
  const typed = isFloat(output.dataType);
  // Exporters often leave the number of classes open; the rehearsal finds it out.
  const shaped = isShape(output.shape, [-1, count]) || isShape(output.shape, [-1, -1]);
  if (!typed || !shaped) report(binder, output, `float32 or float64 of shape (-1, ${count}), a column for each class`);
  return index;
}

function findValue(binder: Binder, field: OutputField, names: readonly string[]): number | undefined {
  const index = find(binder, field, names);
  if (index === undefined) return undefined;
  const output = binder.outputs[index]!;
  const shapes = field.shape === undefined ? [[-1], [-1, 1]] : [[-1, ...field.shape]];
  if (!isFloat(output.dataType) || !shapes.some((shape) => isShape(output.shape, shape))) {
    report(binder, output, `float32 or float64 of shape ${shapes.map(shapeText).join(' or ')}`);
  }
  return index;
}

/** The enum that names the classes; undefined where labels are strings or numbers. */
function classEnum({ response }: Binder): ContractEnum | undefined {
  return response.fields.find((field) => field.enum !== undefined)?.enum;
}

function checkClasses(binder: Binder): void {
  const { classes, problems, response } = binder;
  const add = (message: string) => problems.push({ path: 'metadata.classes', message });
  if (classes.length < 2) {
    add(`${response.name} answers with a class, so the ${binder.modelType} must name its classes, two or more`);
    return;
  }
  const repeated = classes.find((name, index) => classes.indexOf(name) < index);
  if (repeated !== undefined) add(`names "${repeated}" twice`);
  const choices = classEnum(binder);
  if (choices === undefined) checkIntegerLabels(binder);
  else checkEnumLabels(choices, classes, add);
}

function checkEnumLabels(choices: ContractEnum, classes: readonly string[], add: (message: string) => void): void {
  const labels = choices.members.filter((member) => member.value !== 0).map((member) => member.label);
  const missing = labels.filter((label) => !classes.includes(label));
  const extra = classes.filter((name) => !labels.includes(name));
  if (missing.length > 0) add(`lacks ${quoted(missing)} of the contract's ${choices.name}`);
  if (extra.length > 0) add(`has ${quoted(extra)}, which the contract's ${choices.name} has not`);
}

function checkIntegerLabels({ classes, problems, response }: Binder): void {
  const label = response.fields.find((field) => field.role === 'label');
  if (label === undefined || label.type === 'string') return;
  const odd = classes.filter((name) => !Number.isInteger(Number(name)) || name.trim() === '');
  const [low, high] = INTEGER_RANGES[label.type as FieldType] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const tooLarge = classes.filter((name) => Number(name) < low || Number(name) > high);
  if (odd.length === 0 && tooLarge.length > 0) {
    const fit = `must fit into ${label.type}, because ${response.name}.${label.name} is one; found ${quoted(tooLarge)}`;
    problems.push({ path: 'metadata.classes', message: fit });
  }
  if (odd.length === 0) return;
  const message = `must be whole numbers, because ${response.name}.${label.name} is an ${label.type}; found ${quoted(odd)}`;
  problems.push({ path: 'metadata.classes', message });
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function keysOf({ classes }: Binder, field: OutputField): NonNullable<OutputBinding['keys']> {
  const members = new Map(field.enum?.members.map((member) => [member.label, member.value]));
  const isText = field.type === 'string' || field.type === 'map';
  return classes.map((name, column) => {
    if (field.enum !== undefined) return { key: members.get(name) ?? 0, column };
    return { key: isText ? name : Number(name), column };
  });
}

function positiveColumn(binder: Binder): number {
  const positive = classEnum(binder)?.members.find((member) => member.positive);
  return positive === undefined ? -1 : binder.classes.indexOf(positive.label);
}
