import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parseContract } from '#parley/contract/parse.js';
import { ParleyError } from '#parley/errors.js';
import { readChecks } from '#parley/registry/acceptance/checks-file.js';
import { partsOfSuite, suiteBytes } from '#parley/registry/acceptance/suite-bytes.js';
import { PENGUINS } from '../unit/contract/penguins.js';

const [method] = parseContract({ file: 'penguins.thrift', idl: PENGUINS }).services[0]!.methods;

function problemsOf(text: string): string[] {
  try {
    readChecks(text, method!);
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    expect(error.code).to.equal('INVALID_INPUT');
    return error.problems.length === 0
      ? [error.message]
      : error.problems.map(({ path, message }) => `${path} ${message}`);
  }
  throw new Error('nothing was refused');
}

const direction = (more: string, of = 'probability(Gentoo)') =>
  `directions:\n  - name: d\n    of: ${of}\n    must: increase\n    ${more}\n`;

describe('checks.yaml', () => {
  it('is read with what it leaves out', () => {
    const { directions, invariances, cases } = readChecks(direction('add: { year: 1 }'), method!);
    expect(directions).to.deep.equal([
      { name: 'd', of: 'probability(Gentoo)', must: 'increase', add: { year: 1 }, at_least: 1, tolerance: 1e-6 },
    ]);
    expect([invariances, cases]).to.deep.equal([[], []]);
  });

  it('of the example fits its contract', () => {
    const idl = readFileSync('examples/penguins/penguins.thrift', 'utf8');
    const { services } = parseContract({ file: 'penguins.thrift', idl });
    const checks = readChecks(readFileSync('examples/penguins/checks.yaml', 'utf8'), services[0]!.methods[0]!);
    expect(checks.directions[0]!.name).to.include('a heavier penguin');
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['what is not YAML', 'directions: [', /^checks.yaml:1:1\d /],
    ['nothing', '', /^checks.yaml:1:1 .*there is no check/],
    [
      'an unknown kind',
      'directionz: []',
      /^checks.yaml:1:13 directionz is no key here \(did you mean "directions"\?\)/,
    ],
    [
      'an unknown key',
      direction('ad: { year: 1 }'),
      /^checks.yaml:5:9 directions.0.ad is no key here \(did you mean "add"\?\)/,
    ],
    ['no name', 'cases:\n  - row: {}\n    answer: Gentoo\n', /^checks.yaml:2:5 cases.0.name is missing/],
    [
      'what is no direction',
      direction('add: { year: 1 }').replace('increase', 'grow'),
      /^checks.yaml:4:11 directions.0.must is not right/,
    ],
    [
      'no change',
      direction('at_least: 0.5'),
      /^checks.yaml:2:5 directions.0 changes nothing; give it set, add or multiply/,
    ],
    ['a change made twice', direction('add: { year: 1 }\n    multiply: { year: 2 }'), /changes year twice/],
    [
      'an unknown field',
      direction('add: { yeer: 1 }'),
      /^checks.yaml:5:18 .*no single value yeer \(did you mean "year"\?\)/,
    ],
    ['text that is added to', direction('add: { island: 1 }'), /directions.0.add.island is of a string/],
    ['a value out of the vocabulary', direction('set: { island: Draem }'), /must be one of Biscoe, Dream/],
    [
      'a slice that no row is in',
      direction('add: { year: 1 }\n    where: { bill_length_mm: 99 }'),
      /bill_length_mm must be between 20 and 80/,
    ],
    [
      'a class that is none',
      direction('add: { year: 1 }', 'probability(Gentu)'),
      /^checks.yaml:3:9 .*names no class \(did you mean "Gentoo"\?\)/,
    ],
    ['a figure that is none', direction('add: { year: 1 }', 'label'), /must be as in probability\(Gentoo\)/],
    [
      'a row that lacks a field',
      'cases:\n  - { name: c, row: { year: 2007, island: Dream }, answer: Gentoo }',
      /^checks.yaml:2:21 cases.0.row lacks bill_length_mm/,
    ],
    [
      'an answer that is no class',
      'cases:\n  - { name: c, row: { year: 2007, island: Dream, bill_length_mm: 40 }, answer: 3 }',
      /is no class/,
    ],
    [
      'a name that is there twice',
      `${direction('add: { year: 1 }')}invariances: [{ name: d, set: { year: 1 } }]`,
      /is the name of an earlier check/,
    ],
    ['what is larger than any list of checks', `# ${'x'.repeat(300_000)}`, /at most 262144 are read/],
    [
      'aliases that grow',
      `a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: &d [*c,*c]\ne: &e [*d,*d]\nf: [*e,*e]\n`,
      /alias/i,
    ],
  ];
  for (const [what, text, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(problemsOf(text)[0]).to.match(message);
    });
  }
});

describe('the bytes of a suite', () => {
  const fixtures = Buffer.from('a,b\n1,2\n');

  it('are the fixtures’ own without checks, so that their fingerprint stays', () => {
    expect(suiteBytes(fixtures, undefined)).to.equal(fixtures);
    expect(partsOfSuite(fixtures)).to.deep.equal({ fixtures });
  });

  it('give both back', () => {
    const checks = 'cases: [] # größer\n';
    const parts = partsOfSuite(suiteBytes(fixtures, checks));
    expect(parts.checks).to.equal(checks);
    expect(Buffer.from(parts.fixtures).equals(fixtures)).to.equal(true);
  });

  it('are refused where they end early', () => {
    expect(() => partsOfSuite(suiteBytes(Buffer.alloc(0), 'cases: []').subarray(0, -2))).to.throw('ends inside');
  });
});
