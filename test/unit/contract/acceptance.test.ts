/** `accept.*` in the general form: what is read, and what is refused where. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ANNOTATIONS, METRICS } from '#parley/contract/annotations.js';
import type { MetricRow } from '#parley/contract/metrics.js';
import { parseContract } from '#parley/contract/parse.js';
import type { Problem } from '#parley/errors.js';
import { changed, errorOf, estimating, parse } from './penguins.js';

const RECALL = 'accept.recall = ">= 0.95"';
const withBound = (annotation: string) => changed([RECALL, annotation]);
const boundsOf = (annotation: string) => parse(withBound(annotation)).services[0]!.accept.bounds;

const problemsOf = (idl: string): readonly Problem[] =>
  errorOf(() => parseContract({ file: 'p.thrift', idl })).problems;

describe('a bound in the general form', () => {
  const read: readonly (readonly [string, object])[] = [
    ['accept.1 = "recall >= 0.9"', { metric: 'recall', comparison: '>=', bound: 0.9, text: '>= 0.9' }],
    ['accept.2 = "recall(Gentoo)>=0.9"', { metric: 'recall', argument: 'Gentoo', text: '>=0.9' }],
    [
      'accept.3 = " f1 ( macro ) [ island = Biscoe , tagged=true ] >= .8 "',
      {
        metric: 'f1',
        argument: 'macro',
        slice: [
          { field: 'island', value: 'Biscoe' },
          { field: 'tagged', value: 'true' },
        ],
        bound: 0.8,
      },
    ],
    [
      'accept.4 = "f1.drop[year=2007] <= 0.01"',
      { relativeTo: 'production', slice: [{ field: 'year', value: '2007' }] },
    ],
    ['accept.5 = "accuracy.gain >= 0.1"', { metric: 'accuracy', relativeTo: 'baseline' }],
    [
      'accept.6 = "recall[island=\'Dream\',tagged=] >= 0.1"',
      {
        slice: [
          { field: 'island', value: 'Dream' },
          { field: 'tagged', value: '' },
        ],
      },
    ],
    ['accept.f1.drop = "<= 0.01"', { metric: 'f1', relativeTo: 'production', comparison: '<=', bound: 0.01 }],
    ['accept.f1.gain = ">= 0.2"', { metric: 'f1', relativeTo: 'baseline' }],
    ['accept.roc_auc = ">= 0.9"', { metric: 'roc_auc' }],
  ];
  for (const [annotation, expected] of read) {
    it(`reads ${annotation}`, () => {
      expect(boundsOf(annotation)).to.have.length(1);
      expect(boundsOf(annotation)[0]).to.deep.include(expected);
    });
  }

  it('reads a quantile and its level', () => {
    const idl = estimating().replace('accept.r2 = ">= 0.5"', 'accept.1 = "pinball(0.9) <= 2"');
    expect(parse(idl).services[0]!.accept.bounds[0]).to.include({ metric: 'pinball', argument: '0.9' });
  });

  it('reads bounds on an interval where the answer has one, and says which end is missing where not', () => {
    const idl = estimating().replace(
      'accept.r2 = ">= 0.5"',
      'accept.1 = "interval_coverage >= 0.9", accept.interval_width = "<= 9"',
    );
    const low = '1: optional double mass_g (role = "value")\n  2: optional double low (role = "interval_low")';
    const withLow = idl.replace('1: optional double mass_g (role = "value")', low);
    const both = withLow.replace(
      '"interval_low")',
      '"interval_low")\n  3: optional double high (role = "interval_high")',
    );
    const bounds = parse(both).services[0]!.accept.bounds;
    expect(bounds.map(({ metric }) => metric)).to.deep.equal(['interval_coverage', 'interval_width']);
    expect(problemsOf(idl)[0]!.message).to.include('Identified has no field of role interval_low');
    expect(
      problemsOf(withLow)
        .map(({ message }) => message)
        .join(),
    ).to.include('interval_high');
  });

  it('reads any number of them, in order, with confidence and the fewest fixtures', () => {
    const { bounds, confidence, minFixtures } = parse(
      withBound(
        'accept.7 = "f1 >= 0.5", accept.3 = "f1[year=2007] >= 0.4", accept.confidence = "0.9", accept.min_fixtures = "20"',
      ),
    ).services[0]!.accept;
    expect(bounds.map(({ bound }) => bound)).to.deep.equal([0.5, 0.4]);
    expect({ confidence, minFixtures }).to.deep.equal({ confidence: 0.9, minFixtures: 20 });
  });

  // Line 25, and the text's quote in column 14.
  const refused: readonly (readonly [string, RegExp])[] = [
    ['accept.1 = "recal >= 0.9"', /^p.thrift:25:15 there is no metric recal \(did you mean "recall"\?\)$/],
    [
      'accept.1 = "recall(Gentu) >= 0.9"',
      /^p.thrift:25:22 there is no class Gentu \(did you mean "Gentoo"\?\); recall is of Adelie/,
    ],
    ['accept.1 = "recall[sax=MALE] >= 0.9"', /^p.thrift:25:22 Penguin has no field sax/],
    ['accept.1 = "recall[islnd=Dream] >= 0.9"', /no field islnd \(did you mean "island"\?\)/],
    [
      'accept.1 = "recall[island=Draem] >= 0.9"',
      /^p.thrift:25:29 island must be one of Biscoe, Dream \(did you mean "Dream"\?\), so "Draem" is no row's$/,
    ],
    ['accept.1 = "recall[bill_length_mm=90] >= 0.9"', /bill_length_mm must be between 20 and 80 mm/],
    ['accept.1 = "recall[year=soon] >= 0.9"', /year must be a number/],
    ['accept.1 = "recall[tagged=1] >= 0.9"', /tagged must be true or false/],
    ['accept.1 = "recall[island=] >= 0.9"', /island is missing; a value is required/],
    ['accept.1 = "recall[island=Dream,island=Biscoe] >= 0.9"', /^p.thrift:25:35 the slice names island twice/],
    [
      'accept.1 = "precision >= 1.2"',
      /^p.thrift:25:15 precision >= 1.2 cannot be met: precision is never more than 1$/,
    ],
    ['accept.1 = "precision <= 0.9"', /precision is better when it is higher, so its bound starts with >=/],
    ['accept.1 = "f1.drop >= 0.1"', /the drop of f1 is better when it is lower, so its bound starts with <=/],
    ['accept.f1.drop = "<= -1.5"', /the drop of f1 <= -1.5 cannot be met: the drop of f1 is never less than -1/],
    ['accept.f1.gain = ">= 1.5"', /the gain of f1 >= 1.5 cannot be met/],
    ['accept.f1.drop = "0.1"', /accept.f1.drop must be a comparison and a number, such as "<= 0.01"/],
    ['accept.latency_p99_ms.drop = "<= 1"', /latency_p99_ms is not of answers/],
    ['accept.1 = "latency_p99_ms[year=2007] <= 1"', /^p.thrift:25:30 latency_p99_ms is not of rows/],
    ['accept.roc_auc.gain = ">= 0.1"', /roc_auc needs probabilities, and the baseline answers none/],
    ['accept.1 = "accuracy(Gentoo) >= 0.9"', /accuracy takes no argument; leave \(Gentoo\) out/],
    ['accept.1 = "roc_auc(micro) >= 0.9"', /there is no class micro/],
    ['accept.1 = "rmse <= 2"', /rmse measures a regression, and this service answers with a classification/],
    ['accept.1 = "recall"', /^p.thrift:25:21 expected a comparison: >=, >, <= or <, found the end; write it as in/],
    ['accept.1 = "recall >= many"', /expected a number behind >=, found "many"/],
    ['accept.1 = "recall[island=Dream >= 0.9"', /expected \] behind the slice|must be one of/],
    ['accept.1 = "recall( >= 0.9"', /expected \) behind an argument|expected/],
    ['accept.1 = "recall.fall >= 0.9"', /expected ".drop" or ".gain", not ".fall"/],
    ['accept.1 = ">= 0.9"', /^p.thrift:25:15 expected the name of a metric, found ">= 0.9"/],
    ['accept.0 = "recall >= 0.9"', /there is no metric 0/],
    [`${RECALL}, accept.1 = "recall >= 0.9"`, /accept.recall bounds the same already; keep one/],
    [
      'accept.1 = "f1[year=2007,island=Dream] >= 0.9", accept.2 = "f1[island=Dream,year=2007] >= 0.8"',
      /accept.1 bounds the same already/,
    ],
    ['accept.1 = "f1 >= 0.9", accept.1 = "f1 >= 0.8"', /accept.1 is given twice/],
    [
      'accept.confidence = "95"',
      /accept.confidence must be from 0.5 to below 1, such as "0.95" \(did you mean "0.95"\?\)/,
    ],
    ['accept.confidence = "1"', /from 0.5 to below 1/],
    ['accept.min_fixtures = "0"', /a whole number of rows, 1 or more/],
    ['accept.min_fixtures = "2.5"', /a whole number of rows/],
  ];
  for (const [annotation, message] of refused) {
    it(`refuses ${annotation}`, () => {
      const [problem] = problemsOf(withBound(annotation));
      expect(`${problem!.path} ${problem!.message}`).to.match(message);
    });
  }

  it('is refused beside what else is wrong, all at once', () => {
    const problems = problemsOf(withBound('accept.1 = "recall(x)[y=1] >= 2"'));
    expect(problems.map(({ path }) => path)).to.deep.equal(['p.thrift:25:15', 'p.thrift:25:22', 'p.thrift:25:25']);
  });
});

describe('the fingerprint of a contract with such bounds', () => {
  const fingerprint = (annotation: string) => parse(withBound(annotation)).fingerprint;
  const base = fingerprint('accept.1 = "recall(Gentoo)[year=2007,island=Dream] >= 0.9"');

  it('is the same however the bound is written and numbered', () => {
    expect(fingerprint('accept.9 = " recall(Gentoo) [island=\'Dream\', year=2007] >= 0.90"')).to.equal(base);
    expect(fingerprint('accept.1 = "recall >= 0.95"')).to.equal(fingerprint(RECALL));
    expect(fingerprint('accept.1 = "f1.drop <= 0.1"')).to.equal(fingerprint('accept.f1.drop = "<= 0.1"'));
  });

  it('changes with each part of its meaning', () => {
    const others = [
      'accept.1 = "recall[year=2007,island=Dream] >= 0.9"',
      'accept.1 = "recall(Adelie)[year=2007,island=Dream] >= 0.9"',
      'accept.1 = "recall(Gentoo)[year=2008,island=Dream] >= 0.9"',
      'accept.1 = "recall(Gentoo)[year=2007] >= 0.9"',
      'accept.1 = "recall(Gentoo) >= 0.9"',
      'accept.1 = "recall(Gentoo).gain[year=2007,island=Dream] >= 0.9"',
      'accept.1 = "recall(Gentoo)[year=2007,island=Dream] >= 0.9", accept.confidence = "0.9"',
      'accept.1 = "recall(Gentoo)[year=2007,island=Dream] >= 0.9", accept.min_fixtures = "9"',
    ].map(fingerprint);
    expect(new Set([base, ...others]).size).to.equal(others.length + 1);
  });
});

describe('docs/acceptance.md', () => {
  const page = readFileSync('docs/acceptance.md', 'utf8');

  it('names every key of acceptance', () => {
    const keys = ANNOTATIONS.map(({ key }) => key).filter((key) => key.startsWith('accept.'));
    const rows = [...page.matchAll(/^\| `(accept\.[^`]+)` \|/gm)].map(([, key]) => key);
    expect(rows.sort()).to.deep.equal(keys.sort());
  });

  it('names every metric as the table has it', () => {
    const rows = METRICS.map(({ name, task, better, meaning, argument }: MetricRow) => {
      const averages = typeof argument === 'string' ? [] : (argument ?? []).map((average) => `\`${average}\``);
      const taken = argument === 'level' ? 'a level, `0.9`' : ['a class', ...averages].join(', ');
      return `| \`${name}\` | ${task} | ${better} | ${argument === undefined ? '' : taken} | ${meaning} |`;
    });
    expect(page).to.include(`|---|---|---|---|---|\n${rows.join('\n')}\n\n`);
  });
});
