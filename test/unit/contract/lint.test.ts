import { expect } from 'chai';
import { LINT_RULES, type LintRule, lint } from '#parley/contract/lint.js';
import { changed, PENGUINS, parse } from './penguins.js';

type Edit = readonly [string, string];

/** What is warned of beyond what the unchanged text is warned of, as `rule line`. */
function warnings(edits: readonly Edit[], older?: string): string[] {
  const brief = (text: string, old?: string) =>
    lint(parse(text), old === undefined ? undefined : parse(old)).map(
      ({ rule, position }) => `${rule} ${position.line}`,
    );
  const usual = brief(PENGUINS);
  return brief(changed(...edits), older).filter((warning) => !usual.includes(warning));
}

const CASES: readonly (readonly [LintRule, readonly Edit[], string[], string?])[] = [
  ['no-bounds', [[' (min = "20", max = "80")', ' (min = "20")']], ['no-bounds 9']],
  ['no-unit', [['bill_length_mm', 'bill_length']], ['no-unit 9']],
  ['no-max-bytes', [[' (values = "Biscoe,Dream")', '']], ['no-max-bytes 11']],
  ['no-length', [['2: optional i32 year', '2: optional list<i32> year']], ['no-length 10']],
  ['required', [['3: optional string', '3: required string']], ['required 11']],
  ['no-zero', [['  UNSPECIFIED = 0\n', '']], ['no-zero 3']],
  ['no-label', [['  1: optional Species species (role = "label")\n', '']], ['no-label 16']],
  ['no-acceptance', [[',\n  accept.recall = ">= 0.95",\n  accept.baseline = "majority"', '']], ['no-acceptance 20']],
  ['no-positive', [[', positive = "true"', '']], ['no-positive 15']],
  [
    'no-error',
    [
      [
        '2: parley.RequestContext context) throws (1: parley.ParleyError error)\n  list',
        '2: parley.RequestContext context)\n  list',
      ],
    ],
    ['no-error 21'],
  ],
  [
    'no-context',
    [['identify(1: Penguin penguin, 2: parley.RequestContext context)', 'identify(1: Penguin penguin)']],
    ['no-context 21'],
  ],
  ['id-reused', [['3: optional string island', '3: optional string beach']], ['id-reused 11'], PENGUINS],
  ['number-reused', [['GENTOO = 2 (label = "Gentoo"', 'KING = 2 (label = "King"']], ['number-reused 6'], PENGUINS],
];

describe('lint', () => {
  for (const [rule, edits, expected, older] of CASES) {
    it(`warns by ${rule}`, () => {
      // What is removed moves the lines of what follows it.
      expect(warnings(edits, older).filter((warning) => warning.startsWith(`${rule} `))).to.deep.equal(expected);
    });
  }

  it('warns of a number only once, though several methods take it', () => {
    expect(lint(parse(PENGUINS)).map(({ rule, position }) => `${rule} ${position.line}`)).to.deep.equal([
      'no-bounds 10',
      'no-unit 10',
    ]);
  });

  it('has a case for each rule', () => {
    const tested = CASES.map(([rule]) => rule as string);
    expect(Object.keys(LINT_RULES).filter((rule) => !tested.includes(rule))).to.deep.equal([]);
  });
});
