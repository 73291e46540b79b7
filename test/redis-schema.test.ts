/** docs/redis-schema.md: what the script makes of the schemas, and true of a Redis in which a model has lived. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { Artifact } from '#parley/model/trained.js';
import { checkRecordFields, fieldsOf } from '#parley/model-types/record-fields.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import { publishEnsemble } from '#parley/registry/publish-ensemble.js';
import { Registry } from '#parley/registry/registry.js';
import { PLACEHOLDERS } from '#parley/store/key-table.js';
import { Keys } from '#parley/store/keys.js';
import { RedisStore } from '#parley/store/redis-store.js';
import { upload } from '#parley/training/publish-run.js';
import { samples, tabular, versionOf } from './model-types/samples.js';
import { skip } from './skip.js';
import { TestRedis, until } from './store/redis-server.js';
import { freePorts, infoOf } from './store/shapes.js';

const script = (await import(new URL('../scripts/redis-schema.mjs', import.meta.url).href)) as {
  readonly pageFile: string;
  redisSchema(): string;
};
const page = readFileSync(script.pageFile, 'utf8');

// ---------------------------------------------------------------- the page, as a reader sees it

interface Row {
  readonly key: string;
  readonly matches: RegExp;
  readonly type: string;
  readonly expires: boolean;
}

/** The cells of the rows of the table behind a heading. */
function tableBehind(heading: string): string[][] {
  const from = page.indexOf(`\n${heading}\n`);
  expect(from, heading).to.be.above(0);
  const [, text] = /\n(\|[\s\S]*?)\n(?!\|)/.exec(page.slice(from))!;
  return text!
    .split('\n')
    .slice(2)
    .map((line) => line.slice(2, -2).split(/ (?<!\\)\| /));
}

const unquoted = (cell: string): string => cell.replaceAll('`', '');

/** A name with placeholders, as a pattern. */
function patternOf(name: string): RegExp {
  const source = name
    .split(/(<\w+>)/)
    .map((part) =>
      part.startsWith('<') ? `(?:${PLACEHOLDERS[part.slice(1, -1)]!.pattern})` : part.replace(/[{}().:]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}$`);
}

const rows: readonly Row[] = tableBehind('## Keys').map(([cell, type, expires]) => {
  const key = unquoted(cell!);
  return { key, matches: patternOf(key), type: type!, expires: expires !== 'never' };
});

interface Field {
  readonly name: string;
  readonly always: boolean;
}

const fieldsBehind = (name: string): readonly Field[] =>
  tableBehind(`### \`${name}\``).map(([cell, , there]) => ({ name: unquoted(cell!), always: there === 'always' }));

// ---------------------------------------------------------------- a life

const MODEL = 'penguins';
const BY = { actor: 'ada', reason: 'to have lived' };
const IDL = `include "parley.thrift"
enum Say { UNSPECIFIED = 0, NO = 1 (label = "no"), YES = 2 (label = "yes") }
struct Number { 1: optional double x (min = "-100", max = "100") }
struct Said { 1: optional Say say (role = "label") }
service Penguins { Said judge(1: Number number) } (model = "${MODEL}", accept.accuracy = ">= 0.9")
`;

async function live(store: RedisStore): Promise<void> {
  const registry = new Registry(store, 'ada');
  const fixturesUploadId = await upload(registry, MODEL, Buffer.from('x,say\n-3,no\n2,yes\n'));
  await registry.publishContract({ idl: IDL, fixturesUploadId, fixturesFormat: 'csv' });
  const [a, b, c, d, e] = [1, 2, 3, 4, 5].map((slope) => tabular(['no', 'yes'], slope, 0));
  const first = await registry.publish({
    model: MODEL,
    uploadId: await upload(registry, MODEL, bytesOf(a!)),
    runId: 'run-1',
    runConfigurationJson: '{"seed":1}',
    metrics: { 'test.accuracy': 1 },
    description: 'the first',
  });
  const verdict = await registry.accept(MODEL, first.version);
  expect(verdict.accepted).to.equal(true);
  await registry.promote({ model: MODEL, version: first.version, reason: 'the first' });
  for (const artifact of [b!, c!, d!, e!]) {
    const version = await put(store, MODEL, artifact);
    await store.recordVerdict({ ...BY, model: MODEL, version, verdict: { ...verdict, accepted: artifact !== d } });
  }
  const ensemble = await publishEnsemble(registry, {
    model: MODEL,
    combine: 'average',
    members: [a!, b!].map((member) => ({ version: versionOf(member), weight: 1 })),
  });
  await store.recordVerdict({ ...BY, model: MODEL, version: ensemble.version, verdict });
  await registry.promote({ model: MODEL, version: ensemble.version });
  await registry.promote({ model: MODEL, version: first.version });
  await registry.promote({ model: MODEL, version: versionOf(b!) });
  await registry.rollback({ model: MODEL, reason: 'worse' });
  await registry.promote({ model: MODEL, version: versionOf(c!), canaryWeight: 0.5 });
  await registry.promote({ model: MODEL, version: versionOf(c!), canaryWeight: 0 });
  await registry.retire({ model: MODEL, version: versionOf(c!), reason: 'mislabelled' });
  await registry.promote({ model: MODEL, version: versionOf(b!), canaryWeight: 0.25, reason: 'a trial' });
  await registry.hold({ model: MODEL, reason: 'for the weekend' });
  await registry.release({ model: MODEL, reason: 'back' });
  await registry.hold({ model: MODEL });
  expect(await registry.prune({ model: MODEL, keep: 0, reason: 'old' })).to.have.length(2);
  const bob = new Registry(store, 'bob');
  const guarded = (aliases: string) => IDL.replace('model = "', `accept.guards = "${aliases}", model = "`);
  const propose = { propose: true, reason: 'to be held to', allowBreaking: 'none will' };
  const proposed = await bob.publishContract({ idl: guarded('staging'), ...propose });
  await registry.agreeContract({ model: MODEL, fingerprint: proposed.fingerprint });
  await registry.promote({ model: MODEL, version: first.version, aliasName: 'staging' });
  await bob.publishContract({ idl: guarded('next'), ...propose });
  for (const [modelType, { graph, signature, valid, members = [] }] of Object.entries(samples)) {
    for (const member of members) await put(store, 'others', member);
    await put(store, 'others', { modelType, graph, signature, metadata: valid[0]! });
  }
  await registry.beginUpload('others', 2 << 20);
}

const bytesOf = (artifact: Artifact): Uint8Array => modelTypeOf(artifact.modelType).serialize(artifact);

/** Past the rehearsal, which keeps nothing. */
async function put(store: RedisStore, model: string, artifact: Artifact): Promise<string> {
  const version = versionOf(artifact);
  const record = { version, modelType: artifact.modelType, typeFields: fieldsOf(artifact), metrics: {} };
  await store.publishVersion({ ...BY, model, bytes: bytesOf(artifact), record });
  return version;
}

describe('docs/redis-schema.md', function () {
  this.timeout(30_000);
  let redis: TestRedis;
  let replica: TestRedis;
  let store: RedisStore;
  let raw: Redis;
  let keys: string[];

  before(async () => {
    // Some keys are there for replicas only.
    const [port] = await freePorts(1);
    redis = await new TestRedis([
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--repl-diskless-sync-delay',
      '0',
    ]).start();
    replica = await new TestRedis(['--replicaof', '127.0.0.1', `${port}`]).start();
    await until('the replica', async () => /online/.test((await infoOf(redis)).get('slave0') ?? ''));
    store = new RedisStore({ connection: redis.address, environment: 'test', checkTypeFields: checkRecordFields });
    raw = new Redis({ path: redis.socket, protocol: 2 });
    await live(store);
    keys = (await raw.keys('*')).sort();
  });
  after(async () => {
    await store.close();
    raw.disconnect();
    await Promise.all([redis.stop(), replica.stop()]);
  });

  const rowOf = (key: string): Row => {
    const found = rows.filter(({ matches }) => matches.test(key));
    expect(
      found.map((row) => row.key),
      key,
    ).to.have.length(1);
    return found[0]!;
  };

  it('is what the script makes of the schemas', () => {
    expect(script.redisSchema()).to.equal(page);
  });

  it('has each key that there is, by its type, and says which go by themselves', async () => {
    for (const key of keys) {
      const { type, expires } = rowOf(key);
      expect(await raw.type(key), key).to.equal(type);
      const seconds = await raw.ttl(key);
      expect(seconds, key).to.satisfy((ttl: number) => (expires ? ttl > 0 && ttl <= 3600 : ttl === -1));
    }
  });

  it('has no key that a life does not make', () => {
    const lived = new Set(keys.map((key) => rowOf(key).key));
    expect(rows.map(({ key }) => key).filter((key) => !lived.has(key))).to.deep.equal([]);
  });

  it('has each key that keys.ts can spell', () => {
    const spelled = new Keys();
    const names = Object.getOwnPropertyNames(Keys.prototype).filter(
      (name) => !['constructor', 'of', 'events'].includes(name),
    );
    const digest = 'a'.repeat(64);
    const seconds: Readonly<Record<string, string>> = { trail: 'production', run: 'r', upload: 'ab', staging: 'ab' };
    const made = names.map((name) => {
      const spell = spelled[name as keyof Keys] as unknown;
      return typeof spell === 'function'
        ? (spell.call(spelled, MODEL, seconds[name] ?? digest) as string)
        : (spell as string);
    });
    expect(new Set(made.map((key) => rowOf(key).key)).size).to.equal(rows.length);
  });

  it('names each field of each hash, and has all that are always there', async () => {
    for (const key of keys.filter((each) => rowOf(each).type === 'hash')) {
      const found = await raw.hkeys(key);
      const { key: name } = rowOf(key);
      const modelType = name.endsWith(':version:<version>') ? await raw.hget(key, 'modelType') : null;
      const named = [...fieldsBehind(name), ...(modelType === null ? [] : fieldsBehind(modelType))];
      for (const field of found)
        expect(
          named.filter((each) => patternOf(each.name).test(field)),
          `${key} ${field}`,
        ).to.have.length(1);
      for (const field of named.filter((each) => each.always && !each.name.startsWith('<')))
        expect(found, key).to.include(field.name);
    }
  });

  it("names each field of the ledger's entries, and every one that a life writes", async () => {
    const named = fieldsBehind('parley:{<model>}:ledger');
    const lived = new Set<string>();
    for (const [id, fields] of await raw.xrange(`parley:{${MODEL}}:ledger`, '-', '+')) {
      const names = fields.filter((_, index) => index % 2 === 0);
      for (const name of names) lived.add(name);
      for (const field of named.filter(({ always }) => always)) expect(names, id).to.include(field.name);
    }
    expect([...lived].sort()).to.deep.equal(named.map(({ name }) => name).sort());
  });

  it('shows commands that find something', function () {
    try {
      execFileSync('redis-cli', ['--version']);
    } catch {
      skip(this, 'there is no redis-cli');
    }
    const [, block] = /```sh\n([\s\S]*?)```/.exec(page)!;
    const lines = block!.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const settings = lines.filter((line) => /^\w+=/.test(line));
    expect(settings.shift()).to.equal('R="redis-cli -s .parley/redis/redis.sock"');
    const asked = lines.filter((line) => line.startsWith('$R '));
    expect(asked.length + settings.length + 1).to.equal(lines.length);
    for (const line of asked) {
      const text = [`R="redis-cli -s ${redis.socket}"`, ...settings, line].join('\n');
      const printed = execFileSync('bash', ['-euc', text], { encoding: 'utf8', timeout: 10_000 });
      if (line.endsWith('classes')) expect(printed).to.equal('["no","yes"]\n');
      else expect(printed.trim(), line).to.not.match(/^$|ERR|WRONGTYPE/);
    }
  });
});
