/** `parley token`: makes, lists and revokes the tokens that callers show to servers. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { tokensFileOf } from '../config.js';
import { invalidInput, ParleyError } from '../errors.js';
import { parseRoles, ROLES, type Role } from '../security/roles.js';
import { createToken, readTokens, revokeToken, type TokenRecord } from '../security/token-file.js';
import { parseLifetime } from '../security/tokens.js';
import type { CommandDefinition } from './context.js';
import type { Output } from './output.js';

interface FileOptions {
  readonly tokens?: string;
  readonly json?: boolean;
}

interface CreateOptions extends FileOptions {
  readonly role: readonly Role[];
  readonly model?: readonly string[];
  readonly name?: string;
  readonly expires?: number;
}

const EXAMPLES = `
Examples:
  parley token create --role predict --name website --expires 90d --tokens tokens.yaml
  parley token create --role predict,feedback --model penguins --tokens tokens.yaml
  parley token list --tokens tokens.yaml
  parley token revoke website --tokens tokens.yaml`;

export const token: CommandDefinition = (program, { output }) => {
  const command = program
    .command('token')
    .summary('make, list and revoke the tokens of callers')
    .description(
      'The tokens that "parley serve --tokens FILE" asks for. The file holds their names, roles and SHA-256, never a token; servers notice a change within a second.',
    )
    .addHelpText('after', EXAMPLES);
  fileOptions(command.command('create'))
    .summary('make a token and print it, once')
    .description('Makes a token, prints it on standard output, once, and adds its SHA-256 to the file.')
    .requiredOption(
      '--role <roles>',
      `what it may do, with commas between: ${ROLES.join(', ')}; admin may do all`,
      rolesOf,
    )
    .option('--model <model...>', 'the only models that it may do it with (default: all)')
    .option('--name <name>', 'what it is called in lists, and in the ledger for what it changes (default: made up)')
    .option(
      '--expires <time>',
      'how long it is right, such as 90d, 12h or 4w (default: until it is revoked)',
      lifetimeOf,
    )
    .addHelpText('after', EXAMPLES)
    .action(async ({ role, model, name, expires, ...options }: CreateOptions) => {
      const file = fileOf(options);
      const made = await createToken(file, {
        roles: role,
        ...(model === undefined ? {} : { models: [...new Set(model)] }),
        ...(name === undefined ? {} : { name }),
        ...(expires === undefined ? {} : { lifetimeMs: expires }),
      });
      if (options.json) output.json({ token: made.token, ...shown(made.record) });
      else {
        output.line(made.token);
        output.note(`"${made.record.name}" is in ${file}; the token itself is kept nowhere and not shown again`);
      }
    });
  fileOptions(command.command('list'))
    .summary('which tokens there are')
    .description('Lists the tokens of a file: names, roles, models and times. The tokens themselves are not in it.')
    .addHelpText('after', EXAMPLES)
    .action(async (options: FileOptions) => {
      const file = fileOf(options),
        tokens = await readTokens(file);
      if (options.json) output.json(tokens.map(shown));
      else if (tokens.length === 0)
        output.line(`no tokens in ${file}; make one with "parley token create --role predict --tokens ${file}"`);
      else printList(output, tokens);
    });
  fileOptions(command.command('revoke'))
    .summary('let a token count no more')
    .description('Takes a token out of the file. Servers refuse it within a second, on open connections too.')
    .argument('<name>', 'the name of the token')
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, options: FileOptions) => {
      const file = fileOf(options),
        record = await revokeToken(file, name);
      if (options.json) output.json(shown(record));
      else output.line(`token "${name}" is revoked: it is no longer in ${file}`);
    });
};

const fileOptions = (command: Command): Command =>
  command.addOption(new Option('--tokens <file>', 'the file of tokens (PARLEY_TOKENS)')).option('--json', 'print JSON');

function fileOf(options: FileOptions): string {
  const file = tokensFileOf(options);
  if (file === undefined) throw invalidInput('which file of tokens? name it with --tokens FILE or PARLEY_TOKENS');
  return resolve(file);
}

/** Without the digest, which is of no use to people. */
const shown = ({ sha256: _, ...record }: TokenRecord): object => record;

function printList(output: Output, tokens: readonly TokenRecord[]): void {
  output.table(
    ['name', 'roles', 'models', 'created', 'expires'],
    tokens.map(({ name, roles, models, created, expires }) => [
      name,
      roles.join(', '),
      models?.join(', ') ?? 'all',
      created,
      expires === undefined ? 'never' : Date.parse(expires) <= Date.now() ? `${expires} (expired)` : expires,
    ]),
  );
}

/** An option's value. */
export const rolesOf = (text: string): readonly Role[] => asArgument(() => parseRoles(text));
const lifetimeOf = (text: string): number => asArgument(() => parseLifetime(text));

function asArgument<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof ParleyError ? new InvalidArgumentError(error.message) : error;
  }
}
