import { expect } from 'chai';
import { ANNOTATIONS, METRICS } from '#parley/contract/annotations.js';
import { changed, estimating, PENGUINS, parse } from './penguins.js';

/** A contract in which the example stands where its row says. */
function placed(example: string, place: string): string {
  if (place === 'enum member')
    return changed([' (label = "Gentoo", positive = "true")', ''], ['label = "Adelie"', example]);
  if (place === 'response field' && example.startsWith('shape'))
    return estimating().replace('double mass_g (role = "value")', `list<double> mass_g (role = "value", ${example})`);
  if (place === 'response field')
    return changed(
      ['role = "confidence"', example],
      ['role = "label"', 'role = "probability_of_positive"'],
      ['Species species', 'double p'],
    );
  if (place === 'service')
    return changed(
      ['accept.recall = ">= 0.95",\n  accept.baseline = "majority"', ''],
      ['model = "penguins",', /^model/.test(example) ? example : `model = "penguins", ${example}`],
    );
  const [, type, beside = ''] = WHERE.find(([keys]) => keys.test(example))!;
  return changed([
    '1: optional double bill_length_mm (min = "20", max = "80")',
    `1: optional ${type} x (${example}${beside})`,
  ]);
}

/** On which type a key means something, and what else must stand there. */
const WHERE: readonly (readonly [keys: RegExp, type: string, beside?: string])[] = [
  [/^(?:values|max_bytes|pattern)/, 'string'],
  [/^shape/, 'list<double>'],
  [/^data_type/, 'binary'],
  [/^encoding/, 'binary', ', height = "2", width = "2"'],
  [/^height/, 'binary', ', encoding = "png", width = "2"'],
  [/^width/, 'binary', ', encoding = "png", height = "2"'],
  [/^/, 'double'],
];

describe('ANNOTATIONS', () => {
  for (const { key, places, example } of ANNOTATIONS) {
    if (key === 'role' || key === 'unit') continue;
    it(`shows an example of ${key} that parses where it is said to be allowed`, () => {
      for (const place of places) expect(() => parse(placed(example, place))).not.to.throw();
    });
  }

  it('names each key once', () => {
    const keys = ANNOTATIONS.map((row) => row.key);
    expect(new Set(keys).size).to.equal(keys.length);
  });

  it('has an example of its own key in each row', () => {
    for (const { key, example } of ANNOTATIONS) expect(example.startsWith(key.split('<')[0]!)).to.equal(true, key);
  });
});

describe('METRICS', () => {
  for (const { name, task, better, ...row } of METRICS) {
    if ('needs' in row && row.needs === 'interval') continue;
    it(`knows ${name} as a metric that can be bounded`, () => {
      const bound = `accept.${name} = "${better === 'higher' ? '>=' : '<='} 0.5"`;
      const idl =
        task === 'regression'
          ? estimating().replace('accept.r2 = ">= 0.5"', bound)
          : PENGUINS.replace('accept.recall = ">= 0.95"', bound);
      expect(parse(idl).services[0]!.accept.bounds.map((found) => found.metric)).to.deep.equal([name]);
    });
  }
});
