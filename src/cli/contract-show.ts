/** `parley contract show`: a contract as a page, in the terminal or as HTML. */
import type { Command } from 'commander';
import { type Page, pageOf } from '../contract/page.js';
import { pageHtml } from '../contract/page-html.js';
import { invalidInput } from '../errors.js';
import { type CliContext, registryOptions, type StoreOptions } from './context.js';
import { openFileOrModel, orUnreadable, writeText } from './contract-source.js';
import type { Output } from './output.js';

interface Options extends StoreOptions {
  readonly html?: string;
}

export function contractShow(command: Command, context: CliContext): void {
  registryOptions(command.command('show'))
    .summary('show a contract as a page')
    .description(
      'Shows what goes in, what comes out and how good it must be, with an example request for each language. Exit code 2: it cannot be read.',
    )
    .argument(
      '<file or model>',
      "a Thrift file, a project's folder written as a path (penguins/), or a model for the contract that is in force",
    )
    .option('--html <file>', 'write one HTML page, which loads nothing, in place of printing')
    .addHelpText(
      'after',
      '\nExamples:\n  parley contract show examples/penguins/penguins.thrift\n  parley contract show penguins --html penguins.html',
    )
    .action((place: string, options: Options) =>
      orUnreadable(context, options.json, async () => {
        const { contract } = await openFileOrModel(context, place, options);
        if (contract === undefined) throw invalidInput(`${place} is no contract: no service in it names a model`);
        const page = pageOf(contract);
        if (options.html !== undefined) {
          writeText(options.html, pageHtml(page));
          context.output.note(`written to ${options.html}`);
        } else if (options.json) context.output.json(page);
        else print(context.output, page);
      }),
    );
}

function print(output: Output, { title, facts, sections }: Page): void {
  output.line(title);
  for (const [name, value] of facts) output.line(`  ${name.padEnd(12)} ${value}`);
  for (const { title: heading, note, table, examples = [] } of sections) {
    output.line();
    output.line(heading);
    if (note !== undefined) output.line(note);
    if (table !== undefined) output.table(table.header, table.rows);
    for (const { language, code } of examples) {
      output.line();
      output.line(`${language}:`);
      for (const line of code.split('\n')) output.line(line === '' ? '' : `    ${line}`);
    }
  }
}
