/** The next commands after `parley init`, and the README that says them again. */
import type { Proposal } from './init-proposal.js';

interface Written {
  readonly shownFolder: string;
  readonly fixtures: number;
  readonly trainingRows: number;
  readonly heldOutRows: number;
  readonly example: string;
}

/** As a shell takes it. */
const quoted = (text: string) => (/^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

export function nextCommands(
  name: string,
  { shownFolder, example }: Pick<Written, 'shownFolder' | 'example'>,
): string[] {
  return [`parley train ${quoted(shownFolder)} --promote`, 'parley serve', `parley predict ${name} ${quoted(example)}`];
}

export function readmeText(proposal: Proposal, written: Written): string {
  const { name, label, task } = proposal;
  const question = task === 'classification' ? `Which "${label.column}" is it?` : `How much is "${label.column}"?`;
  return `# ${name}

${question} The contract, [${name}.thrift](${name}.thrift), says what may be asked, what is answered, and how good an
answer must be. It was proposed from the data: read it line by line, correct bounds and units, and set the acceptance
bounds to what the use needs.

| file | what it is |
|---|---|
| \`${name}.thrift\` | the contract |
| \`parley.yaml\` | where the rows are, which column is the truth, how to train |
| \`fixtures.csv\` | ${written.fixtures} rows that the acceptance suite asks about, and that are never trained on |

## Run it

\`\`\`sh
${nextCommands(name, written).join('\n')}
\`\`\`

\`parley serve\` goes on until it is stopped; ask it from another terminal. Any key of \`parley.yaml\` can be changed for one
run: \`--set split.seed=2\`.

## The fixtures

A complete row with a label is a fixture when the first four bytes of the SHA-256 of its line in \`fixtures.csv\`, as a
share of 2^32, are under 0.2 (less when that would be more than 1,000 rows). A class with few such rows gets those with
the next higher numbers, and always keeps half of its different rows to be trained on. Where less than half of the rows
are complete, the others count too. A run leaves rows that are equal to a fixture out by itself.
`;
}
