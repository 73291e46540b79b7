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
  for (const [what, idl] of different) {
    it(`is changed by ${what}`, () => {
      expect(fingerprint(idl)).not.to.equal(original);
    });
  }
});
