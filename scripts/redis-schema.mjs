// Makes docs/redis-schema.md from the key table and the schemas of the records and model types.
//
//     node scripts/redis-schema.mjs           writes the page
//     node scripts/redis-schema.mjs --check   compares only; exit 1 when they differ
//
// Reads dist/, so build first. The test imports the functions.
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { modelTypes } from '../dist/model-types/table.js';
import { KEY_TABLE, PLACEHOLDERS } from '../dist/store/key-table.js';

export const pageFile = fileURLToPath(new URL('../docs/redis-schema.md', import.meta.url));

const table = (header, rows) =>
  [header, header.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const code = (text) => `\`${text}\``;

/** What a person reads in the place of a JSON schema. */
function valueText({ type, enum: choices, items, prefixItems, pattern }) {
  if (choices !== undefined) return choices.map(code).join(', ');
  if (prefixItems !== undefined) return `JSON list of ${prefixItems.length}`;
  if (type === 'array') return `JSON list, ${items.type === 'string' ? 'text' : plural(items.type)}`;
  if (type === 'boolean') return '`true` or `false`';
  if (type === 'integer') return 'whole number';
  return pattern === undefined && type === 'string' ? 'text' : type;
}

const plural = (type) => (type === 'integer' ? 'whole numbers' : `${type}s`);

function typeSection([name, { metadata }]) {
  const { properties, required = [], description } = z.toJSONSchema(metadata);
  const rows = Object.entries(properties).map(([field, schema]) => [
    code(field),
    valueText(schema),
    required.includes(field) ? 'always' : 'where it is known',
    schema.description,
  ]);
  return `### \`${name}\`\n\n${description}\n\n${table(['field', 'value', 'there', 'meaning'], rows)}`;
}

function keySection({ key, fields, type, typed }) {
  const rows = fields.map(({ name, value, holds, required }) => [
    code(name),
    value,
    required ? 'always' : 'where there is one',
    holds,
  ]);
  const what = type === 'stream' ? "Fields of the stream's entries." : 'Fields of the hash.';
  const more = typed ? ' Beside these it has the [fields of its model type](#fields-of-the-model-types).' : '';
  return `### \`${key}\`\n\n${what}${more}\n\n${table(['field', 'value', 'there', 'meaning'], rows)}`;
}

/** The whole page. */
export function redisSchema() {
  const keys = KEY_TABLE.map(({ key, type, expires = 'never', holds }) => [code(key), type, expires, holds]);
  const placeholders = Object.entries(PLACEHOLDERS).map(([name, { meaning }]) => [code(`<${name}>`), meaning]);
  return `# What stands in Redis

This page is made by \`node scripts/redis-schema.mjs\` from the schemas that Parley reads and writes with; a test holds it to
a Redis in which a model has lived. Look as much as you like; change things with \`parley\`, since every change is one
step with its line in the ledger, and a key that was changed by hand may be refused as another program's.

## Find your way

\`\`\`sh
# The embedded Redis, while a command or a server of Parley's runs. One of your own: R="redis-cli -u $PARLEY_REDIS_URL"
R="redis-cli -s .parley/redis/redis.sock"

# Which models are there?
$R SMEMBERS parley:models

# What do the aliases point at, and since when is it so? The last five changes, newest first.
$R HGETALL 'parley:{penguins}:aliases'
$R XREVRANGE 'parley:{penguins}:ledger' + - COUNT 5

# All versions, newest first, with the line of the ledger that published them.
$R ZREVRANGE 'parley:{penguins}:versions' 0 -1 WITHSCORES

# What is in production: its whole record, or one field of it.
V=$($R HGET 'parley:{penguins}:aliases' production)
$R HGETALL "parley:{penguins}:version:$V"
$R HGET "parley:{penguins}:version:$V" classes

# Which contract is in force, and what does it say?
$R --raw HGET "parley:{penguins}:contract:$($R HGET 'parley:{penguins}:contract' fingerprint)" idl

# What was a version made with?
$R GET "parley:{penguins}:run:$($R HGET "parley:{penguins}:version:$V" runId)"

# Which ensembles are there, and of what are they made?
$R HGETALL 'parley:{penguins}:ensembles'
\`\`\`

\`SUBSCRIBE parley:events\` shows each change as it is made: the model, and the sequence number of its line in the ledger.

## Keys

The braces are a hash tag: all keys of a model are on one node of a cluster. Text is UTF-8; structures are
[MessagePack](https://msgpack.org).

${table(['key', 'type', 'expires', 'holds'], keys)}

${table(['in a key', 'stands for'], placeholders)}

## Fields of the keys

${KEY_TABLE.filter(({ fields }) => fields !== undefined)
  .map(keySection)
  .join('\n\n')}

## Fields of the model types

They stand in the record \`parley:{<model>}:version:<version>\`, each under the name that it has in the envelope's metadata
and in what \`parley publish --metadata\` is given: text as it is, everything else as JSON. Records of an earlier release
may lack them.

${Object.entries(modelTypes).map(typeSection).join('\n\n')}
`;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const page = redisSchema();
  if (!process.argv.includes('--check')) writeFileSync(pageFile, page);
  else if (readFileSync(pageFile, 'utf8') !== page) {
    process.stderr.write('docs/redis-schema.md is not what the schemas say; run node scripts/redis-schema.mjs\n');
    process.exitCode = 1;
  }
}
