/** What stands for a model before there is one: it fits every contract that a graph could. */
import { expect } from 'chai';
import { bindService } from '#parley/contract/bind.js';
import { parseContract } from '#parley/contract/parse.js';
import { Batcher } from '#parley/serving/batcher.js';
import { mockAnswer } from '#parley/serving/mock/answers.js';
import { MockFactory } from '#parley/serving/mock/factory.js';
import { MOCK_VERSION, mockVersion } from '#parley/serving/mock/version.js';
import { KINDS_IDL, PARITY_IDL, SCALARS_IDL } from '../rpc/served.js';
import { failure } from '../store/world.js';

const contractOf = (idl: string) => parseContract({ file: 'mocked.thrift', idl, includes: {} });

const SHAPES = `include "parley.thrift"
enum Pet { UNSPECIFIED = 0, CAT = 1, DOG = 2 (positive = "true") }
enum Side { UNSPECIFIED = 0, LEFT = 1, RIGHT = 2 }
struct Place { 1: optional double latitude (min = "-90", max = "90"), 2: optional i64 number (max = "9000") }
struct Seen {
  1: optional Place place
  2: optional list<double> readings (shape = "4")
  3: optional list<double> series
  4: optional map<Side, double> sides
  5: optional binary picture (encoding = "png,jpeg", height = "8", width = "8")
  6: optional bool loud
}
struct Judged {
  1: optional Pet pet (role = "label")
  2: optional map<Pet, double> shares (role = "probability")
  3: optional double chance (role = "probability_of_positive")
  4: optional double sure (role = "confidence")
}
service Pets { Judged judge(1: Seen seen) throws (1: parley.ParleyError error) } (model = "pets")
`;

describe('a mock of a contract', () => {
  for (const [name, idl] of Object.entries({ KINDS_IDL, PARITY_IDL, SCALARS_IDL, SHAPES }))
    it(`is a version that fits it: ${name}`, async () => {
      const contract = contractOf(idl);
      const { artifact, session } = mockVersion(contract, 0);
      for (const service of contract.services) bindService(contract, service.name, artifact);
      const factory = await MockFactory.of(contract.model, { artifact, session }, new Batcher());
      const servable = await factory.load(contract.model, MOCK_VERSION);
      expect(servable).to.include({ modelType: 'mock', batchable: true });
      expect(await failure(factory.load(contract.model, '1'.repeat(64)))).to.include({ code: 'NOT_FOUND' });
      factory.close();
    });

  it('feeds what has a size, and checks only what has none', () => {
    const { signature } = mockVersion(contractOf(SHAPES), 0).artifact;
    expect(signature.inputs.map(({ name, shape }) => [name, shape])).to.deep.equal([
      ['place.latitude', [-1, 1]],
      ['place.number', [-1, 1]],
      ['readings', [-1, 4]],
      ['sides', [-1, 2]],
      ['picture', [-1, 8, 8, 3]],
      ['loud', [-1, 1]],
    ]);
  });

  it('is not made of methods that have nothing in common', () => {
    const idl = PARITY_IDL.replace(
      'service Parity {',
      'struct Word { 1: optional string word }\nservice Parity { Side other(1: Word word)',
    );
    expect(() => mockVersion(contractOf(idl), 0))
      .to.throw('no field in common')
      .with.property('code', 'UNSUPPORTED');
  });

  it('answers by all values of the row and the seed, and by nothing else', () => {
    const row = (mass: number, island: string) => [Float64Array.of(mass), [island]];
    const told = (mass: number, island: string, seed = 0) => JSON.stringify(mockAnswer(row(mass, island), 3, seed));
    expect(told(4000, 'Dream')).to.equal(told(4000, 'Dream'));
    const others = [told(4001, 'Dream'), told(4000, 'Biscoe'), told(4000, 'Dream', 1), told(Number.NaN, 'Dream')];
    expect(new Set([told(4000, 'Dream'), ...others])).to.have.length(5);
    const words = (...texts: string[]) => JSON.stringify(mockAnswer([texts], 3, 0));
    expect(words('a', 'bc')).not.to.equal(words('ab', 'c'));
  });

  it('gives every class its turn, shares that sum to 1, and intervals around values', () => {
    const wins = [0, 0, 0];
    for (let i = 0; i < 3_000; i++) {
      const { probabilities, best, values } = mockAnswer([Float64Array.of(i)], 3, 0);
      wins[best]!++;
      expect(probabilities.reduce((a, b) => a + b, 0)).to.be.closeTo(1, 1e-12);
      const [low, value, high] = values(2);
      for (const at of [0, 1]) {
        expect(value[at]).to.be.within(0, 100);
        expect(low[at]).to.be.at.most(value[at]!);
        expect(high[at]).to.be.at.least(value[at]!);
      }
    }
    for (const count of wins) expect(count).to.be.within(900, 1_100);
  });
});
