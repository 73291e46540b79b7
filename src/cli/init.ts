/** `parley init`: a project made of a CSV file: a proposed contract, its fixtures, and what to do next. */
import { relative, resolve } from 'node:path';
import { styleText } from 'node:util';
import type { Command } from 'commander';
import { invalidInput } from '../errors.js';
import { MODEL_NAME_PATTERN } from '../model/version.js';
import type { CliContext, CommandDefinition } from './context.js';
import { refuseTaken, type WrittenProject, writeProject } from './init-project.js';
import { type Proposal, type ProposedColumn, propose } from './init-proposal.js';
import { nextCommands } from './init-readme.js';
import { figure, type Output } from './output.js';

interface Options {
  readonly csv?: string;
  readonly label?: string;
  readonly folder?: string;
  readonly json?: boolean;
}

/** The generic services' file, which every contract includes. */
const RESERVED_NAME = 'parley';
const WIDEST_RANGE = 48;

export const init: CommandDefinition = (program, context) => {
  const command: Command = program.command('init');
  command
    .summary('make a project of a CSV file')
    .description(
      'Makes a project of a CSV file: reads it once, proposes a contract with the types, bounds and vocabularies that it finds, sets some rows aside as fixtures, and says what to do next. The file stays where it is.',
    )
    .argument('<name>', "the model's name, and the folder's")
    .option('--csv <file>', 'a CSV file with a header line; commas, semicolons, tabs or bars between its values')
    .option('--label <column>', 'the column to predict')
    .option('--folder <folder>', 'where the project goes; ./NAME when absent')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  parley init iris --csv iris.csv --label species\n  parley init prices --csv data/houses.csv --label price --folder models/prices',
    )
    .action(async (name: string, { csv, label, folder = name, json }: Options) => {
      checkName(name);
      if (csv === undefined)
        command.error(
          `error: which data? Name a CSV file with a header line: parley init ${name} --csv FILE --label COLUMN`,
          { exitCode: 2 },
        );
      refuseTaken(resolve(folder));
      if (context.output.isTerminal) context.output.note(`reading ${csv}`);
      const proposal = await propose(name, csv, label);
      context.signal.throwIfAborted();
      const shownFolder = shown(folder);
      const written = await writeProject(proposal, folder, shownFolder, context.signal);
      if (json) context.output.json(jsonOf(proposal, written, shownFolder));
      else print(context, proposal, written, shownFolder);
    });
};

function checkName(name: string): void {
  if (!MODEL_NAME_PATTERN.test(name))
    throw invalidInput(
      `"${name.slice(0, 64)}" cannot be a model's name: letters, digits, "_", "." and "-", beginning with a letter or digit, at most 128`,
    );
  if (name.toLowerCase() === RESERVED_NAME)
    throw invalidInput(
      `a model cannot be called "${name}": ${RESERVED_NAME}.thrift is the file of the generic services; choose another name`,
    );
}

/** Relative to where the user is, when it is below. */
function shown(folder: string): string {
  const path = relative(process.cwd(), resolve(folder));
  return path === '' || path.startsWith('..') ? resolve(folder) : path;
}

function print({ output }: CliContext, proposal: Proposal, written: WrittenProject, shownFolder: string): void {
  const { label, task, rows, labelledRows } = proposal;
  const unlabelled = rows === labelledRows ? '' : `, ${rows - labelledRows} of them without a label and left out`;
  output.line(`${heading(output, shownFolder)}: a ${task} of "${label.column}" from ${rows} rows${unlabelled}`);
  if (label.classes !== undefined) output.line(`classes: ${shortened(label.classes.join(', '), 100)}`);
  output.line(
    `${written.trainingRows} rows to learn from, ${written.heldOutRows} held out to test, ${written.fixtures} fixtures`,
  );
  output.line();
  printFields(output, proposal.columns);
  output.line();
  output.line('written:');
  for (const file of written.files) output.line(`  ${shownFolder}/${file}`);
  output.line();
  output.line(`Read ${proposal.name}.thrift: bounds and acceptance are proposals. Then:`);
  for (const command of nextCommands(proposal.name, { ...written, shownFolder })) output.line(`  ${command}`);
}

/** The columns' own names only where one differs. */
function printFields(output: Output, columns: readonly ProposedColumn[]): void {
  const isRenamed = columns.some(({ column, field }) => column !== field.name);
  output.table(
    ['field', ...(isRenamed ? ['column'] : []), 'type', 'range or values', 'missing'],
    columns.map((proposed) => {
      const { column, field, missing } = proposed;
      return [field.name, ...(isRenamed ? [column] : []), field.type, rangeOf(proposed), missing];
    }),
  );
}

const heading = (output: Output, text: string) => (output.isTerminal ? styleText('bold', text) : text);

function rangeOf({ field, distinct }: ProposedColumn): string {
  if (field.role === 'id') return "the row's id, not fed to the model";
  if (field.role === 'ignored') return 'ignored';
  if (field.values !== undefined) return shortened(field.values.join(', '), WIDEST_RANGE);
  if (field.type === 'bool') return 'false, true';
  if (field.type === 'string') return `${distinct} different texts`;
  return field.min === undefined || field.max === undefined
    ? 'any number'
    : `${figure(field.min)} to ${figure(field.max)}`;
}

const shortened = (text: string, length: number) => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

function jsonOf(proposal: Proposal, written: WrittenProject, shownFolder: string): unknown {
  const { name, task, label, rows, labelledRows, columns } = proposal;
  return {
    model: name,
    folder: written.folder,
    files: written.files,
    task,
    label,
    rows: {
      file: rows,
      labelled: labelledRows,
      train: written.trainingRows,
      test: written.heldOutRows,
      fixtures: written.fixtures,
    },
    fields: columns.map(({ column, missing, distinct, field }) => {
      const { name: fieldName, type, role, min, max, values } = field;
      return { name: fieldName, column, type, role, min, max, values, missing, distinct };
    }),
    next: nextCommands(name, { ...written, shownFolder }),
  };
}
