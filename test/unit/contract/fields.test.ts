import { expect } from 'chai';
import { changed, complaints, estimating, parse } from './penguins.js';

const BILL = '1: optional double bill_length_mm (min = "20", max = "80")';

/** A contract whose request has this in place of its first field, with declarations before it. */
const withField = (declaration: string, declarations = '') =>
  changed([BILL, `1: optional ${declaration}`], ['struct Penguin {', `${declarations}\nstruct Penguin {`]);

const requestOf = (idl: string, includes?: Record<string, string>) =>
  parse(idl, includes).services[0]!.methods[0]!.request;

const field = (declaration: string, declarations?: string) =>
  requestOf(withField(declaration, declarations)).fields.find(({ path }) => path[0] === 1)!;

const MEASURES = 'struct Measures { 2: optional double depth_mm (max = "30"), 1: optional double length_mm }';
const WEIGHT =
  'union Weight { 1: double grams (min = "0"), 2: string words, 3: Scale scale }\nstruct Scale { 1: i32 step (missing = "-1") }';

describe('a request', () => {
  describe('with nested structs', () => {
    const nested = withField('Measures bill', MEASURES);

    it('has their fields, by dotted names and paths, in order', () => {
      const found = requestOf(nested).fields.map(({ name, path, id }) => [name, path, id]);
      expect(found.slice(0, 3)).to.deep.equal([
        ['bill.length_mm', [1, 1], 1],
        ['bill.depth_mm', [1, 2], 2],
        ['year', [2], 2],
      ]);
    });

    it('keeps what each field says, and where it says it', () => {
      const depth = requestOf(nested).fields[1]!;
      expect(depth).to.deep.include({ max: 30, missing: { kind: 'refused' } });
      expect(depth.position.line).to.equal(8);
    });

    it('may have one struct twice, and structs of other files', () => {
      const idl = changed(
        [BILL, '1: m.Measures bill\n  9: m.Measures wing (sensitive)'],
        ['struct Penguin {', 'include "m.thrift"\nstruct Penguin {'],
      );
      const { fields } = requestOf(idl, { 'm.thrift': MEASURES });
      expect(
        fields.filter(({ path }) => path.length === 2).map(({ name, sensitive }) => [name, sensitive]),
      ).to.deep.equal([
        ['bill.length_mm', false],
        ['bill.depth_mm', false],
        ['wing.length_mm', true],
        ['wing.depth_mm', true],
      ]);
    });

    it('is sensitive, and ignored, as deep as it goes', () => {
      const declared = `${MEASURES}\nstruct Body { 1: Measures bill }`;
      const flags = (marks: string) => requestOf(withField(`Body body (${marks})`, declared)).fields.slice(0, 2);
      expect(flags('sensitive').map(({ sensitive }) => sensitive)).to.deep.equal([true, true]);
      expect(flags('role = "ignored"').map(({ role }) => role)).to.deep.equal(['ignored', 'ignored']);
    });

    it('leaves out what is ignored with its struct', () => {
      const roles = requestOf(withField('Measures bill (role = "ignored")', MEASURES)).fields.map(({ role }) => role);
      expect(roles).to.deep.equal(['ignored', 'ignored', 'feature', 'feature', 'feature']);
    });

    it('ends, however deep structs, typedefs and constants go', () => {
      const many = (count: number, line: (at: number) => string) =>
        Array.from({ length: count }, (_, at) => line(at)).join('\n');
      const structs = `${many(5000, (at) => `struct S${at} { 1: S${at + 1} a }`)}\nstruct S5000 { 1: double x }`;
      expect(complaints(withField('S0 x', structs))[0]).to.match(/a is a struct within more than 31 others; nest less/);
      const typedefs = `typedef i32 T0\n${many(5000, (at) => `typedef T${at} T${at + 1}`)}`;
      expect(complaints(withField('T5000 x', typedefs))[0]).to.match(/one of more than 100 that lead to each other/);
      const maps = `typedef i32 T0\n${many(60, (at) => `typedef map<T${at}, T${at}> T${at + 1}`)}`;
      expect(complaints(withField('T60 x', maps))[0]).to.match(/x is a map to something else than numbers/);
      const constants = `${many(5000, (at) => `const i32 C${at} = C${at + 1}`)}\nconst i32 C5000 = 1`;
      expect(complaints(withField('i32 x = C0', constants))[0]).to.match(/the default of x is not an i32/);
    });

    for (const inner of ['1: double x', '', '1: set<double> x']) {
      it(`ends, however often structs hold structs of {${inner}}`, () => {
        const levels = Array.from(
          { length: 28 },
          (_, level) => `struct L${level} { 1: L${level + 1} a, 2: L${level + 1} b }`,
        );
        const idl = withField('L0 deep', [...levels, `struct L28 { ${inner} }`].join('\n'));
        expect(complaints(idl).some((complaint) => /more than 10000 fields/.test(complaint))).to.equal(true);
      });
    }

    it('is told of a type that there is none of, however long its name', () => {
      const name = 'x'.repeat(50_000);
      expect(complaints(withField(`${name} y`, `struct ${name}z { 1: double x }`))[0]).to.match(/there is no type x+$/);
    });
  });

  describe('with a union', () => {
    const idl = withField('Weight weight', WEIGHT);

    it('has its members, and the fields of all of them', () => {
      expect(requestOf(idl).unions).to.deep.equal([
        {
          name: 'weight',
          path: [1],
          members: [
            { id: 1, name: 'grams' },
            { id: 2, name: 'words' },
            { id: 3, name: 'scale' },
          ],
          missing: 'refused',
        },
      ]);
      expect(
        requestOf(idl)
          .fields.slice(0, 3)
          .map(({ name, path }) => [name, path]),
      ).to.deep.equal([
        ['weight.grams', [1, 1]],
        ['weight.words', [1, 2]],
        ['weight.scale.step', [1, 3, 1]],
      ]);
    });

    it('may do without it where the contract says so', () => {
      const { unions } = requestOf(withField('Weight weight (missing = "allowed")', WEIGHT));
      expect(unions![0]!.missing).to.equal('allowed');
    });

    it('has none where it is ignored', () => {
      expect(requestOf(withField('Weight weight (role = "ignored")', WEIGHT))).to.not.have.property('unions');
    });
  });

  describe('with many values in a field', () => {
    const tensors: readonly (readonly [string, object, string?])[] = [
      ['list<double> x (shape = "4")', { from: 'list', shape: [4] }],
      ['list<i32> x (shape = "2, 3", min = "0")', { from: 'list', shape: [2, 3] }],
      ['list<bool> x', { from: 'list', shape: [-1] }],
      ['list<string> x (values = "a,b", shape = "-1")', { from: 'list', shape: [-1] }],
      ['map<string, double> x (values = "b,a")', { from: 'map', shape: [2], keys: ['b', 'a'] }],
      ['binary x (data_type = "float32", shape = "2,2")', { from: 'binary', shape: [2, 2], dataType: 'float32' }],
      ['binary x (data_type = "uint8", max_bytes = "9")', { from: 'binary', shape: [-1], dataType: 'uint8' }],
      [
        'binary x (encoding = "jpeg, rgb8", height = "4", width = "3")',
        { from: 'binary', shape: [4, 3, 3], encodings: ['rgb8', 'jpeg'] },
      ],
    ];
    for (const [declaration, tensor] of tensors) {
      it(`reads ${declaration}`, () => {
        expect(field(declaration).tensor).to.deep.equal(tensor);
      });
    }

    it('reads a map that is keyed by an enum as its labels, in the order of their numbers', () => {
      const declared = 'enum Sex { UNSPECIFIED, F = 2 (label = "female"), M = 1 (label = "male") }';
      const { tensor, type } = field('map<Sex, i16> counts', declared);
      expect(tensor).to.deep.include({ from: 'map', shape: [2], keys: ['male', 'female'] });
      expect([type, tensor!.keyEnum!.name]).to.deep.equal(['i16', 'Sex']);
    });

    it('has the type of one of them', () => {
      expect(field('list<i64> x').type).to.equal('i64');
      expect(field('binary x (data_type = "float64", shape = "1", max = "2e9")')).to.include({
        type: 'byte',
        max: 2e9,
      });
    });

    it('keeps the bounds of each', () => {
      expect(field('list<string> x (max_bytes = "9", pattern = "a+")')).to.include({ maxBytes: 9, pattern: 'a+' });
    });
  });

  describe('with typedefs', () => {
    const MM = 'typedef double Length (unit = "mm", min = "0")\ntypedef Length Bill (max = "80")';

    it('inherits what stands behind them, the nearest first', () => {
      expect(field('Bill x', MM)).to.include({ unit: 'mm', min: 0, max: 80 });
      expect(field('Bill x (min = "5", max = "9")', MM)).to.include({ unit: 'mm', min: 5, max: 9 });
    });

    it('inherits it for each value of a list', () => {
      expect(field('list<Length> x (shape = "2")', MM)).to.include({ unit: 'mm', min: 0 });
    });

    it('leaves out in an answer what only a request has', () => {
      const idl = changed(
        ['optional double confidence', 'optional Bill confidence'],
        ['struct Penguin {', `${MM}\nstruct Penguin {`],
      );
      expect(parse(idl).services[0]!.methods[0]!.response.fields[1]).to.include({ unit: 'mm', type: 'double' });
    });

    it('is told where a typedef is wrong', () => {
      expect(complaints(withField('Length x', 'typedef double Length (mim = "0")'))[0]).to.match(
        /^8:24 there is no annotation mim/,
      );
      expect(complaints(withField('Length x', 'typedef string Length (min = "0")'))[0]).to.match(
        /^8:30 min is for numbers/,
      );
      expect(complaints(withField('Length x', 'typedef double Length (model = "m")'))[0]).to.match(
        /^8:24 .*belongs on a service/,
      );
    });

    it('ends on a typedef of a list of itself', () => {
      expect(complaints(withField('Y x', 'typedef list<Y> Y'))[0]).to.match(/the typedef Y leads back to itself/);
    });
  });

  describe('what is missing', () => {
    it('may have a number that stands for it, within the bounds or not', () => {
      expect(field('i32 x (min = "0", missing = "-1")').missing).to.deep.equal({ kind: 'default', value: -1 });
      expect(field('list<double> x (missing = "0")').missing).to.deep.equal({ kind: 'default', value: 0 });
    });
  });

  for (const [role, type] of [
    ['time', 'i64'],
    ['time', 'string'],
    ['weight', 'double'],
  ]) {
    it(`may have a ${role} of ${type}, which may be missing`, () => {
      expect(field(`${type} x (role = "${role}")`)).to.deep.include({ role, missing: { kind: 'allowed' } });
    });
  }
});

describe('a regression', () => {
  const answer = (fields: string) => estimating().replace('1: optional double mass_g (role = "value")', fields);

  it('may say an interval, and lists of values', () => {
    const idl = answer(
      '1: list<double> mass_g (role = "value", shape = "3")\n 2: list<double> low (role = "interval_low", shape = "3")\n 3: list<double> high (role = "interval_high", shape = "3")',
    );
    const { fields } = parse(idl).services[0]!.methods[0]!.response;
    expect(fields.slice(0, 3).map(({ role, shape }) => [role, shape])).to.deep.equal([
      ['value', [3]],
      ['interval_low', [3]],
      ['interval_high', [3]],
    ]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    [
      'a list without shape',
      '1: list<double> mass_g (role = "value")',
      /mass_g is a list, and nothing says of how many/,
    ],
    ['an open list', '1: list<double> mass_g (role = "value", shape = "-1")', /shape of an answer must be whole/],
    ['a shape on one value', '1: double mass_g (role = "value", shape = "2")', /shape is for lists/],
    ['a list of other numbers', '1: list<i32> mass_g (role = "value", shape = "2")', /must be double or list<double>/],
    ['an end without a value', '1: double low (role = "interval_low")', /no field with the role "value"/],
    [
      'an end of another shape',
      '1: double mass_g (role = "value"), 2: list<double> low (role = "interval_low", shape = "2")',
      /low must have the type and shape of mass_g/,
    ],
  ];
  for (const [what, fields, message] of refused) {
    it(`cannot have ${what}`, () => {
      expect(complaints(answer(fields))[0]).to.match(message);
    });
  }
});

describe('a service that extends another', () => {
  const BASE = `service Base { Identified first(1: Penguin penguin) }\n`;
  const extended = changed(['service Penguins {', `${BASE}service Penguins extends Base {`]);
  const methods = (idl: string, includes?: Record<string, string>) =>
    parse(idl, includes).services.map(({ name, methods: all }) => [name, all.map((method) => method.name)]);

  it('has its methods behind its own, and the base needs no model', () => {
    expect(methods(extended)).to.deep.equal([['Penguins', ['identify', 'identify_many', 'first']]]);
  });

  it('leaves a base that names the model as a service of its own', () => {
    const idl = extended.replace('penguin) }', 'penguin) } (model = "penguins")');
    expect(methods(idl).map(([name]) => name)).to.deep.equal(['Base', 'Penguins']);
  });

  it('finds it in another file, and those that it extends there', () => {
    const base = `struct P { 1: double x }\nstruct A { 1: string y (role = "label") }\nservice Root { A root(1: P p) }\nservice Base extends Root { A first(1: P p) }`;
    const idl = changed(['service Penguins {', 'include "base.thrift"\nservice Penguins extends base.Base {']);
    expect(methods(idl, { 'base.thrift': base })).to.deep.equal([
      ['Penguins', ['identify', 'identify_many', 'first', 'root']],
    ]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['one that there is not', 'service Penguins extends Bases {', /^20:18 there is no service Bases to extend/],
    ['a misspelt one', `${BASE}service Penguins extends Bose {`, /to extend \(did you mean "Base"\?\)/],
    ['a struct', 'service Penguins extends Penguin {', /Penguin is not a service, and only a service can be/],
    ['itself', 'service Penguins extends Penguins {', /Penguins leads back to itself: Penguins extends Penguins/],
    ["one of Parley's", 'service Penguins extends parley.Operations {', /answers on the same port already/],
    [
      'one with a method of the same name',
      `${BASE.replace('first', 'identify')}service Penguins extends Base {`,
      /^20:27 Penguins and Base, which it extends, both have a method called identify/,
    ],
  ];
  for (const [what, line, message] of refused) {
    it(`cannot extend ${what}`, () => {
      expect(complaints(changed(['service Penguins {', line])).join('\n')).to.match(message);
    });
  }
});

describe('a field that cannot be bound is refused, with its place:', () => {
  const refused: readonly (readonly [string, RegExp, string?])[] = [
    ['list<list<double>> x', /^9:34 x is a list .*write one list, row by row, with shape/],
    ['list<Species> x', /x is a list .*write list<string> with values/],
    ['list<Measures> x', /x is a list .*send several rows/, MEASURES],
    ['i32 x (min = "0.5", max = "0.7")', /no whole number is between min 0.5 and max 0.7/],
    ['binary x (data_type = "float32", missing = "1e39")', /missing = "1e\+39" must fit into float32/],
    ['list<double> x (shape = "2,0")', /shape must be whole numbers from 1 on/],
    ['list<double> x (shape = "2,-1")', /shape must be whole numbers from 1 on/],
    ['list<double> x (shape = "99999,99999")', /shape has more than 8 extents, or 67108864 values/],
    ['list<double> x (values = "a")', /values is for strings, and this field is a list of double/],
    ['list<double> x = [1]', /the default of x is one of a list of double, which has none/],
    ['double x (shape = "2")', /shape is for lists, and binary with a data_type, and this field is a double/],
    ['map<i32, double> x', /x is a map whose keys are neither an enum nor strings/],
    ['map<string, double> x', /x is a map whose keys are not known; name them, as in \(values = "a,b"\)/],
    ['map<string, string> x (values = "a")', /x is a map to something else than numbers/],
    ['map<Species, double> x (values = "a")', /values is for strings.*its keys are its enum's members/],
    ['binary x', /x is binary, and nothing says of what/],
    ['binary x (data_type = "float16")', /data_type must be one of float32, float64.*not "float16"/],
    ['binary x (encoding = "png")', /x is a picture, and needs its size/],
    ['binary x (encoding = "gif", height = "1", width = "1")', /encoding must be one or more of rgb8, png, jpeg/],
    ['binary x (encoding = "png", height = "0", width = "1")', /height must be a whole number from 1 to 16384/],
    ['binary x (encoding = "png", height = "1", width = "1", missing = "allowed")', /a picture cannot be missing/],
    [
      'binary x (encoding = "rgb8", height = "2", width = "2", max_bytes = "11")',
      /max_bytes leaves no room for rgb8, which has 12/,
    ],
    [
      'binary x (encoding = "png", height = "1", width = "1", data_type = "int8")',
      /data_type is for binary without an encoding/,
    ],
    [
      'binary x (encoding = "png", height = "1", width = "1", min = "1")',
      /min is for numbers, and this field is a picture/,
    ],
    ['double x (height = "1")', /height is for pictures in binary, and this field is a double/],
    ['binary x (data_type = "uint8", max = "-1")', /max -1 is less than any uint8 can be/],
    ['string x (pattern = "a(?=b)")', /^9:35 pattern is not a regular expression of RE2's syntax/],
    ['string x (pattern = "(a")', /pattern is not a regular expression.*missing closing \)/],
    ['string x (pattern = "[0-9]+", values = "1,b")', /"b" does not match the pattern/],
    ['double x (pattern = "a")', /pattern is for strings, and this field is a double/],
    ['i32 x (missing = "1.5")', /missing = "1.5" must fit into i32/],
    ['byte x (missing = "200")', /missing = "200" must fit into byte/],
    ['string x (missing = "-1")', /missing must be one of refused, allowed, default; not "-1"/],
    ['double x (role = "time")', /a time is an i64 .*or a string .*, not a double/],
    ['string x (role = "weight")', /a weight is a number, not a string/],
    ['list<i64> x (role = "id")', /an id is a string or an integer, not a list of i64/],
    ['Measures x (min = "1")', /^9:27 min is not for a struct; write it behind the fields of Measures/, MEASURES],
    ['Measures x (missing = "allowed")', /missing is not for a struct/, MEASURES],
    ['Measures x = {}', /a struct cannot have a default value/, MEASURES],
    [
      'Loop x',
      /inner holds its own kind \(Penguin > Loop > Loop\)/,
      'struct Loop { 1: optional Loop inner, 2: double y }',
    ],
    ['Penguin x', /x holds its own kind \(Penguin > Penguin\)/],
    [
      'Either x',
      /b is a union within a union/,
      'union Other { 1: double c }\nunion Either { 1: double a, 2: Other b }',
    ],
    ['Either x', /a is a member of a union, where a default value would choose it/, 'union Either { 1: double a = 1 }'],
    ['Either x', /the union Either has no member/, 'union Either { }'],
    ['Oops x', /x is an exception, which a request cannot hold/, 'exception Oops { 1: double a }'],
  ];
  for (const [declaration, message, declarations = ''] of refused) {
    it(declarations === '' ? declaration : `${declaration} of ${declarations.replaceAll('\n', ' ')}`, () => {
      const before = declarations.replaceAll('\n', ' ');
      const idl = changed([BILL, `1: optional ${declaration}`], ['enum Species {', `${before} enum Species {`]);
      expect(complaints(idl).join('\n')).to.match(message);
    });
  }
});
