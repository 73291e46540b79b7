import { expect } from 'chai';
import { parseCell } from '#parley/contract/cell.js';
import { checkBatch, fieldColumn, problemOf } from '#parley/contract/check.js';
import type { InputField } from '#parley/contract/contract.js';
import type { Column } from '#parley/model/row.js';
import { changed, parse } from './penguins.js';

/** The field x that `declaration` declares, in place of year. */
function field(declaration: string): InputField {
  const idl = changed(['2: optional i32 year', `2: optional ${declaration}`]);
  return parse(idl).services[0]!.methods[0]!.request.fields[1]!;
}

function valuesOf(declaration: string, text: string): unknown[] {
  const cell = parseCell(field(declaration), text);
  if (!('values' in cell)) throw new Error(`${cell.path}: ${cell.message}`);
  return [...cell.values];
}

const base64 = (bytes: ArrayBufferLike | Uint8Array) => Buffer.from(bytes as ArrayBuffer).toString('base64');
const floats = (...values: number[]) => base64(Float32Array.from(values).buffer);
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0);
const PICTURE = 'binary x (encoding = "rgb8,png", height = "2", width = "1", max_bytes = "10")';
const MAP = 'map<Species, i32> x';

describe('parseCell', () => {
  const fits: readonly (readonly [string, string, readonly unknown[]])[] = [
    ['list<double> x (shape = "2")', '[1.5, -2]', [1.5, -2]],
    ['list<double> x', '[1]', [1]],
    ['list<bool> x (shape = "2")', '[true, 0]', [1, 0]],
    ['list<string> x (shape = "2")', '["a", "b,c"]', ['a', 'b,c']],
    ['list<double> x (shape = "2", missing = "allowed")', '[null, 2]', [Number.NaN, 2]],
    ['list<i32> x (shape = "2", missing = "-1", min = "0")', '[null, 2]', [-1, 2]],
    ['list<i32> x (shape = "2", missing = "-1")', '', [-1, -1]],
    ['list<string> x (shape = "2", missing = "allowed")', '', ['', '']],
    ['list<double> x (missing = "allowed")', '', []],
    ['list<double> x (missing = "allowed")', '[]', []],
    [MAP, '{"Gentoo": 7, "Adelie": 5}', [5, 7]],
    ['map<string, double> x (values = "b,a", missing = "allowed")', '{"a": 1}', [Number.NaN, 1]],
    [
      'binary x (data_type = "float32", shape = "2", max = "3")',
      floats(1, 3),
      [...Buffer.from(floats(1, 3), 'base64')],
    ],
    ['binary x (data_type = "uint8")', base64(Uint8Array.of(1, 2, 3)), [1, 2, 3]],
    ['binary x (data_type = "int16", shape = "1", missing = "-2")', '', [0xfe, 0xff]],
    ['binary x (data_type = "bool", shape = "2")', base64(Uint8Array.of(1, 0)), [1, 0]],
    [PICTURE, base64(Uint8Array.of(1, 2, 3, 4, 5, 6)), [1, 2, 3, 4, 5, 6]],
    [PICTURE, base64(PNG), [...PNG]],
  ];
  for (const [declaration, text, values] of fits) {
    it(`reads ${text || 'nothing'} as ${declaration}`, () => {
      expect(valuesOf(declaration, text)).to.deep.equal(values);
    });
  }

  const wrong: readonly (readonly [string, string, string])[] = [
    ['list<double> x (shape = "2")', '[1]', 'x: must have 2 values; got 1 values'],
    ['list<double> x (shape = "2,3")', '[1]', 'x: must have 6 values (2 x 3); got 1 values'],
    ['list<double> x', '{"a": 1}', 'x: must be a list in JSON, such as [1, 2]; got {"a": 1}'],
    ['list<double> x', '[1', 'x: must be a list in JSON, such as [1, 2]; got [1'],
    ['list<double> x', '[]', 'x: is missing; a value is required; got undefined'],
    ['list<double> x', '', 'x: is missing; a value is required; got undefined'],
    ['list<double> x', '[1, null]', 'x[1]: is missing; a value is required; got undefined'],
    ['list<double> x (max = "3")', '[1, 4]', 'x[1]: must be at most 3; got 4'],
    ['list<i16> x', '[1, 2, 3, 40000]', 'x[3]: must fit into i16; got 40000'],
    ['list<i16> x', '[1.5]', 'x[0]: must be a whole number; got 1.5'],
    ['list<double> x', '["a"]', 'x[0]: must be a number; got a'],
    ['list<double> x', '[[1]]', 'x[0]: must be a number; got [1]'],
    ['list<string> x', '[1]', 'x[0]: must be a string; got 1'],
    ['list<string> x', '[{}]', 'x[0]: must be a string; got {}'],
    ['list<string> x (values = "a,b")', '["a", "c"]', 'x[1]: must be one of a, b; got c'],
    ['list<string> x (pattern = "[a-z]+")', '["a1"]', 'x[0]: must match the pattern [a-z]+; got a1'],
    [MAP, '[1]', 'x: must be a map in JSON, such as {"a": 1}; got [1]'],
    [MAP, 'null', 'x: must be a map in JSON, such as {"a": 1}; got null'],
    [MAP, '{"Adelie": 1}', 'x[Gentoo]: is missing; a value is required; got undefined'],
    [MAP, '{"Adelie": 1, "Gento": 2}', 'x: must have no key but Adelie, Gentoo (did you mean "Gentoo"?); got Gento'],
    [MAP, '{"Adelie": 1, "Gentoo": 0.5}', 'x[Gentoo]: must be a whole number; got 0.5'],
    ['binary x (data_type = "uint8")', 'no!', 'x: must be bytes in base64; got no!'],
    [
      'binary x (data_type = "float32", shape = "2")',
      floats(1),
      'x: must be 2 elements of float32, 8 bytes; got 4 bytes',
    ],
    [
      'binary x (data_type = "float32")',
      base64(Uint8Array.of(1)),
      'x: must be elements of float32, a multiple of 4 bytes; got 1 bytes',
    ],
    ['binary x (data_type = "float32", max = "3")', floats(1, 4), 'x[1]: must be at most 3; got 4'],
    ['binary x (data_type = "float32")', floats(1, Number.NaN), 'x[1]: is missing; a value is required; got undefined'],
    ['binary x (data_type = "float32")', floats(1 / 0), 'x[0]: must be a finite number; got Infinity'],
    ['binary x (data_type = "bool")', base64(Uint8Array.of(2)), 'x[0]: must be 0 or 1; got 2'],
    [
      'binary x (data_type = "uint8", max_bytes = "2")',
      base64(Uint8Array.of(1, 2, 3)),
      'x: must be at most 2 bytes; got 3 bytes',
    ],
    [PICTURE, base64(Uint8Array.of(1)), 'x: must be a picture: 6 bytes of RGB pixels (2 x 1 x 3), or PNG; got 1 bytes'],
    [
      PICTURE,
      base64(Uint8Array.of(0xff, 0xd8, 0xff)),
      'x: must be a picture: 6 bytes of RGB pixels (2 x 1 x 3), or PNG; got 3 bytes',
    ],
  ];
  for (const [declaration, text, said] of wrong) {
    it(`refuses ${text || 'nothing'} as ${declaration}`, () => {
      const problem = parseCell(field(declaration), text);
      if ('values' in problem) throw new Error('it was taken');
      expect(`${problem.path}: ${problem.message}; got ${problem.got}`).to.equal(said);
    });
  }
});

describe('a sensitive field', () => {
  const secret = 'Secret1234';
  for (const [declaration, value] of [
    ['string x (sensitive, values = "Secret12345,b")', secret],
    ['string x (sensitive, pattern = "[0-9]+")', secret],
    ['string x (sensitive, max_bytes = "9")', secret],
    ['i32 x (sensitive, max = "9")', 1234],
    ['list<string> x (sensitive, values = "Secret12345,b")', `["b", "${secret}"]`],
    ['list<double> x (sensitive)', secret],
    ['map<string, double> x (sensitive, values = "Secret12345,b")', `{"${secret}": 1}`],
    ['binary x (sensitive, data_type = "uint8")', `${secret}!`],
    ['binary x (sensitive, data_type = "uint8", max = "9")', base64(Uint8Array.of(1, 123))],
  ] as const) {
    it(`shows nothing of what was sent: ${declaration}`, () => {
      const problem = problemOf(field(declaration), value, 'x')!;
      expect(problem).to.not.have.property('got');
      expect(problem.message).to.not.match(/Secret1234(?!5)|(?<!Secret)123|not 10|did you mean/);
    });
  }
});

describe('problemOf a pattern', () => {
  it('asks for the whole of the text', () => {
    const code = field('string x (pattern = "[A-Z]{2}[0-9]+")');
    expect(problemOf(code, 'AB12', 'x')).to.equal(undefined);
    expect(problemOf(code, 'AB12 ', 'x')).to.include({
      message: 'must match the pattern [A-Z]{2}[0-9]+',
      got: 'AB12 ',
    });
  });

  it('takes time in proportion to the text', () => {
    const trap = field('string x (pattern = "(a+)+b")');
    expect(problemOf(trap, 'a'.repeat(20_000), 'x')).to.have.property('message');
  });
});

describe('checkBatch of fields with many values', () => {
  const column = (declaration: string, values: Column) => {
    const idl = changed(['2: optional i32 year', `2: optional ${declaration}`]);
    const { request } = parse(idl).services[0]!.methods[0]!;
    const batch = { specs: [{ name: 'x', kind: 'string' as const }], rows: values.length, columns: [values] };
    const { problems } = checkBatch(
      { ...request, fields: request.fields.filter(({ name }) => name === 'x') },
      batch,
      9,
    );
    return problems.map(({ path, message }) => `${path} ${message}`);
  };

  it('keeps them in columns of strings', () => {
    for (const declaration of ['list<double> x', MAP, PICTURE]) {
      expect(fieldColumn(field(declaration))).to.deep.equal({ name: 'x', kind: 'string' });
    }
  });

  it('names the row and the element', () => {
    expect(column('list<double> x (max = "1")', ['[0]', '', '[0, 2]'])).to.deep.equal([
      'row 2: x is missing; a value is required',
      'row 3: x[1] must be at most 1',
    ]);
  });

  it('asks for text', () => {
    expect(column('list<double> x', Float64Array.of(1))).to.deep.equal([
      'x must be a column of strings, not of numbers',
    ]);
  });
});

describe('checkBatch of a union', () => {
  const idl = changed(
    ['1: optional double bill_length_mm (min = "20", max = "80")', '1: optional Weight w'],
    [
      'struct Penguin {',
      'struct Scale { 1: i32 step, 2: i32 of }\nunion Weight { 1: double grams (min = "0"), 2: Scale scale }\nstruct Penguin {',
    ],
  );
  const check = (text: string, columns: Record<string, Column>) => {
    const { request } = parse(text).services[0]!.methods[0]!;
    const specs = Object.entries(columns).map(([name]) => ({ name, kind: 'number' as const }));
    const batch = { specs, rows: 5, columns: Object.values(columns) };
    const wanted = request.fields.filter(({ name }) => name.startsWith('w.'));
    return checkBatch({ ...request, fields: wanted }, batch, 9).problems.map(
      ({ path, message }) => `${path} ${message}`,
    );
  };
  const none = Number.NaN;
  const columns = {
    'w.grams': Float64Array.of(5, none, 5, none, -5),
    'w.scale.step': Float64Array.of(none, 1, 1, none, none),
    'w.scale.of': Float64Array.of(none, none, 1, none, none),
  };

  it('asks for one of its members, and for the fields of that one', () => {
    expect(check(idl, columns)).to.deep.equal([
      'row 3: w must have one of grams, scale, not several',
      'row 4: w must have one of grams, scale; it has none',
      'row 5: w.grams must be at least 0',
      'row 2: w.scale.of is missing; a value is required',
    ]);
  });

  it('does without any where the contract says so, and without columns of members that nobody chose', () => {
    const allowed = idl.replace('Weight w', 'Weight w (missing = "allowed")');
    expect(check(allowed, { 'w.grams': Float64Array.of(5, none, 5, none, 5) })).to.deep.equal([]);
  });
});
