import { expect } from 'chai';
import type { Criterion, Verdict } from '#parley/model/version.js';
import type { WrongRows } from '#parley/registry/wrong-rows.js';
import { junitOf } from '#parley/testing/junit.js';
import { markdownOf } from '#parley/testing/markdown.js';
import { reportOf } from '#parley/testing/report.js';
import { titleOf } from '#parley/testing/title.js';
import { type Element, parseXml } from './xml.js';

const passed: Criterion = { name: 'accuracy', bound: '>= 0.9', measured: 0.95, passed: true, rows: 40 };
const failed: Criterion = {
  name: 'recall(Gentoo)',
  slice: 'sex=FEMALE',
  bound: '>= 0.9',
  measured: 0.8648648,
  intervalLow: 0.72,
  intervalHigh: 0.94,
  passed: false,
  rows: 37,
  note: 'the lower end counts',
};
const wrong: WrongRows = {
  count: 11,
  of: 37,
  rows: [
    { row: 17, truth: 'Gentoo', answer: 'Adelie', probability: 0.25, values: { bill_length_mm: 46.5, sex: 'FEMALE' } },
  ],
};

function verdictOf(...criteria: readonly Criterion[]): Verdict {
  const accepted = criteria.every((criterion) => criterion.passed);
  return {
    accepted,
    criteria,
    fixtureRows: 40,
    fixtureFingerprint: 'f'.repeat(64),
    contractFingerprint: 'c'.repeat(64),
  };
}
const report = reportOf({
  model: 'penguins',
  subject: 'penguins.onnx',
  versions: ['a'.repeat(64)],
  verdict: verdictOf(passed, failed),
  wrong: [{ count: 0, of: 40, rows: [] }, wrong],
  warnings: ['2 of 40 fixtures repeat another one; each counts'],
});
const child = ({ children }: Element, name: string) => children.filter((each) => each.name === name);

describe("a criterion's title", () => {
  const titles: readonly (readonly [Partial<Criterion>, string])[] = [
    [{}, 'recall(Gentoo)[sex=FEMALE] >= 0.9 on 37 fixtures'],
    [{ rows: 1 }, 'recall(Gentoo)[sex=FEMALE] >= 0.9 on 1 fixture'],
    [{ name: 'latency_p99_ms', bound: '<= 5' }, 'latency_p99_ms[sex=FEMALE] <= 5'],
    [{ name: 'baseline', bound: 'better than majority' }, 'baseline[sex=FEMALE]: better than majority on 37 fixtures'],
  ];
  for (const [changes, title] of titles)
    it(`is ${title}`, () => {
      expect(titleOf({ ...failed, ...changes })).to.equal(title);
    });
});

describe('an explanation', () => {
  it('says bound, figure, interval, note and the rows, with truth, answer and what was asked', () => {
    expect(report.criteria[1].explanation?.split('\n')).to.deep.equal([
      'recall(Gentoo)[sex=FEMALE] >= 0.9 on 37 fixtures',
      '  measured 0.864865 (interval 0.72 to 0.94)',
      '  the lower end counts',
      '  11 of 37 fixtures count against it; the first 1:',
      '    row 17: Gentoo, answered Adelie (0.25); bill_length_mm 46.5, sex FEMALE',
    ]);
  });

  it('is not given where the criterion is met', () => {
    expect(report.criteria[0]).not.to.have.property('explanation');
  });
});

describe('a JUnit report', () => {
  const suites = parseXml(junitOf(report));
  const [suite] = child(suites, 'testsuite');
  const [good, bad] = child(suite, 'testcase');

  it('has a test case a criterion, and counts those that failed', () => {
    expect(suites.name).to.equal('testsuites');
    expect(suite.attributes).to.include({ tests: '2', failures: '1', errors: '0' });
    expect([good, bad].map(({ attributes }) => attributes.name)).to.deep.equal(
      report.criteria.map((criterion) => criterion.title),
    );
    expect(good.children).to.deep.equal([]);
  });

  it('has the explanation in the failure', () => {
    const [failure] = child(bad, 'failure');
    expect(failure.attributes.message).to.equal('>= 0.9, measured 0.864865 (interval 0.72 to 0.94)');
    expect(failure.text).to.equal(report.criteria[1].explanation);
  });

  it('says what was tested, and what is remarkable', () => {
    const properties = Object.fromEntries(
      child(child(suite, 'properties')[0], 'property').map(({ attributes }) => [attributes.name, attributes.value]),
    );
    expect(properties).to.include({ accepted: 'false', subject: 'penguins.onnx', version: 'a'.repeat(64) });
    expect(child(suite, 'system-err')[0].text).to.equal(report.warnings[0]);
  });

  it('is XML whatever stands in a name, a row or a note', () => {
    const hostile = '<&>"\'\n\t]]>\u0000\u001b\ud800\uffff🪙&#0;<!--';
    const rows = { ...wrong, rows: [{ ...wrong.rows[0], truth: hostile, values: { [hostile]: hostile } }] };
    const nasty = { ...failed, name: hostile, slice: hostile, note: hostile };
    const text = junitOf(
      reportOf({ model: hostile, subject: hostile, verdict: verdictOf(nasty), wrong: [rows], warnings: [hostile] }),
    );
    const [testcase] = child(child(parseXml(text), 'testsuite')[0], 'testcase');
    const readable = hostile.replace(/[\u0000\u001b\uffff]|\ud800/g, '\ufffd');
    expect(testcase.attributes.classname).to.equal(`acceptance.${readable}`);
    expect(child(testcase, 'failure')[0].text).to.include(`row 17: ${readable}`);
  });
});

describe('a Markdown report', () => {
  const lines = markdownOf(report).split('\n');

  it('has a row a criterion', () => {
    expect(lines[0]).to.equal('## penguins is not accepted');
    expect(lines).to.include('| passed | accuracy &gt;= 0.9 on 40 fixtures | 0.95 |');
    expect(lines).to.include(
      '| **FAILED** | recall(Gentoo)\\[sex=FEMALE\\] &gt;= 0.9 on 37 fixtures | 0.864865 (interval 0.72 to 0.94) |',
    );
  });

  it('has the rows that count against a criterion', () => {
    expect(lines).to.include('    row 17: Gentoo, answered Adelie (0.25); bill_length_mm 46.5, sex FEMALE');
  });

  it('stays a table whatever stands in a name', () => {
    const nasty = { ...failed, name: 'a|b\n| c <script> `x` *y*' };
    const text = markdownOf(reportOf({ model: 'm', subject: 's', verdict: verdictOf(nasty) }));
    const row = text.split('\n').find((line) => line.startsWith('| **FAILED**'))!;
    expect(row.replaceAll('\\|', '').split('|')).to.have.length(5);
    expect(text).not.to.include('<script>');
  });

  it('keeps a fence around what has fences in it', () => {
    const rows = { ...wrong, rows: [{ ...wrong.rows[0], truth: '````' }] };
    const text = markdownOf(reportOf({ model: 'm', subject: 's', verdict: verdictOf(failed), wrong: [rows] }));
    expect(text.split('\n').filter((line) => line === '`````')).to.have.length(2);
  });
});
