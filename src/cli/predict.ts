/** `parley predict`: one row, or many, answered over Thrift like any caller's. */
import { invalidInput } from '../errors.js';
import type { PlainAnswer, PlainRow } from '../rpc/client/typed.js';
import {
  type CliContext,
  type CommandDefinition,
  type StoreOptions,
  serverOptions,
  unlessAborted,
  whereOption,
} from './context.js';
import { countOf } from './history.js';
import { figure, type Output, short } from './output.js';

interface Options extends StoreOptions {
  readonly timeout?: number;
}

export const predict: CommandDefinition = (program, context) => {
  serverOptions(
    program
      .command('predict')
      .addOption(whereOption('--server <host:port>', 'the server (PARLEY_SERVER; default 127.0.0.1:9090)')),
  )
    .summary('ask a running server')
    .description(
      "Asks a running server for a model's answer, over Thrift, through the typed service that its contract defines.",
    )
    .argument('<model>', 'the model')
    .argument(
      '<json>',
      'a row as a JSON object, several as an array or as JSON lines; "-" reads them from standard input',
    )
    .option('--timeout <ms>', 'milliseconds to wait for the answer', countOf)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `\nExamples:\n  parley predict penguins '{"bill_length_mm": 46.5, "bill_depth_mm": 17.9, "flipper_length_mm": 192, "body_mass_g": 3500, "island": "Dream", "sex": "FEMALE"}'\n  parley predict penguins - --json < rows.jsonl\n\nStructs and unions are objects, lists arrays, maps objects; binary is base64, or an array of numbers where it holds numbers.`,
    )
    .action(async (model: string, json: string, { timeout, ...options }: Options) => {
      const parsed = parseRows(json === '-' ? await readAll(context) : json);
      const call = { many: parsed.many, ...(timeout === undefined ? {} : { timeoutMs: timeout }) };
      const answers = await unlessAborted(context.signal, () => context.predict(options, model, parsed.rows, call));
      if (options.json) context.output.json(parsed.many ? answers : answers[0]);
      else for (const answer of answers) printAnswer(context.output, answer);
    });
};

function parseRows(text: string): { rows: readonly PlainRow[]; many: boolean } {
  const value = jsonOf(text);
  const rows = Array.isArray(value) ? value : [value];
  if (rows.length === 0) throw invalidInput('the array of rows is empty; give at least one');
  rows.forEach((row: unknown, index) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw invalidInput(
        `row ${index + 1} must be a JSON object of the contract's fields, got ${JSON.stringify(row).slice(0, 40)}`,
      );
  });
  return { rows: rows as PlainRow[], many: Array.isArray(value) };
}

/** A JSON value, or an array of those of JSON lines: one object a line. */
function jsonOf(text: string): unknown {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const areRows = lines.length > 1 && lines.every((line) => /^\s*\{.*\}\s*$/.test(line));
  return areRows ? lines.map((line, index) => parse(line, `line ${index + 1}`)) : parse(text, 'the row');
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidInput(`${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
}

async function readAll({ stdin }: CliContext): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8');
}

export function printAnswer(output: Output, answer: PlainAnswer): void {
  const width = Math.max(...Object.keys(answer).map((name) => name.length));
  for (const [name, value] of Object.entries(answer)) output.line(`${name.padEnd(width)}  ${valueText(name, value)}`);
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number') return figure(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return listText(value);
  const fields = value as Record<string, unknown>;
  if (name === 'provenance' || 'prediction_id' in fields) {
    const micros = Number(fields.queue_us ?? 0) + Number(fields.compute_us ?? 0);
    return `${String(fields.model)} ${short(String(fields.version))}${fields.alias_name === undefined ? '' : ` (${String(fields.alias_name)})`}, prediction ${String(fields.prediction_id)}, ${micros} µs${fields.cached === true ? ', kept' : ''}`;
  }
  return Object.entries(fields)
    .map(([key, inner]) => `${key} ${typeof inner === 'number' ? figure(inner) : String(inner)}`)
    .join(', ');
}

/** Of a long list only so many; `--json` has all. */
const MOST_LISTED = 12;

function listText(values: readonly unknown[]): string {
  const first = values.slice(0, MOST_LISTED).map((each) => (typeof each === 'number' ? figure(each) : String(each)));
  return `${first.join(', ')}${values.length > MOST_LISTED ? `, … (${values.length})` : ''}`;
}
