/** `parley mock`: callers are built against a contract before there is a model. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { failure } from '../store/world.js';
import { Caller, type Identified } from './client.js';
import { EXAMPLE, placeForEach } from './parley.js';
import { PENGUIN } from './trained.js';

const FILE = join(EXAMPLE, 'penguins.thrift');
const MOCK_VERSION = '0'.repeat(64);

describe('a mock', function () {
  this.timeout(60_000);
  const place = placeForEach();

  /** What it answers, but for the prediction's own id and time. */
  const plain = ({ species, confidence, probability }: Identified) => ({ species, confidence, probability });

  it('answers as the contract says, the same row always alike, and ends by Ctrl-C', async () => {
    const server = await place().mock(FILE);
    const caller = await Caller.open(server);
    const rows = Array.from({ length: 50 }, (_, i) => ({ ...PENGUIN, body_mass_g: 3000 + i }));
    const answers: Identified[] = [];
    for (const row of rows) answers.push(await caller.identify(row));
    for (const { species, confidence, probability, provenance } of answers) {
      const shares = Object.values(probability);
      expect(Object.keys(probability)).to.have.members(['Adelie', 'Chinstrap', 'Gentoo']);
      expect(shares.reduce((a, b) => a + b, 0)).to.be.closeTo(1, 1e-12);
      expect(Math.min(...shares)).to.be.above(0);
      expect(confidence)
        .to.equal(probability[species])
        .and.to.equal(Math.max(...shares));
      expect(provenance).to.include({ version: MOCK_VERSION, alias_name: 'production' });
    }
    expect(new Set(answers.map(({ species }) => species))).to.have.length(3);
    expect(new Set(answers.map(({ confidence }) => confidence))).to.have.length(50);
    expect(plain(await caller.identify(rows[7]))).to.deep.equal(plain(answers[7]!));
    caller.close();
    expect((await server.kill('SIGINT')).code).to.equal(0);

    const again = await place().mock(FILE);
    const second = await Caller.open(again);
    expect(plain(await second.identify(rows[7]))).to.deep.equal(plain(answers[7]!));
    second.close();
    const other = await place().mock(FILE, '--seed', '1');
    const seeded = await Caller.open(other);
    expect(plain(await seeded.identify(rows[7]))).not.to.deep.equal(plain(answers[7]!));
    seeded.close();
    expect(existsSync(place().dataFolder), 'nothing is stored').to.equal(false);
  });

  it('refuses what a server refuses, with every problem at once', async () => {
    const server = await place().mock(FILE);
    const caller = await Caller.open(server);
    const { island: _, ...rest } = PENGUIN;
    const error = await failure(caller.identify({ ...rest, bill_length_mm: 400, sex: 'OTHER' }));
    caller.close();
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.problems.map(({ path }) => path)).to.have.members([
      'penguin.bill_length_mm',
      'penguin.island',
      'penguin.sex',
    ]);
  });

  it('says what it serves, and whether a caller can talk to it', async () => {
    const server = await place().mock(FILE);
    const client = await ParleyClient.connect(server);
    const { idl } = await client.contract('Penguins');
    expect(await client.ping()).to.include({ ready: true, storeConnected: true });
    expect((await client.ping()).services).to.include('Penguins');
    expect(await client.describe('penguins', 'production')).to.include({ version: MOCK_VERSION, modelType: 'mock' });
    expect(await client.negotiate({ idl }, 'Penguins')).to.deep.include({ compatible: true, differences: [] });
    const older = idl.replaceAll('sex=', 'gender=').replace('6: optional string sex', '16: optional string gender');
    expect(await client.negotiate({ idl: older }, 'Penguins')).to.include({ compatible: false });
    expect((await failure(client.listVersions({}))).code).to.equal('UNSUPPORTED');
    client.close();
  });

  it('answers values with intervals around them, lists, and rows of several methods', async () => {
    const file = join(place().root, 'rides.thrift');
    writeFileSync(
      file,
      `include "parley.thrift"
struct Ride { 1: optional double distance_km (min = "0", max = "100"), 2: optional string city (max_bytes = "40") }
struct Estimate {
  1: optional double minutes (role = "value", unit = "min")
  2: optional double at_least (role = "interval_low")
  3: optional double at_most (role = "interval_high")
}
service Rides {
  Estimate estimate(1: Ride ride) throws (1: parley.ParleyError error)
  list<Estimate> estimate_many(1: list<Ride> rides) throws (1: parley.ParleyError error)
} (model = "rides")
`,
    );
    const server = await place().mock(file);
    const client = await ParleyClient.connect(server);
    const rows = Array.from({ length: 20 }, (_, i) => ({ distance_km: i, city: 'Bremen' }));
    const many = await client.predict('rides', rows, { many: true });
    const [one] = await client.predict('rides', [rows[3]!], { many: false });
    client.close();
    expect(many).to.have.length(20);
    expect(one).to.deep.equal(many[3]);
    for (const { minutes, at_least, at_most } of many as { minutes: number; at_least: number; at_most: number }[]) {
      expect(minutes).to.be.within(0, 100);
      expect(at_least).to.be.at.most(minutes);
      expect(at_most).to.be.at.least(minutes);
      expect(at_most - at_least).to.be.above(0);
    }
  });

  it('is not begun for what is no contract, or is not there', async () => {
    const file = join(place().root, 'broken.thrift');
    writeFileSync(file, 'service {');
    const broken = await place().run('mock', file, '--port', '0');
    expect(broken.code).to.equal(1);
    expect(broken.stderr).to.match(/INVALID_INPUT: broken\.thrift:1:\d+/);
    const missing = await place().run('mock', join(place().root, 'none.thrift'));
    expect(missing.code).to.equal(1);
    expect(missing.stderr).to.contain('NOT_FOUND').and.to.contain('none.thrift');
  });
});
