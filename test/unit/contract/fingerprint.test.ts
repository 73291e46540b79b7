import { expect } from 'chai';
import { parseContract } from '#parley/contract/parse.js';
import { changed, PENGUINS, parse } from './penguins.js';

const fingerprint = (idl: string) => parse(idl).fingerprint;
const original = fingerprint(PENGUINS);

const block = (start: string, end: string) => PENGUINS.slice(PENGUINS.indexOf(start), PENGUINS.indexOf(end));

describe('fingerprintOf', () => {
  it('is 64 lowercase hexadecimal digits', () => {
    expect(original).to.match(/^[0-9a-f]{64}$/);
  });

  it('is the same on every machine and in every release', () => {
    expect(original).to.equal('c044d8e9012c598bfeadd065c9e6fa06d17d7070f093b6d9d99fed69d5df6eb8');
  });

  const same: readonly (readonly [string, string])[] = [
    ['comments', changed(['struct Penguin', '/** A bird. */\nstruct Penguin'])],
    ['spacing', PENGUINS.replaceAll(', ', ',   ').replaceAll('{\n', '{\n\n')],
    ['namespaces', changed(['namespace js penguins', 'namespace py birds'])],
    [
      'the order of fields',
      changed(['  2: optional i32 year\n', ''], ['  4: optional', '  2: optional i32 year\n  4: optional']),
    ],
    [
      'the order of declarations',
      changed(
        [block('struct Identified', 'service'), ''],
        ['enum Species', `${block('struct Identified', 'service')}enum Species`],
      ),
    ],
    [
      'the order of members',
      changed(['  UNSPECIFIED = 0\n', ''], ['positive = "true")\n', 'positive = "true")\n  UNSPECIFIED = 0\n']),
    ],
    ['the order of annotations', changed(['min = "20", max = "80"', 'max = "80", min = "20"'])],
    [
      'the order of methods',
      changed(
        [
          '  Identified identify(1: Penguin penguin, 2: parley.RequestContext context) throws (1: parley.ParleyError error)\n',
          '',
        ],
        [
          '} (\n  model',
          '  Identified identify(1: Penguin penguin, 2: parley.RequestContext context) throws (1: parley.ParleyError error)\n} (\n  model',
        ],
      ),
    ],
    ['how a number is written', changed(['"20"', '"2e1"'], ['">= 0.95"', '">=0.950"'])],
    ['what no service reaches', changed(['struct Identified', 'struct Unused { 1: i32 a }\nstruct Identified'])],
    ['a typedef', changed(['i32 year', 'Year year'], ['struct Penguin', 'typedef i32 Year\nstruct Penguin'])],
    ['requiredness that means the same', changed(['2: optional i32', '2: i32'])],
  ];
  for (const [what, idl] of same) {
    it(`is not changed by ${what}`, () => {
      expect(idl).not.to.equal(PENGUINS);
      expect(fingerprint(idl)).to.equal(original);
    });
  }

  it('is not changed by the name of the file', () => {
    expect(parseContract({ file: 'other.thrift', idl: PENGUINS }).fingerprint).to.equal(original);
  });

  it('is not changed by where a declaration stands', () => {
    const enumText = block('enum Species', 'struct Penguin');
    const idl = changed(
      [enumText, 'include "s.thrift"\n'],
      ['Species species', 's.Species species'],
      ['map<Species', 'map<s.Species'],
    );
    expect(parse(idl, { 's.thrift': enumText }).fingerprint).to.equal(original);
  });

  const different: readonly (readonly [string, string])[] = [
    ["a field's id", changed(['2: optional i32', '7: optional i32'])],
    ["a field's name", changed(['i32 year', 'i32 years'])],
    ["a field's type", changed(['i32 year', 'i64 year'])],
    ['a new field', changed(['i32 year', 'i32 year\n  9: optional i32 month'])],
    ['a bound', changed(['max = "80"', 'max = "81"'])],
    ['a vocabulary', changed(['Biscoe,Dream', 'Biscoe,Dream,Torgersen'])],
    ['a unit', changed(['max = "80"', 'max = "80", unit = "mm"'])],
    ['sensitivity', changed(['i32 year', 'i32 year (sensitive)'])],
    ["a field's role", changed(['i32 year', 'i32 year (role = "id", missing = "refused")'])],
    ['what missing means', changed(['i32 year', 'i32 year (missing = "allowed")'])],
    ['a default', changed(['i32 year', 'i32 year = 2007'])],
    ["a member's value", changed(['GENTOO = 2', 'GENTOO = 3'])],
    ["a member's label", changed(['"Gentoo"', '"gentoo"'])],
    ["a member's name", changed(['GENTOO', 'GENTOU'])],
    ['the positive class', changed([', positive = "true"', ''])],
    ["a response's role", changed(['role = "confidence"', 'role = "probability_of_positive"'])],
    ["a response's id", changed(['15: optional', '16: optional'])],
    ["a method's name", changed(['identify_many', 'identify_all'])],
    ["an argument's id", changed(['1: Penguin penguin', '5: Penguin penguin'])],
    ['a method less', changed([PENGUINS.split('\n')[21]!, ''])],
    ['a bound of acceptance', changed(['>= 0.95', '>= 0.96'])],
    ['a comparison of acceptance', changed(['>= 0.95', '> 0.95'])],
    ['a metric of acceptance', changed(['accept.recall', 'accept.precision'])],
    ['the baseline', changed([',\n  accept.baseline = "majority"', ''])],
    ['the guards', changed(['model = "penguins",', 'model = "penguins", accept.guards = "shadow",'])],
    ['the model', changed(['"penguins",', '"birds",'])],
    ["the service's name", changed(['service Penguins', 'service Birds'])],
  ];
  /** What is new in an old contract is another meaning; so is each change of it. */
  const variants: readonly (readonly [string, readonly string[]])[] = [
    ['a pattern', ['string island', 'string island (pattern = "a")', 'string island (pattern = "b")']],
    [
      'many values',
      [
        'list<double> x',
        'list<double> x (shape = "2")',
        'list<double> x (shape = "3")',
        'list<i32> x',
        'map<string, double> x (values = "a,b")',
        'map<string, double> x (values = "b,a")',
        'map<Species, double> x',
        'binary x (data_type = "float32")',
        'binary x (data_type = "int32")',
        'binary x (encoding = "png", height = "2", width = "3")',
        'binary x (encoding = "png", height = "3", width = "2")',
        'binary x (encoding = "png,jpeg", height = "2", width = "3")',
      ],
    ],
    ['structs and unions', ['S x', 'U x', 'U x (missing = "allowed")', 'T x']],
    ['roles', ['i64 x', 'i64 x (role = "id")', 'i64 x (role = "time")', 'i64 x (role = "weight")']],
  ];
  const DECLARED = 'struct S { 1: double a } struct T { 2: double a } union U { 1: double a }\n';
  for (const [what, declarations] of variants) {
    it(`tells apart ${what}`, () => {
      const found = declarations.map((declaration) =>
        fingerprint(
          changed(
            ['2: optional i32 year', `2: optional ${declaration.replace('island', 'x')}`],
            ['struct Penguin', `${DECLARED}struct Penguin`],
          ),
        ),
      );
      expect(new Set(found).size).to.equal(found.length);
    });
  }

  it('is not changed by the order of encodings', () => {
    const [one, other] = ['png,rgb8', 'rgb8, png'].map((encoding) =>
      fingerprint(changed(['i32 year', `binary x (encoding = "${encoding}", height = "2", width = "3")`])),
    );
    expect(one).to.equal(other);
  });

  it('is not changed by a typedef that says what the field says', () => {
    const named = changed(
      ['double bill_length_mm (min = "20", max = "80")', 'Mm bill_length_mm (max = "80")'],
      ['struct Penguin', 'typedef double Mm (min = "20")\nstruct Penguin'],
    );
    expect(fingerprint(named)).to.equal(original);
  });

  it('is not changed by inheriting a method instead of having it', () => {
    const line = PENGUINS.split('\n').find((text) => text.includes('identify_many'))!;
    const idl = changed(
      [`${line}\n`, ''],
      ['service Penguins {', `service Base {\n${line}\n}\nservice Penguins extends Base {`],
    );
    expect(fingerprint(idl)).to.equal(original);
  });

  for (const [what, idl] of different) {
    it(`is changed by ${what}`, () => {
      expect(fingerprint(idl)).not.to.equal(original);
    });
  }
});
