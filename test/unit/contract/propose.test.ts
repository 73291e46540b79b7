import { expect } from 'chai';
import fc from 'fast-check';
import { labelClasses } from '#parley/contract/contract.js';
import { parseContract } from '#parley/contract/parse.js';
import { type ColumnProfile, proposeContract } from '#parley/contract/propose.js';
import { widen } from '#parley/contract/propose-field.js';
import { errorOf } from './penguins.js';

const column = (name: string, changes: Partial<ColumnProfile> = {}): ColumnProfile => ({
  name,
  kind: 'number',
  rows: 100,
  missing: 0,
  distinct: 40,
  min: 1,
  max: 9,
  ...changes,
});
const words = (name: string, values: readonly string[], changes: Partial<ColumnProfile> = {}): ColumnProfile => {
  return { name, kind: 'string', rows: 100, missing: 0, distinct: values.length, values, ...changes };
};
const SPECIES = words('Species', ['Gentoo', 'Adelie']);

function propose(columns: readonly ColumnProfile[], label: ColumnProfile = SPECIES, name = 'penguins') {
  const proposed = proposeContract({ name, label: label.name, columns: [label, ...columns] });
  const contract = parseContract({ file: 'proposed.thrift', idl: proposed.text });
  const service = contract.services[0]!;
  return { ...proposed, contract, service, ...service.methods[0]! };
}
const fieldOf = (profile: ColumnProfile) => propose([profile, column('other')]).request.fields[0]!;

describe('proposeContract', () => {
  describe('names', () => {
    for (const [original, identifier] of [
      ['Beak Length (mm)', 'beak_length_mm'],
      ['Sepal.Length', 'sepal_length'],
      ['petalWidth', 'petal_width'],
      ['GDPPerCapita', 'gdp_per_capita'],
      ['Größe', 'grosse'],
      ['humidity %', 'humidity_percent'],
      ['2nd_floor', 'column_2nd_floor'],
      ['速度', 'column'],
      ['', 'column'],
      ['class', 'class_'],
      ['constructor', 'constructor_'],
      ['__proto__', 'proto'],
      ['write', 'write_'],
    ] as const) {
      it(`calls ${JSON.stringify(original)} ${identifier}`, () => {
        expect(propose([column(original)]).identifiers.get(original)).to.equal(identifier);
      });
    }

    it('tells columns apart whose names become the same', () => {
      const { identifiers } = propose([column('a b'), column('a-b')]);
      expect([identifiers.get('a b'), identifiers.get('a-b')]).to.deep.equal(['a_b', 'a_b_2']);
    });

    it("maps the label's column to the response's field", () => {
      expect(propose([column('a')]).identifiers.get('Species')).to.equal('species');
    });

    it('keeps the label apart from the other fields of the response', () => {
      expect(propose([column('a')], words('confidence', ['a', 'b'])).identifiers.get('confidence')).to.equal(
        'confidence_2',
      );
    });

    it("names service, row and model after the project's name", () => {
      const { service, request, contract } = propose([column('a')], SPECIES, 'House prices');
      expect([service.name, request.name, contract.model]).to.deep.equal(['HousePrices', 'HousePrice', 'house_prices']);
    });

    it("does not take a generic service's name", () => {
      expect(propose([column('a')], SPECIES, 'registry').service.name).to.equal('Registry_');
    });
  });

  describe('fields', () => {
    it('have the type of their column', () => {
      const kinds = [
        column('a'),
        column('b', { kind: 'integer' }),
        column('c', { kind: 'integer', max: 3e9 }),
        column('d', { kind: 'integer', max: 1e300 }),
        column('e', { kind: 'boolean' }),
        words('f', ['x', 'y']),
      ];
      const types = propose(kinds).request.fields.map((field) => field.type);
      expect(types).to.deep.equal(['double', 'i32', 'i64', 'double', 'bool', 'string']);
    });

    it('have bounds somewhat wider than the data', () => {
      expect(fieldOf(column('bill', { min: 32.1, max: 59.6 }))).to.include({ min: 25, max: 67 });
    });

    it('may be missing where they were', () => {
      expect(fieldOf(column('a', { missing: 3 })).missing).to.deep.equal({ kind: 'allowed' });
    });

    it('must be there where they always were', () => {
      expect(fieldOf(column('a')).missing).to.deep.equal({ kind: 'refused' });
    });

    it('have the vocabulary of the data', () => {
      expect(fieldOf(words('sex', ['MALE', 'FE"\\M"ALE'])).values).to.deep.equal(['MALE', 'FE"\\M"ALE']);
    });

    for (const [what, values] of [
      ['has a comma', ['a,b', 'c']],
      ['starts with a space', [' a', 'c']],
      ['is empty', ['', 'c']],
      ['has a control character', ['a\0', 'c']],
    ] as const) {
      it(`have no vocabulary when a value ${what}`, () => {
        expect(fieldOf(words('x', values)).values).to.equal(undefined);
      });
    }

    it('have no vocabulary of more than 50 values', () => {
      const values = Array.from({ length: 51 }, (_, index) => `v${index}`);
      expect(fieldOf(words('x', values)).maxBytes).to.equal(64);
    });

    it('are the id when they differ in every row and are called so', () => {
      expect(fieldOf(column('passenger_id', { kind: 'integer', distinct: 100 })).role).to.equal('id');
    });

    it('have one id at most', () => {
      const ids = ['id', 'other_id'].map((name) => column(name, { kind: 'integer', distinct: 100 }));
      const roles = propose([...ids, column('a')]).request.fields.map((field) => field.role);
      expect(roles).to.deep.equal(['id', 'ignored', 'feature']);
    });

    it('are ignored when they are strings that differ in every row', () => {
      expect(fieldOf({ name: 'ticket', kind: 'string', rows: 100, missing: 0, distinct: 100 }).role).to.equal(
        'ignored',
      );
    });

    it('are learnt from when they are called text', () => {
      expect(fieldOf({ name: 'tweet_text', kind: 'string', rows: 100, missing: 0, distinct: 100 })).to.include({
        role: 'feature',
        maxBytes: 4096,
      });
    });

    it('are learnt from when only a few rows show that they differ', () => {
      expect(fieldOf({ name: 'ticket', kind: 'string', rows: 19, missing: 0, distinct: 19 }).role).to.equal('feature');
    });

    it('are learnt from when they are numbers, though they differ in every row', () => {
      expect(fieldOf(column('index', { distinct: 100 })).role).to.equal('feature');
    });

    it('have no bounds where the data have none', () => {
      expect(fieldOf({ name: 'a', kind: 'number', rows: 9, missing: 0, distinct: 5, min: 1 }).min).to.equal(undefined);
    });

    it('are ignored when they never have a value', () => {
      expect(fieldOf(column('a', { missing: 100, distinct: 0 })).role).to.equal('ignored');
    });

    it('are ignored when they are the same in every row', () => {
      expect(fieldOf(column('a', { distinct: 1, min: 5, max: 5 })).role).to.equal('ignored');
    });

    it('are all fed when each of them looks useless', () => {
      const useless = column('a', { distinct: 1, missing: 0 });
      expect(propose([useless]).request.fields[0]!.role).to.equal('feature');
    });
  });

  describe('the label', () => {
    it('is an enum of the classes, sorted', () => {
      expect(labelClasses(propose([column('a')]).response)).to.deep.equal(['Adelie', 'Gentoo']);
    });

    it('is an enum of few integers, in their order', () => {
      const label = column('y', { kind: 'integer', distinct: 3, values: ['10', '9', '1'] });
      expect(labelClasses(propose([column('a')], label).response)).to.deep.equal(['1', '9', '10']);
    });

    it('is an enum of integers without a gap, though they are not listed', () => {
      const label = column('y', { kind: 'integer', distinct: 3, min: 4, max: 6 });
      expect(labelClasses(propose([column('a')], label).response)).to.deep.equal(['4', '5', '6']);
    });

    it('marks the class that says yes as positive', () => {
      const { contract } = propose([column('a')], column('y', { kind: 'boolean', distinct: 2 }));
      expect(contract.enums[0]!.members.find((member) => member.positive)!.label).to.equal('true');
    });

    it('is a free string where its classes are not known', () => {
      const label: ColumnProfile = { name: 'y', kind: 'string', rows: 100, missing: 0, distinct: 99 };
      expect(propose([column('a')], label).response.fields[0]).to.include({ role: 'label', type: 'string' });
    });

    it('is a value where it is a number', () => {
      expect(propose([column('a')], column('price')).response.fields[0]).to.include({ role: 'value', type: 'double' });
    });

    it('is an enum of 20 integers', () => {
      const label = column('y', { kind: 'integer', distinct: 20, min: 1, max: 20 });
      expect(labelClasses(propose([column('a')], label).response)).to.have.length(20);
    });

    it('is a free string where its integers have gaps and are not listed', () => {
      const label = column('y', { kind: 'integer', distinct: 3, min: 1, max: 20 });
      expect(propose([column('a')], label).response.fields[0]).to.include({ role: 'label', type: 'string' });
    });

    it('is a free string where only one class is seen', () => {
      expect(propose([column('a')], words('y', ['a'])).response.fields[0]!.type).to.equal('string');
    });

    it('is a value where it has more than 20 integers', () => {
      const label = column('age', { kind: 'integer', distinct: 21 });
      expect(propose([column('a')], label).response.fields[0]!.role).to.equal('value');
    });

    it('must be one of the columns', () => {
      const error = errorOf(() => proposeContract({ name: 'a', label: 'Specis', columns: [SPECIES, column('a')] }));
      expect(error.message).to.match(/^there is no column "Specis" for the label \(did you mean "Species"\?\)/);
    });

    it('must not be the only column', () => {
      expect(errorOf(() => propose([])).message).to.match(/^"Species" is the only column/);
    });
  });

  describe('acceptance', () => {
    const bounds = (label: ColumnProfile) => propose([column('a')], label).service.accept;

    it('bounds precision, recall and latency of a classification', () => {
      expect(bounds(SPECIES).bounds.map(({ metric, text }) => `${metric} ${text}`)).to.deep.equal([
        'precision >= 0.7',
        'recall >= 0.7',
        'latency_p99_ms <= 5',
      ]);
    });

    it('bounds the explained variance of a regression', () => {
      expect(bounds(column('price')).bounds[0]!.metric).to.equal('r2');
    });

    it('asks to beat the baseline of the task', () => {
      expect([bounds(SPECIES).baseline, bounds(column('price')).baseline]).to.deep.equal(['majority', 'mean']);
    });
  });

  it('calls methods by what they do', () => {
    const names = (label: ColumnProfile) => propose([column('a')], label).service.methods.map((method) => method.name);
    expect([names(SPECIES), names(column('price'))]).to.deep.equal([
      ['classify', 'classify_many'],
      ['estimate', 'estimate_many'],
    ]);
  });

  const nasty = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(
      '*/',
      '/*',
      '//',
      '"',
      "'",
      '\\',
      '\\"',
      'a,b',
      '\n',
      '\r\n',
      '\u2028',
      '\ud800',
      'class',
      'Answer',
      '__proto__',
      '0',
      ' ',
    ),
  );
  const profile: fc.Arbitrary<ColumnProfile> = fc
    .record({
      name: nasty,
      kind: fc.constantFrom('integer', 'number', 'boolean', 'string'),
      rows: fc.nat({ max: 200 }),
      missing: fc.nat({ max: 200 }),
      distinct: fc.nat({ max: 200 }),
      bounds: fc.option(fc.tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true }))),
      values: fc.option(fc.uniqueArray(nasty, { maxLength: 60 })),
    })
    .map(({ bounds, values, kind, ...rest }) => {
      const whole = kind === 'integer' ? bounds?.map(Math.trunc) : bounds;
      return {
        ...rest,
        kind: kind as ColumnProfile['kind'],
        ...(whole ? { min: Math.min(...whole), max: Math.max(...whole) } : {}),
        ...(values ? { values } : {}),
      };
    });

  it('has no key of whole numbers that no integer holds', () => {
    const key = { name: 'key', rows: 20, missing: 0, distinct: 20, kind: 'integer', min: -(2 ** 62), max: 0 } as const;
    expect(propose([column('a'), key], SPECIES).service.methods).to.have.length(2);
  });

  it('always makes a contract that parses, with a name for each column', () => {
    const table = fc.uniqueArray(profile, { minLength: 2, maxLength: 12, selector: ({ name }) => name });
    fc.assert(
      fc.property(nasty, table, (name, columns) => {
        const { text, identifiers } = proposeContract({ name, label: columns[0]!.name, columns });
        const { request } = parseContract({ file: 'a.thrift', idl: text }).services[0]!.methods[0]!;
        const expected = columns.slice(1).map((one) => identifiers.get(one.name));
        expect(request.fields.map((field) => field.name)).to.deep.equal(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('widen', () => {
  it('never narrows', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 });
    fc.assert(
      fc.property(number, number, (a, b) => {
        const [low, high] = widen(Math.min(a, b), Math.max(a, b));
        return low <= Math.min(a, b) && high >= Math.max(a, b);
      }),
    );
  });

  it('keeps what is never negative so', () => {
    expect(widen(1, 100)).to.deep.equal([0, 130]);
  });

  it('keeps what is never positive so', () => {
    expect(widen(-100, -1)).to.deep.equal([-130, 0]);
  });

  it('leaves no dust of binary fractions', () => {
    expect(widen(0.3, 0.7)).to.deep.equal([0.2, 0.8]);
  });

  it('makes room around a single value', () => {
    expect(widen(5, 5)).to.deep.equal([3, 7]);
  });
});
