/** What people get wrong: each time one message that names the place and the way out, and nothing stored is lost. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import type { ModelVersion } from '#parley/model/version.js';
import { TestRedis } from '../store/redis-server.js';
import { Place, placeForEach, type Ran } from './parley.js';
import { expectRefusal } from './refusals.js';
import { useTrained } from './trained.js';

type Change = Readonly<Record<string, (text: string) => string>>;

const yaml = (from: string | RegExp, to: string): Change => ({ 'parley.yaml': (text) => text.replace(from, to) });
const contract = (from: string | RegExp, to: string): Change => ({
  'penguins.thrift': (text) => text.replace(from, to),
});

describe('a project that is wrong', function () {
  this.timeout(120_000);
  const trained = useTrained();
  let place: Place;
  before(() => {
    place = new Place(trained().folder);
  });
  after(() => place.leave());

  const cases: [what: string, changes: Change, code: string, ...says: (string | RegExp)[]][] = [
    [
      'a query that fails',
      yaml('FROM penguins', 'FROM pinguins'),
      'INVALID_INPUT',
      'source.query',
      'no such table: pinguins',
    ],
    [
      'a query that is no SELECT',
      yaml(/query: >[\s\S]*NULL/, 'query: DELETE FROM penguins'),
      'INVALID_INPUT',
      'source.query',
      'SELECT',
    ],
    [
      'a column that the query lacks',
      yaml('body_mass_g, island', 'island'),
      'INVALID_INPUT',
      '"body_mass_g"',
      'Rename one in the query',
    ],
    [
      'a label that the contract does not know',
      yaml('sex, species', "sex, replace(species, 'Adelie', 'Adelia') AS species"),
      'INVALID_INPUT',
      /row 1: species must be one of the contract's Adelie, Chinstrap, Gentoo/,
      'did you mean "Adelie"',
      'got Adelia',
      'Leave them out with WHERE in source.query',
    ],
    [
      'a field out of its range',
      yaml('SELECT bill_length_mm', 'SELECT bill_length_mm * 10 AS bill_length_mm'),
      'INVALID_INPUT',
      /269 of 269 rows do not keep the contract: row 1: bill_length_mm must be (at most 80|between 20 and 80)/,
    ],
    [
      'a missing value where none may be',
      yaml(/\n {4}WHERE bill_length_mm IS NOT NULL/, ''),
      'INVALID_INPUT',
      /2 of 271 rows do not keep the contract: row \d+: bill_length_mm is missing/,
    ],
    ['no row', yaml('IS NOT NULL', 'IS NULL AND 0'), 'INVALID_INPUT', 'source: there is no row', 'source.query'],
    ['one class', yaml('IS NOT NULL', "IS NOT NULL AND species = 'Adelie'"), 'INVALID_INPUT', 'Adelie', 'two classes'],
    [
      'a contract that does not parse, at line and column',
      contract('struct Penguin {', 'struct Penguin {{'),
      'INVALID_INPUT',
      /penguins\.thrift:16:17: /,
    ],
    [
      'an annotation that nobody knows, with those that are known there',
      contract('(min = "20"', '(mni = "20"'),
      'INVALID_INPUT',
      /penguins\.thrift:17:\d+/,
      'known here: min, max',
    ],
    [
      'an unknown key, and the nearest',
      yaml('label: species', 'lable: species'),
      'INVALID_INPUT',
      'parley.yaml: lable',
      'did you mean "label"',
    ],
    [
      'YAML that does not parse, at line and column',
      yaml('label: species', 'label: [species'),
      'INVALID_INPUT',
      /parley\.yaml:\d+:\d+/,
    ],
    [
      'a contract that is not there',
      yaml('penguins.thrift', 'pinguins.thrift'),
      'NOT_FOUND',
      'parley.yaml: contract',
      'pinguins.thrift"',
    ],
    [
      'a database that is not there',
      yaml('penguins.sqlite', 'pinguins.sqlite'),
      'NOT_FOUND',
      'source.path',
      'pinguins.sqlite"',
    ],
    ['fixtures that are not there', yaml('fixtures.csv', 'fixture.csv'), 'NOT_FOUND', 'fixtures', 'fixture.csv"'],
    [
      'a database that is a text file',
      yaml('data/penguins.sqlite', 'fixtures.csv'),
      'INVALID_INPUT',
      'source.path',
      'is not a SQLite database',
    ],
    [
      'fixtures that the contract does not allow',
      { 'fixtures.csv': (text) => text.replace('Adelie', 'Adelia') },
      'INVALID_INPUT',
      /fixtures: .*row 1: species/,
    ],
  ];
  // Two at a time: nothing of one is another's, and what takes time is a process's start.
  const ends: Promise<Ran>[] = [];
  const begin = (index: number) => {
    const changes = cases[index]?.[1];
    if (changes !== undefined) ends[index] ??= place.run('train', place.project(changes), '--promote');
  };
  cases.forEach(([what, , code, ...says], index) => {
    it(`is refused for ${what}`, async () => {
      begin(index);
      begin(index + 1);
      expectRefusal(await ends[index]!, code, ...says);
    });
  });

  it('is refused for a folder that is not there', async () => {
    expectRefusal(
      await place.run('train', join(place.root, 'nowhere')),
      'NOT_FOUND',
      `"${join(place.root, 'nowhere', 'parley.yaml')}"`,
      'parley init',
    );
  });

  it('is refused for a folder without parley.yaml', async () => {
    const project = place.project();
    rmSync(join(project, 'parley.yaml'));
    expectRefusal(await place.run('contract', 'publish', project), 'NOT_FOUND', 'parley.yaml');
  });

  it('has changed nothing that was stored', async () => {
    const { good } = trained();
    const there = await place.versions();
    expect(there.map(({ aliases }) => aliases)).to.deep.equal([[], ['production'], []]);
    expect(there[1]!.version).to.equal(good);
    expect(await place.history()).to.have.length(8);
  });
});

describe('a store that cannot be used', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('is told by its address when nothing listens there', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const url = `redis://127.0.0.1:${port}`;
    expectRefusal(await place().run('versions', '--redis', url), 'STORE_UNAVAILABLE', url, 'ECONNREFUSED', 'start it');
  });

  it('is told when something else than Redis listens there', async () => {
    const http = createHttpServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const url = `redis://127.0.0.1:${(http.address() as AddressInfo).port}`;
    try {
      expectRefusal(
        await place().run('train', place().project(), '--redis', url),
        'STORE_UNAVAILABLE',
        url,
        "does not speak Redis's protocol",
        'check host and port',
      );
    } finally {
      http.close();
    }
  });

  it('is told when the address is none', async () => {
    expectRefusal(await place().run('versions', '--redis', 'http://127.0.0.1:6379'), 'INVALID_INPUT', 'redis://');
  });

  it('is told when the data folder cannot be one', async () => {
    const file = join(place().project(), 'parley.yaml');
    expectRefusal(await place().run('versions', '--data-dir', file), 'INVALID_INPUT', file, 'choose another one');
  });

  describe('with a Redis of its own', () => {
    let redis: TestRedis;
    beforeEach(async () => {
      redis = await new TestRedis().start();
    });
    afterEach(() => redis.stop());

    it("is told when another program's value is where the ledger belongs, which stays as it is", async () => {
      const raw = new Redis({ path: redis.socket });
      await raw.set('parley:{penguins}:ledger', 'mine');
      const ran = await place().run('train', place().project(), '--redis', redis.socket);
      expectRefusal(ran, 'CONFLICT', 'parley:{penguins}:ledger', 'another program', 'a database of its own');
      expect(await raw.get('parley:{penguins}:ledger')).to.equal('mine');
      raw.disconnect();
    });

    it('is told when it dies in the middle of a training, and keeps what was in it', async () => {
      await place().output('train', place().project(), '--redis', redis.socket);
      const training = place().start([
        'train',
        place().project(),
        '--promote',
        '--set',
        'trainer.l2=2',
        '--redis',
        redis.socket,
      ]);
      await training.says('evaluate: ');
      await redis.kill();
      expectRefusal(await training.ended, 'STORE_UNAVAILABLE', redis.socket, 'start it');
      await redis.start();
      const versions = JSON.parse(
        await place().output('versions', '--json', '--redis', redis.socket),
      ) as ModelVersion[];
      expect(versions.map(({ version }) => version)).to.deep.equal([trained().good]);
      expect(versions[0]!.aliases).to.deep.equal([]);
    });
  });
});

describe('a server that cannot be had', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('is told when its port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    try {
      const ran = await place().run('serve', '--port', String(port), '--json');
      expectRefusal(ran, 'INVALID_INPUT', `port ${port} on 127.0.0.1 is in use`, '--port');
      expect(place().redisPid()).to.equal(undefined);
    } finally {
      taken.close();
    }
  });

  it('is told when other machines could reach it without TLS and tokens', async () => {
    const ran = await place().run('serve', '--port', '0', '--host', '0.0.0.0');
    expectRefusal(ran, 'INVALID_INPUT', '0.0.0.0 can be reached from other machines', '--insecure', '--tokens');
  });

  it('is told what is wrong in the file of --config, before anything is opened', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'parley-config-')), 'serving.yaml');
    writeFileSync(file, 'models:\n  penguins: {max_delay: 5, cache: -7}\n');
    const ran = await place().run('serve', '--port', '0', '--config', file);
    rmSync(dirname(file), { recursive: true });
    expectRefusal(ran, 'INVALID_INPUT', `${file}: models.penguins.max_delay`, 'did you mean "max_delay_us"?');
    expect(ran.stderr.match(/got -7/g)).to.have.length(1);
  });

  it('is told when nothing listens where --server says', async () => {
    const ran = await place().run('versions', '--server', '127.0.0.1:1');
    expectRefusal(ran, 'STORE_UNAVAILABLE', '127.0.0.1:1', 'parley serve', '--server');
  });

  it('is told when what listens there is no Parley', async () => {
    const http = createHttpServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = `127.0.0.1:${(http.address() as AddressInfo).port}`;
    try {
      expectRefusal(await place().run('versions', '--server', address), 'STORE_UNAVAILABLE', address);
    } finally {
      http.closeAllConnections();
      http.close();
    }
  });

  it('is told when the row is not JSON, or not one of the contract', async () => {
    const server = await place().serve();
    const ask = (row: string) => place().run('predict', 'penguins', row, '--server', server.address);
    const [broken, unknown, outside, absent] = await Promise.all([
      ask('{bill: 3}'),
      ask('{"bill_lenght_mm": 40}'),
      ask(
        '{"bill_length_mm": 400, "bill_depth_mm": 18, "flipper_length_mm": 190, "body_mass_g": 3500, "island": "Dream"}',
      ),
      place().run('predict', 'walruses', '{"a": 1}', '--server', server.address),
    ]);
    expectRefusal(broken!, 'INVALID_INPUT', 'the row is not JSON');
    expectRefusal(unknown!, 'INVALID_INPUT', 'penguin.bill_lenght_mm', 'did you mean "bill_length_mm"');
    expectRefusal(outside!, 'INVALID_INPUT', 'penguin.bill_length_mm', '80');
    expectRefusal(absent!, 'NOT_FOUND', 'walruses', 'penguins');
  });
});
