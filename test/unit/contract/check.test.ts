import { expect } from 'chai';
import { checkBatch, fieldColumn, problemOf, requestColumns } from '#parley/contract/check.js';
import type { InputField } from '#parley/contract/contract.js';
import type { Column } from '#parley/model/row.js';
import { changed, PENGUINS, parse } from './penguins.js';

/** The one field that `declaration` declares, as the second of Penguin. */
function field(declaration: string): InputField {
  const idl = changed(['2: optional i32 year', `2: optional ${declaration}`]);
  return parse(idl).services[0]!.methods[0]!.request.fields[1]!;
}

const said = (declaration: string, value: number | string | undefined) =>
  problemOf(field(declaration), value, 'penguin.x')?.message;

describe('problemOf', () => {
  const fits: readonly (readonly [string, number | string | undefined])[] = [
    ['double x', 1.5],
    ['double x (min = "1", max = "2")', 1],
    ['double x (min = "1", max = "2")', 2],
    ['i32 x', -(2 ** 31)],
    ['i32 x', 2 ** 31 - 1],
    ['byte x', 127],
    ['i64 x', -(2 ** 63)],
    ['bool x', 0],
    ['bool x', 1],
    ['string x', 'anything'],
    ['string x (values = "a,b")', 'b'],
    ['string x (max_bytes = "4")', 'néé'.slice(0, 2)],
    ['string x (max_bytes = "3")', 'abc'],
    ['Species x', 'Gentoo'],
    ['double x (missing = "allowed")', Number.NaN],
    ['string x (missing = "allowed")', ''],
    ['string x (missing = "allowed")', undefined],
    ['i32 x = 7', undefined],
  ];
  for (const [declaration, value] of fits) {
    it(`lets ${JSON.stringify(value) ?? 'undefined'} pass as ${declaration}`, () => {
      expect(said(declaration, value)).to.equal(undefined);
    });
  }

  const wrong: readonly (readonly [string, number | string | undefined, string])[] = [
    ['double x', undefined, 'is missing; a value is required'],
    ['double x', Number.NaN, 'is missing; a value is required'],
    ['string x', '', 'is missing; a value is required'],
    ['double x_mm (min = "20", max = "80")', 19.9, 'must be between 20 and 80 mm'],
    ['double x_mm (min = "20", max = "80")', 80.1, 'must be between 20 and 80 mm'],
    ['double x (min = "20", unit = "furlongs")', 1, 'must be at least 20 furlongs'],
    ['double x_mm (max = "20", unit = "m")', 21, 'must be at most 20 m'],
    ['double x_of (max = "20")', 21, 'must be at most 20'],
    ['double x', Number.POSITIVE_INFINITY, 'must be a finite number'],
    ['double x', 'a', 'must be a number'],
    ['i32 x', 1.5, 'must be a whole number'],
    ['i32 x', Number.NEGATIVE_INFINITY, 'must be a whole number'],
    ['i32 x', 2 ** 31, 'must fit into i32'],
    ['i32 x', -(2 ** 31) - 1, 'must fit into i32'],
    ['byte x', 128, 'must fit into byte'],
    ['i16 x', 32768, 'must fit into i16'],
    ['i64 x', 2 ** 63, 'must fit into i64'],
    ['i32 x (max = "9")', 10, 'must be at most 9'],
    ['bool x', 2, 'must be true or false'],
    ['bool x', 'true', 'must be true or false'],
    ['string x', 5, 'must be a string'],
    ['Species x', 1, 'must be one of Adelie, Gentoo'],
    ['Species x', 'ADELIE', 'must be one of Adelie, Gentoo (did you mean "Adelie"?)'],
    ['Species x', 'Emperor', 'must be one of Adelie, Gentoo'],
    ['string x (values = "Biscoe,Dream")', 'Dreem', 'must be one of Biscoe, Dream (did you mean "Dream"?)'],
    ['string x (max_bytes = "3")', 'née', 'must be at most 3 bytes of UTF-8, not 4'],
  ];
  for (const [declaration, value, message] of wrong) {
    it(`says "${message}" of ${JSON.stringify(value) ?? 'undefined'} as ${declaration}`, () => {
      expect(said(declaration, value)).to.equal(message);
    });
  }

  it('says where the value stands and what it was', () => {
    expect(problemOf(field('i32 x'), 1.5, 'penguin.x')).to.include({ path: 'penguin.x', got: '1.5' });
  });

  it('shortens what was there to 64 characters', () => {
    const problem = problemOf(field('string x (max_bytes = "3")'), '🐧'.repeat(100), 'x');
    expect([...problem!.got!]).to.have.length(64);
  });

  it('lists no more than 20 values', () => {
    const values = Array.from({ length: 23 }, (_, index) => `v${index}x`).join(',');
    expect(said(`string x (values = "${values}")`, 'other')).to.match(/v19x and 3 more$/);
  });

  it('lists all of 20 values', () => {
    const values = Array.from({ length: 20 }, (_, index) => `v${index}x`).join(',');
    expect(said(`string x (values = "${values}")`, 'other')).to.match(/v18x, v19x$/);
  });

  it('never offers the value that is no choice', () => {
    expect(said('Species x', 'UNSPECIFIED')).to.equal('must be one of Adelie, Gentoo');
  });
});

describe('fieldColumn', () => {
  for (const [declaration, kind] of [
    ['bool x', 'number'],
    ['byte x', 'number'],
    ['i16 x', 'number'],
    ['i64 x', 'number'],
    ['double x', 'number'],
    ['string x', 'string'],
    ['Species x', 'string'],
  ] as const) {
    it(`keeps ${declaration} in a column of ${kind}s`, () => {
      expect(fieldColumn(field(declaration))).to.deep.equal({ name: 'x', kind });
    });
  }
});

describe('requestColumns', () => {
  it('leaves out what is not fed to the model', () => {
    const idl = changed(['i32 year', 'i32 year (role = "id")'], ['(missing = "allowed")', '(role = "ignored")']);
    const names = requestColumns(parse(idl).services[0]!.methods[0]!.request).map((column) => column.name);
    expect(names).to.deep.equal(['bill_length_mm', 'island']);
  });
});

describe('checkBatch', () => {
  const columns: Record<string, Column> = {
    tagged: Float64Array.of(0, 1, Number.NaN),
    bill_length_mm: Float64Array.of(40, 5, 41),
    year: Float64Array.of(2007, 2008, Number.NaN),
    island: ['Dream', 'Dream', 'Biscoe'],
  };
  const check = (changes: Record<string, Column | undefined>, limit = 10, idl = PENGUINS) => {
    const all = Object.entries({ ...columns, ...changes }).filter(
      (entry): entry is [string, Column] => entry[1] !== undefined,
    );
    const specs = all.map(([name, column]) => ({
      name,
      kind: Array.isArray(column) ? ('string' as const) : ('number' as const),
    }));
    const batch = { specs, rows: 3, columns: all.map(([, column]) => column) };
    return checkBatch(parse(idl).services[0]!.methods[0]!.request, batch, limit);
  };

  it('names rows from 1, and fields', () => {
    const paths = check({}).problems.map((problem) => problem.path);
    expect(paths).to.deep.equal(['row 2: bill_length_mm', 'row 3: year']);
  });

  it('counts the problems that it does not return', () => {
    const { problems, count } = check({}, 1);
    expect([problems.length, count]).to.deep.equal([1, 2]);
  });

  it('asks for a column that must be there', () => {
    const { problems } = check({ year: undefined, yaer: columns.year! });
    expect(problems[1]).to.deep.equal({ path: 'year', message: 'there is no such column (did you mean "yaer"?)' });
  });

  it('does without a column that may be missing', () => {
    expect(check({ tagged: undefined }).count).to.equal(2);
  });

  it('refuses a column of the other kind, once', () => {
    const { problems } = check({ year: ['2007', '2008', '2009'] });
    expect(problems[1]).to.deep.equal({ path: 'year', message: 'must be a column of numbers, not of strings' });
  });

  it('does not look at what is ignored', () => {
    expect(check({}, 10, changed(['i32 year', 'i32 year (role = "ignored", missing = "refused")'])).count).to.equal(1);
  });

  it('looks at an id where there is one', () => {
    expect(check({}, 10, changed(['i32 year', 'i32 year (role = "id", missing = "refused")'])).count).to.equal(2);
  });

  it('does without an id', () => {
    const idl = changed(['i32 year', 'i32 year (role = "id", missing = "refused")']);
    expect(check({ year: undefined }, 10, idl).count).to.equal(1);
  });
});
