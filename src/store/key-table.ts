/**
 * What stands under each key, for people: docs/redis-schema.md is made from this, and a test holds it to a Redis after a
 * life. What a placeholder stands for is in {@link PLACEHOLDERS}.
 */
import { z } from 'zod';
import { contractFields, ledgerLine, proposalFields, versionFields } from './record-schemas.js';

export type RedisType = 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream';

export interface FieldRow {
  /** Of a hash, or of a stream's entries; may have placeholders. */
  readonly name: string;
  /** Its type and unit. */
  readonly value: string;
  readonly holds: string;
  readonly required: boolean;
}

export interface KeyRow {
  readonly key: string;
  readonly type: RedisType;
  readonly holds: string;
  /** When it goes by itself; never, when absent. */
  readonly expires?: string;
  readonly fields?: readonly FieldRow[];
  /** A version's record has its model type's own fields too. */
  readonly typed?: true;
}

export const PLACEHOLDERS: Readonly<Record<string, { readonly pattern: string; readonly meaning: string }>> = {
  model: { pattern: '[A-Za-z0-9][A-Za-z0-9_.-]{0,127}', meaning: "a model's name" },
  alias: { pattern: '[A-Za-z0-9][A-Za-z0-9_.-]{0,127}', meaning: "an alias's name: `production`" },
  version: { pattern: '[0-9a-f]{64}', meaning: 'the SHA-256 of the envelope, lowercase hex' },
  contract: { pattern: '[0-9a-f]{64}', meaning: "a contract's fingerprint, SHA-256" },
  fixtures: { pattern: '[0-9a-f]{64}', meaning: "the SHA-256 of the fixtures' bytes" },
  part: { pattern: '\\d+', meaning: 'the number of a part, from 0; all but the last have 1 MiB' },
  run: { pattern: '.+', meaning: "a run's id" },
  id: { pattern: '[0-9a-z]+', meaning: 'random' },
};

const field = (name: string, value: string, holds: string, required = true): FieldRow => ({
  name,
  value,
  holds,
  required,
});
const parts = (of: string): FieldRow => field('<part>', 'bytes', `A part of ${of}.`);

/** The fields that a schema names, by what it says of them. */
function described(schema: z.ZodObject): readonly FieldRow[] {
  return Object.entries(schema.shape as Readonly<Record<string, z.ZodType>>).map(([name, each]) => {
    const { value, description } = each.meta() ?? {};
    return field(name, String(value), String(description), !(each instanceof z.ZodExactOptional));
  });
}

export const KEY_TABLE: readonly KeyRow[] = [
  {
    key: 'parley:models',
    type: 'set',
    holds: "The names of all models; added to before a model's first change.",
  },
  {
    key: 'parley:{<model>}:epoch',
    type: 'string',
    holds: "The sequence number of the ledger's last line. Servers compare it to know whether they are behind.",
  },
  {
    key: 'parley:{<model>}:ledger',
    type: 'stream',
    holds: 'One entry per change, its id `<sequence>-0`, counting from 1 without a gap; nothing is ever taken out.',
    fields: described(ledgerLine),
  },
  {
    key: 'parley:{<model>}:aliases',
    type: 'hash',
    holds: 'Where each alias leads.',
    fields: [field('<alias>', 'SHA-256, hex', 'The version.')],
  },
  {
    key: 'parley:{<model>}:canaries',
    type: 'hash',
    holds: "The canary beside an alias's version, while one runs.",
    fields: [
      field('<alias>', '`<version> <weight>`', "The canary and its share of the alias's calls, above 0 and below 1."),
    ],
  },
  {
    key: 'parley:{<model>}:holds',
    type: 'hash',
    holds: 'The aliases that are held.',
    fields: [
      field('<alias>', 'whole number', "Sequence number of the ledger's line that holds it: who, when and why."),
    ],
  },
  {
    key: 'parley:{<model>}:trail:<alias>',
    type: 'list',
    holds: 'The versions that the alias pointed at before, nearest first: where a rollback may go.',
  },
  {
    key: 'parley:{<model>}:versions',
    type: 'zset',
    holds: 'Every version, by the sequence number of its publication.',
  },
  {
    key: 'parley:{<model>}:ensembles',
    type: 'hash',
    holds: 'What ensembles are made of: their members are neither pruned, nor retired before the ensemble is.',
    fields: [field('<version>', 'SHA-256s, spaces between', "The ensemble's members.")],
  },
  {
    key: 'parley:{<model>}:version:<version>',
    type: 'hash',
    holds: "A version's record: everything about it but its bytes.",
    fields: described(versionFields),
    typed: true,
  },
  {
    key: 'parley:{<model>}:blob:<version>',
    type: 'hash',
    holds: "A version's bytes, its envelope.",
    fields: [
      parts('the envelope, or of what follows its header where that stands apart'),
      field(
        'header',
        'bytes',
        'What the envelope begins with, where an uploaded graph was taken over as it is.',
        false,
      ),
    ],
  },
  {
    key: 'parley:{<model>}:verdicts',
    type: 'hash',
    holds: 'What the acceptance suite said, for exactly one version, contract and set of fixtures.',
    fields: [
      field(
        '<version>:<contract>:<fixtures>',
        'MessagePack',
        '`accepted`, the criteria with what was measured, and how many rows were tested.',
      ),
    ],
  },
  {
    key: 'parley:{<model>}:contract',
    type: 'hash',
    holds: 'What is in force.',
    fields: [
      field('fingerprint', 'SHA-256, hex', 'Of the contract.'),
      field('fixtureFingerprint', 'SHA-256, hex', 'Of its fixtures; absent while there are none.', false),
      field(
        'testedAs',
        'SHA-256s, spaces between',
        'Earlier contracts that differ from it in nothing that was tested, newest first: their verdicts count.',
        false,
      ),
    ],
  },
  {
    key: 'parley:{<model>}:contract:<contract>',
    type: 'hash',
    holds: 'A contract that is, or was, in force.',
    fields: described(contractFields),
  },
  {
    key: 'parley:{<model>}:proposals',
    type: 'zset',
    holds: 'The fingerprints of contracts that are proposed, by the sequence number of the line that proposed them.',
  },
  {
    key: 'parley:{<model>}:proposal:<contract>',
    type: 'hash',
    holds: 'A contract that waits for the agreement of somebody else than the one who proposed it.',
    fields: described(proposalFields),
  },
  {
    key: 'parley:{<model>}:fixtures:<fixtures>',
    type: 'hash',
    holds: 'Rows that versions are accepted on, or would be by a contract that is proposed.',
    fields: [parts('the fixtures')],
  },
  {
    key: 'parley:{<model>}:run:<run>',
    type: 'string',
    holds: "A training's configuration: everything that made its version, JSON.",
  },
  {
    key: 'parley:{<model>}:upload:<id>',
    type: 'hash',
    holds: 'Bytes that come in parts before anything is made of them.',
    expires: 'an hour after its last part or reading, a minute after its use',
    fields: [
      field('sizeBytes', 'whole number, bytes', 'Announced.'),
      field('sealed', '`1`', 'It is whole and has been read: its parts are at the staging key of the same id.', false),
      field('version', 'SHA-256, hex', 'What it has become.', false),
      { ...parts('the upload'), required: false },
    ],
  },
  {
    key: 'parley:{<model>}:staging:<id>',
    type: 'hash',
    holds:
      'Parts on their way to a blob or to fixtures, which take the key over in one step: of a sealed upload, or of an archive. The lines of an archived ledger are a stream here.',
    expires: "as the upload; an hour after its last part; an archive's after a day",
    fields: [parts('the envelope or the fixtures')],
  },
  {
    key: 'parley:{<model>}:mark',
    type: 'string',
    holds: 'Nothing: written after a change on a Redis with replicas, so that there is something to wait for.',
    expires: 'a minute after the change',
  },
  {
    key: '{parley:models}:mark',
    type: 'string',
    holds: 'The same, after a name was added to the models.',
    expires: 'a minute after it',
  },
];
