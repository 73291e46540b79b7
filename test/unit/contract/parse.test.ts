import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { labelClasses } from '#parley/contract/contract.js';
import { ParleyError } from '#parley/errors.js';
import { changed, complaints, errorOf, estimating, PENGUINS, parse } from './penguins.js';

const fieldOf = (idl: string, name: string, includes?: Record<string, string>) =>
  parse(idl, includes).services[0]!.methods[0]!.request.fields.find((field) => field.name === name)!;

const BILL = '1: optional double bill_length_mm (min = "20", max = "80")';
const YEAR = '2: optional i32 year';
const ISLAND = '3: optional string island (values = "Biscoe,Dream")';
const TAGGED = '4: optional bool tagged (missing = "allowed")';
const MODEL = '  model = "penguins",';
const RECALL = 'accept.recall = ">= 0.95"';

describe('parseContract', () => {
  describe('what it reads', () => {
    it('reads the penguins example', () => {
      const idl = readFileSync('examples/penguins/penguins.thrift', 'utf8');
      expect(parse(idl).services[0]!.methods[0]!.request.fields).to.have.length(6);
    });

    it('names the model that the services name', () => {
      expect(parse(PENGUINS).model).to.equal('penguins');
    });

    it('gives the classes of the label in the order of their values', () => {
      expect(labelClasses(parse(PENGUINS).services[0]!.methods[0]!.response)).to.deep.equal(['Adelie', 'Gentoo']);
    });

    it('takes a member without a label by its name', () => {
      const contract = parse(changed([' (label = "Adelie")', '']));
      expect(contract.enums[0]!.members[1]!.label).to.equal('ADELIE');
    });

    it('numbers members on from the one before', () => {
      const contract = parse(changed(['ADELIE = 1', 'ADELIE = 7'], ['GENTOO = 2', 'GENTOO']));
      expect(contract.enums[0]!.members.map((member) => member.value)).to.deep.equal([0, 7, 8]);
    });

    it('keeps bounds as numbers', () => {
      expect(fieldOf(PENGUINS, 'bill_length_mm')).to.include({ min: 20, max: 80, type: 'double', role: 'feature' });
    });

    it('trims the values of a vocabulary', () => {
      expect(fieldOf(changed(['"Biscoe,Dream"', '" Biscoe , Dream "']), 'island').values).to.deep.equal([
        'Biscoe',
        'Dream',
      ]);
    });

    it('undoes escapes in strings', () => {
      const idl = changed(['values = "Biscoe,Dream"', String.raw`values = "a\\b\"c,d\te"`]);
      expect(fieldOf(idl, 'island').values).to.deep.equal(['a\\b"c', 'd\te']);
    });

    it('keeps a backslash before a letter that would be an escape', () => {
      const idl = changed(['values = "Biscoe,Dream"', String.raw`values = "a\\n"`]);
      expect(fieldOf(idl, 'island').values).to.deep.equal(['a\\n']);
    });

    it('reads where a field stands', () => {
      expect(fieldOf(PENGUINS, 'year').position).to.deep.equal({ file: 'penguins.thrift', line: 10, column: 19 });
    });

    it('refuses missing values unless the contract says otherwise', () => {
      expect(fieldOf(PENGUINS, 'year').missing).to.deep.equal({ kind: 'refused' });
    });

    it('allows missing values where the contract says so', () => {
      expect(fieldOf(PENGUINS, 'tagged').missing).to.deep.equal({ kind: 'allowed' });
    });

    it('takes a value after the equals sign as what missing means', () => {
      const idl = changed([YEAR, '2: i32 year = 2007']);
      expect(fieldOf(idl, 'year').missing).to.deep.equal({ kind: 'default', value: 2007 });
    });

    it('takes missing = "default" beside a value', () => {
      const idl = changed([YEAR, '2: i32 year = -0x10 (missing = "default")'], ['-0x10', '16']);
      expect(fieldOf(idl, 'year').missing).to.deep.equal({ kind: 'default', value: 16 });
    });

    it('reads a boolean default as a number', () => {
      const idl = changed([TAGGED, '4: optional bool tagged = true']);
      expect(fieldOf(idl, 'tagged').missing).to.deep.equal({ kind: 'default', value: 1 });
    });

    it("reads an enum's default as its label", () => {
      const idl = changed([TAGGED, '4: optional Species guess = Species.GENTOO']);
      expect(fieldOf(idl, 'guess').missing).to.deep.equal({ kind: 'default', value: 'Gentoo' });
    });

    it('follows a constant to its value', () => {
      const idl = changed([YEAR, '2: i32 year = FIRST'], ['struct Penguin', 'const i32 FIRST = 2007\nstruct Penguin']);
      expect(fieldOf(idl, 'year').missing).to.deep.equal({ kind: 'default', value: 2007 });
    });

    it('lets what is not fed to the model be missing', () => {
      expect(fieldOf(changed([YEAR, `${YEAR} (role = "ignored")`]), 'year').missing).to.deep.equal({ kind: 'allowed' });
    });

    it('reads roles, units, limits and sensitivity', () => {
      const idl = changed([ISLAND, '3: string note (role = "id", unit = "words", max_bytes = "9", sensitive)']);
      expect(fieldOf(idl, 'note')).to.include({ role: 'id', unit: 'words', maxBytes: 9, sensitive: true });
    });

    it('is not sensitive when the annotation says false', () => {
      expect(fieldOf(changed([YEAR, `${YEAR} (sensitive = "false")`]), 'year').sensitive).to.equal(false);
    });

    it('follows typedefs to their types', () => {
      const idl = changed(
        [YEAR, '2: optional Year year'],
        ['struct Penguin', 'typedef i32 Y\ntypedef Y Year\nstruct Penguin'],
      );
      expect(fieldOf(idl, 'year').type).to.equal('i32');
    });

    it('reads i8 as byte', () => {
      expect(fieldOf(changed([YEAR, '2: optional i8 year']), 'year').type).to.equal('byte');
    });

    it('puts fields in the order of their ids', () => {
      const idl = changed([YEAR, '9: optional i32 year']);
      const names = parse(idl).services[0]!.methods[0]!.request.fields.map((field) => field.name);
      expect(names).to.deep.equal(['bill_length_mm', 'island', 'tagged', 'year']);
    });

    it('knows methods by taking and returning lists', () => {
      expect(parse(PENGUINS).services[0]!.methods.map((method) => method.many)).to.deep.equal([false, true]);
    });

    it('shares one struct between the methods that name it', () => {
      const [one, many] = parse(PENGUINS).services[0]!.methods;
      expect(one!.request).to.equal(many!.request);
    });

    it('reads the ids of context and error', () => {
      expect(parse(PENGUINS).services[0]!.methods[0]).to.include({ contextId: 2, errorId: 1 });
    });

    it('takes a method without throws', () => {
      const method = parse(changed([' throws (1: parley.ParleyError error)', ''])).services[0]!.methods[0]!;
      expect(method.errorId).to.equal(undefined);
    });

    it('gives a provenance field its role by its type', () => {
      const { fields } = parse(PENGUINS).services[0]!.methods[0]!.response;
      expect(fields.find((field) => field.name === 'provenance')).to.include({
        role: 'provenance',
        type: 'provenance',
      });
    });

    it('reads acceptance bounds', () => {
      expect(parse(PENGUINS).services[0]!.accept.bounds[0]).to.include({
        metric: 'recall',
        comparison: '>=',
        bound: 0.95,
        text: '>= 0.95',
      });
    });

    for (const [metric, text] of [
      ['recall', '>= 1'],
      ['log_loss', '<= 0'],
      ['brier', '< 0.1'],
      ['latency_p50_ms', '<5'],
    ] as const) {
      it(`takes ${metric} ${text}, which can be met`, () => {
        const idl = changed([RECALL, `accept.${metric} = "${text}"`]);
        expect(parse(idl).services[0]!.accept.bounds[0]!.text).to.equal(text);
      });
    }

    it('reads the baseline', () => {
      expect(parse(PENGUINS).services[0]!.accept.baseline).to.equal('majority');
    });

    it('reads the aliases that the gate guards', () => {
      const idl = changed([MODEL, `${MODEL} accept.guards = "candidate, shadow",`]);
      expect(parse(idl).services[0]!.accept.guards).to.deep.equal(['candidate', 'shadow']);
    });

    it('takes a regression', () => {
      expect(parse(estimating()).services[0]!.methods[0]!.response.fields[0]!.role).to.equal('value');
    });

    it('takes a field that is named like a member of every JavaScript object', () => {
      expect(fieldOf(changed([YEAR, '2: optional i32 constructor']), 'constructor').type).to.equal('i32');
    });

    it("passes over annotations that are other compilers' own", () => {
      expect(fieldOf(changed([YEAR, `${YEAR} (go.tag = "x", deprecated)`]), 'year').type).to.equal('i32');
    });

    for (const comment of ['/**/', '/* */', '/***/', '//', '#', '// "quoted', '/* " */', "# it's"]) {
      it(`loses nothing behind the comment ${comment}`, () => {
        const idl = changed(['struct Penguin {', `${comment}\nstruct Penguin {`], ['service', '/* end */ service']);
        expect(fieldOf(idl, 'year').position.line).to.equal(11);
      });
    }
  });

  describe('includes', () => {
    const birds =
      'namespace py birds\nenum Species { UNSPECIFIED = 0, A, B }\ntypedef i64 Year\nconst i32 FIRST = 1\nstruct Penguin { 1: optional Year year }';
    const split = changed(['include "parley.thrift"', 'include "parley.thrift"\ninclude "birds.thrift"']);

    it('resolves typedefs of another file', () => {
      expect(fieldOf(split.replace(YEAR, '2: birds.Year year'), 'year', { 'birds.thrift': birds }).type).to.equal(
        'i64',
      );
    });

    it('resolves constants of another file', () => {
      const idl = split.replace(YEAR, '2: i32 year = birds.FIRST');
      expect(fieldOf(idl, 'year', { 'birds.thrift': birds }).missing).to.deep.equal({ kind: 'default', value: 1 });
    });

    it('resolves structs of another file, with the names that hold there', () => {
      const idl = split.replace('1: Penguin penguin', '1: birds.Penguin penguin');
      expect(fieldOf(idl, 'year', { 'birds.thrift': birds }).position.file).to.equal('birds.thrift');
    });

    it('resolves enums of another file', () => {
      const idl = split.replace(YEAR, '2: birds.Species other');
      expect(fieldOf(idl, 'other', { 'birds.thrift': birds }).enum!.members).to.have.length(3);
    });

    it('finds an included file by its name without the folder', () => {
      const idl = split.replace('"birds.thrift"', '"../idl/birds.thrift"').replace(YEAR, '2: birds.Year year');
      expect(fieldOf(idl, 'year', { 'birds.thrift': birds }).type).to.equal('i64');
    });

    it('keeps the included texts, and only those', () => {
      expect(parse(split, { 'birds.thrift': birds, 'other.thrift': '' }).includes).to.deep.equal({
        'birds.thrift': birds,
      });
    });

    it('refuses files that include each other, where the circle closes', () => {
      const text = `include "penguins2.thrift"\n${birds}`;
      const error = errorOf(() =>
        parse(split, { 'birds.thrift': text, 'penguins2.thrift': '\n include "birds.thrift"' }),
      );
      expect(error.problems).to.deep.equal([
        {
          path: 'penguins2.thrift:2:2',
          message:
            'the included file "birds.thrift" leads back to itself: birds.thrift includes penguins2.thrift includes birds.thrift; move what they share into a file of its own',
        },
      ]);
    });

    it('refuses a file that includes the contract, or itself', () => {
      const text = `include "penguins.thrift"\n${birds}`;
      expect(errorOf(() => parse(split, { 'birds.thrift': text })).problems[0]!.path).to.equal('birds.thrift:1:1');
      const own = changed(['namespace js', 'include "penguins.thrift"\nnamespace js']);
      expect(complaints(own)[0]).to.match(/^2:1 the included file "penguins.thrift" leads back to itself/);
    });

    it('takes a file that two others include', () => {
      const files = { 'birds.thrift': `include "sea.thrift"\n${birds}`, 'sea.thrift': 'typedef i16 Depth' };
      const idl = split
        .replace('include "birds', 'include "sea.thrift"\ninclude "birds')
        .replace(YEAR, '2: sea.Depth year');
      expect(fieldOf(idl, 'year', files).type).to.equal('i16');
    });

    it('names the line of an include that was not given', () => {
      expect(complaints(split, { 'bird.thrift': birds })).to.deep.equal([
        '2:1 the included file "birds.thrift" was not given (did you mean "bird.thrift"?)',
      ]);
    });

    it('names the file of a mistake in an included file', () => {
      const error = errorOf(() => parse(split, { 'birds.thrift': 'struct {' }));
      expect(error.problems[0]!.path).to.equal('birds.thrift:1:8');
    });

    it('says which of the generic types a contract may use', () => {
      expect(complaints(changed([YEAR, '2: optional parley.Provenence year']))[0]).to.match(
        /^10:15 parley\.Provenence cannot be used.*did you mean "parley.Provenance"/,
      );
    });
  });

  describe('errors', () => {
    it('are all thrown at once, in the order of the text', () => {
      const idl = changed(
        [YEAR, '2: optional yeer year'],
        ['min = "20"', 'min = "200"'],
        ['model = "penguins"', 'model = "a b"'],
      );
      expect(complaints(idl).map((complaint) => complaint.split(' ')[0])).to.deep.equal(['9:44', '10:15', '24:11']);
    });

    it('are told apart by their places', () => {
      const idl = changed(['min = "20"', 'mim = "20"'], [YEAR, `${YEAR} (mim = "1")`]);
      expect(complaints(idl).map((complaint) => complaint.split(' ')[0])).to.deep.equal(['9:38', '10:25']);
    });

    it('show what was there whole when it is 64 characters long', () => {
      const error = errorOf(() => parse(changed(['"20"', `"${'x'.repeat(64)}"`])));
      expect(error.problems[0]!.got).to.equal('x'.repeat(64));
    });

    it('have a message that says where, and how many more', () => {
      const idl = changed([YEAR, '2: optional yeer year'], ['min = "20"', 'min = "200"']);
      expect(errorOf(() => parse(idl)).message).to.equal(
        'penguins.thrift:9:44: min 200 is more than max 80 (and 1 more)',
      );
    });

    it('show what was there, shortened', () => {
      const error = errorOf(() => parse(changed(['"20"', `"${'x'.repeat(100)}"`])));
      expect([...error.problems[0]!.got!]).to.have.length(64);
    });
  });

  /** What is written, where it goes, and what is said. */
  const refused: readonly (readonly [string, readonly (readonly [string, string])[], RegExp])[] = [
    // syntax
    ['a missing brace', [['struct Penguin {', 'struct Penguin']], /^9:3 expected {, found "1"/],
    ['a missing name', [[YEAR, '2: optional i32']], /^11:3 expected the field's name, found "3"/],
    ['a missing type', [[YEAR, '2: optional = 3']], /^10:15 expected a type .*, found "="/],
    ['an annotation without quotes', [['"20"', '20']], /^9:44 expected the value in quotes, found "20"/],
    ['a word at the top', [['namespace js', 'nmspace js']], /^2:1 a declaration starts with .*found "nmspace"/],
    ['a first word that is none', [['include "parley', 'inclde "parley']], /^1:1 a declaration starts with .*"inclde"/],
    [
      'an end too early',
      [['  accept.baseline = "majority"\n)', '']],
      /^27:1 expected an annotation.*the end of the file/,
    ],
    ['a string that is not closed', [['"20"', '"20']], /^9:58 a string that is not closed on its line/],
    ['a comment that is not closed', [['struct Penguin', '/* struct Penguin']], /^8:1 a comment that is not closed/],
    ['the comment /*/', [['struct Penguin', '/*/\nstruct Penguin']], /^8:1 a comment that is not closed/],
    ['an unknown escape', [['"Biscoe', String.raw`"\d`]], /^11:39 Thrift has no escape \\d/],
    ['a stray character', [['struct Penguin', '@ struct Penguin']], /^8:1 cannot be read as Thrift/],
    ['a reference', [[YEAR, '2: optional i32 & year']], /^10:19 references \(&\) are not supported yet/],
    ['a dash in a name', [[YEAR, '2: optional i32 ye-ar']], /^10:19 ye-ar is not a name/],
    // shapes
    ['a set', [[YEAR, '2: optional set<i32> year']], /^10:24 year is a set, which has no order; write a/],
    [
      'provenance in a request',
      [[YEAR, '2: optional parley.Provenance year']],
      /^10:33 year is a parley.Provenance, which is not fed/,
    ],
    [
      'a oneway method',
      [['  Identified identify(', '  oneway Identified identify(']],
      /^21:21 a oneway method .*drop the word oneway/,
    ],
    [
      'a method that returns nothing',
      [['  Identified identify(', '  void identify(']],
      /^21:3 identify must return a struct for one row, or a list/,
    ],
    [
      'a method that returns a number',
      [['  Identified identify(', '  i32 identify(']],
      /^21:3 identify must return a struct for one row, or a list/,
    ],
    [
      'a method with a number',
      [['1: Penguin penguin', '1: i32 penguin']],
      /^21:30 the argument penguin is none of what a method takes/,
    ],
    [
      'a second struct',
      [['1: Penguin penguin,', '1: Penguin penguin, 3: Penguin other,']],
      /takes a second struct \(other\)/,
    ],
    ['a method without a struct', [['1: Penguin penguin, ', '']], /^21:14 identify takes no struct/],
    [
      'a list for one',
      [['  Identified identify(', '  list<Identified> identify(']],
      /^21:20 identify takes one row and returns a list/,
    ],
    [
      'one for a list',
      [['  list<Identified> identify_many(', '  Identified identify_many(']],
      /^22:14 identify_many takes a list and returns one/,
    ],
    [
      'another exception',
      [['throws (1: parley.ParleyError error)', 'throws (1: Penguin error)']],
      /^21:96 a method throws parley.ParleyError/,
    ],
    [
      'an argument with a default',
      [['1: Penguin penguin', '1: Penguin penguin = 1']],
      /^21:34 an argument cannot have a default/,
    ],
    [
      'an unknown type',
      [[YEAR, '2: optional strin year']],
      /^10:15 there is no type strin \(did you mean "string"\?\)/,
    ],
    [
      'a typedef of itself',
      [
        [YEAR, '2: Y year'],
        ['struct Penguin', 'typedef Y Y\nstruct Penguin'],
      ],
      /the typedef Y leads back to itself/,
    ],
    ['a service as a type', [[YEAR, '2: Penguins year']], /^10:6 Penguins is not a type/],
    // names and ids
    [
      'an id twice',
      [['2: optional i32', '1: optional i32']],
      /^10:19 the id 1 of year is already that of bill_length_mm/,
    ],
    ['an id of 0', [['2: optional i32', '0: optional i32']], /^10:19 the id 0 of year must be between 1 and 32767/],
    ['a field without id', [['2: optional i32', 'optional i32']], /^10:16 year has no id/],
    ['a name twice', [['i32 year', 'i32 island']], /^11:22 Penguin has two fields called island/],
    [
      'a declaration twice',
      [['struct Identified {', 'struct Penguin {']],
      /^14:8 Penguin is declared twice, first in line 8/,
    ],
    ['a method twice', [['identify_many(', 'identify(']], /^22:20 Penguins has two methods called identify/],
    ["a generic service's name", [['service Penguins', 'service Registry']], /^20:9 Registry is one of Parley's own/],
    // annotations
    [
      'an annotation twice',
      [['min = "20"', 'min = "20", min = "21"']],
      /^9:50 the annotation min is given twice, first at 9:38/,
    ],
    ['an unknown annotation', [['min = "20"', 'mim = "20"']], /^9:38 there is no annotation mim; did you mean "min"\?/],
    ['an annotation that nothing is near', [['min = "20"', 'frobnicate = "20"']], /known here: min, max, values/],
    [
      'an annotation at the wrong place',
      [['label = "Adelie"', 'min = "1"']],
      /^5:15 the annotation min belongs on a request field, not on an enum member/,
    ],
    [
      'an annotation on a method',
      [['throws (1: parley.ParleyError error)', 'throws (1: parley.ParleyError error) (model = "x")']],
      /^21:115 the annotation model means nothing on a method; it belongs on a service/,
    ],
    [
      'an annotation on a struct',
      [['}\nstruct Identified', '} (role = "label")\nstruct Identified']],
      /^13:4 the annotation role means nothing on a struct/,
    ],
    [
      'an annotation behind a type',
      [[YEAR, '2: optional i32 (min = "1") year']],
      /^10:19 annotations stand after the field's name/,
    ],
    ['an annotation without value', [['min = "20"', 'min']], /^9:38 min needs a value/],
    ['a min that is no number', [['"20"', '"0x14"']], /^9:44 min must be a number, not "0x14"/],
    ['a min above max', [['"20"', '"81"']], /^9:44 min 81 is more than max 80/],
    ['a min that no i32 has', [[YEAR, `${YEAR} (min = "1e12")`]], /min 1000000000000 is more than any i32 can be/],
    ['a max that no i32 has', [[YEAR, `${YEAR} (max = "-1e12")`]], /max -1000000000000 is less than any i32 can be/],
    [
      'min on a string',
      [['values = "Biscoe,Dream"', 'min = "1"']],
      /^11:36 min is for numbers, and this field is a string/,
    ],
    ['max on a bool', [['missing = "allowed"', 'max = "1"']], /^12:34 max is for numbers, and this field is a bool/],
    [
      'values on a number',
      [['min = "20"', 'values = "1,2"']],
      /^9:47 values is for strings, and this field is a double/,
    ],
    ['max_bytes on a number', [['min = "20"', 'max_bytes = "2"']], /^9:50 max_bytes is for strings/],
    ['an empty item', [['Biscoe,Dream', 'Biscoe,,Dream']], /^11:39 values has an empty item/],
    ['an item twice', [['Biscoe,Dream', 'Dream, Dream']], /^11:39 values names "Dream" twice/],
    ['max_bytes of 0', [['values = "Biscoe,Dream"', 'max_bytes = "0"']], /max_bytes must be a whole number, 1 or more/],
    [
      'values longer than max_bytes',
      [['values = "Biscoe,Dream"', 'values = "né", max_bytes = "2"']],
      /"né" is longer than max_bytes/,
    ],
    [
      'an unknown role',
      [[YEAR, `${YEAR} (role = "ignore")`]],
      /role must be one of feature, id, time, weight, ignored.*did you mean "ignored"/,
    ],
    [
      'two ids',
      [
        [YEAR, `${YEAR} (role = "id")`],
        ['"Biscoe,Dream"', '"Biscoe,Dream", role = "id"'],
      ],
      /^8:8 Penguin has more than one field with role "id"/,
    ],
    ['an id that is a double', [['min = "20"', 'role = "id"']], /an id is a string or an integer, not a double/],
    ['a flag that is neither', [[YEAR, `${YEAR} (sensitive = "yes")`]], /sensitive must be "true" or "false"/],
    [
      'missing with another word',
      [['missing = "allowed"', 'missing = "ok"']],
      /missing must be one of refused, allowed, default/,
    ],
    [
      'missing = "default" without a value',
      [['missing = "allowed"', 'missing = "default"']],
      /^12:38 missing = "default" needs a value/,
    ],
    [
      'missing = "allowed" with a value',
      [[TAGGED, '4: bool tagged = 1 (missing = "allowed")']],
      /contradicts the default value/,
    ],
    [
      'required beside missing = "allowed"',
      [['4: optional bool', '4: required bool']],
      /a required field cannot have missing = "allowed"/,
    ],
    ['a default of another type', [[YEAR, '2: i32 year = "x"']], /^10:17 the default of year is not an i32/],
    [
      'a default out of bounds',
      [[BILL, '1: double bill_mm = 9 (min = "20")']],
      /the default of bill_mm must be at least 20 mm/,
    ],
    ['a default that is no member', [[YEAR, '2: Species year = 0']], /the default of year is not an enum/],
    ['an empty default', [[ISLAND, '3: string island = ""']], /the default of island is empty/],
    [
      'constants in a circle',
      [
        [YEAR, '2: i32 year = A'],
        ['struct Penguin', 'const i32 A = A\nstruct Penguin'],
      ],
      /the default of year is not an i32/,
    ],
    [
      'a request with nothing to feed',
      [
        [`  ${BILL}\n`, ''],
        [`  ${ISLAND}\n`, ''],
        [`  ${TAGGED}\n`, ''],
        [YEAR, `${YEAR} (role = "ignored")`],
      ],
      /^8:8 Penguin has no field that is fed/,
    ],
    [
      'an empty request',
      [
        [`  ${BILL}\n`, ''],
        [`  ${ISLAND}\n`, ''],
        [`  ${TAGGED}\n`, ''],
        [YEAR, ''],
      ],
      /^8:8 Penguin has no field that is fed/,
    ],
    // enums
    ['a choice with value 0', [['UNSPECIFIED = 0', 'CHINSTRAP = 0']], /^4:3 value 0 is never a valid choice/],
    [
      'a label on value 0',
      [['UNSPECIFIED = 0', 'UNSPECIFIED = 0 (label = "x")']],
      /^4:3 value 0 is never a valid choice/,
    ],
    ['a value twice', [['GENTOO = 2', 'GENTOO = 1']], /^6:3 Species has the value 1 twice \(GENTOO and ADELIE\)/],
    ['a member twice', [['GENTOO = 2', 'ADELIE = 2']], /^6:3 Species has the name ADELIE twice/],
    ['a label twice', [['"Gentoo"', '"Adelie"']], /^6:3 Species has the label Adelie twice/],
    ['two positives', [['label = "Adelie"', 'label = "Adelie", positive']], /^3:6 Species has more than one positive/],
    ['a negative value', [['GENTOO = 2', 'GENTOO = -2']], /^6:3 GENTOO = -2 must be between 0/],
    [
      'one class',
      [['  GENTOO = 2 (label = "Gentoo", positive = "true")\n', '']],
      /^13:8 Identified .*fewer than two members/,
    ],
    [
      'an enum of nothing in a request',
      [
        [YEAR, '2: E year'],
        ['struct Penguin', 'enum E { UNKNOWN }\nstruct Penguin'],
      ],
      /the enum E has no member but 0/,
    ],
    // responses
    ['a response field without a role', [['species (role = "label")', 'species']], /^15:23 species has no role/],
    [
      'an unknown response role',
      [['role = "label"', 'role = "lable"']],
      /^15:39 role must be one of label.*did you mean "label"/,
    ],
    [
      'a role twice',
      [
        ['confidence (role = "confidence")', 'c (role = "label")'],
        ['2: optional double c', '2: optional Species c'],
      ],
      /^16:23 species has the role "label" already/,
    ],
    [
      'a label that is a double',
      [['optional Species species', 'optional double species']],
      /^15:22 species has role "label", so its type must be an enum, string or an integer, not a double/,
    ],
    [
      'a probability that is no map',
      [['map<Species, double> probability', 'double probability']],
      /so its type must be map<enum, double>/,
    ],
    [
      'a probability of integers',
      [['map<Species, double> probability', 'map<Species, i32> probability']],
      /so its type must be map<enum, double>/,
    ],
    [
      'a probability by integer',
      [['map<Species, double> probability', 'map<i32, double> probability']],
      /so its type must be map<enum, double>/,
    ],
    [
      'a probability by another enum',
      [
        ['map<Species, double>', 'map<E, double>'],
        ['struct Penguin', 'enum E { UNKNOWN, A, B }\nstruct Penguin'],
      ],
      /probability is keyed by E, and the label species is a Species/,
    ],
    [
      'a confidence that is a string',
      [['double confidence', 'string confidence']],
      /so its type must be double, not a string/,
    ],
    [
      'a provenance that is a string',
      [['parley.Provenance provenance', 'string p (role = "provenance")']],
      /so its type must be parley.Provenance/,
    ],
    [
      'a response with confidence alone',
      [
        ['  1: optional Species species (role = "label")\n', ''],
        ['  3: optional map<Species, double> probability (role = "probability")\n', ''],
      ],
      /^14:8 Identified has no field that answers/,
    ],
    [
      'a response that does both',
      [['confidence (role = "confidence")', 'v (role = "value")']],
      /^14:8 Identified has the role "value" of a regression and "label"/,
    ],
    [
      'a response with a default',
      [
        ['double confidence', 'double confidence = 1'],
        ['confidence = 1 (', 'confidence = 1.5 ('],
      ],
      /^16:22 confidence is filled by the model/,
    ],
    [
      'a probability of nothing positive',
      [
        ['confidence (role = "confidence")', 'p (role = "probability_of_positive")'],
        [', positive = "true"', ''],
      ],
      /^16:22 the role "probability_of_positive" needs/,
    ],
    // services
    ['a file without service', [[PENGUINS, 'struct A { 1: i32 a }']], /^1:1 there is no service/],
    ['a service without methods', [[PENGUINS, 'service A { } (model = "a")']], /^1:9 A has no method/],
    [
      'a service without a model',
      [[`${MODEL}\n`, '']],
      /^20:9 a service without a model \(and accept.recall bounds nothing\); write \(model = "penguins"\)/,
    ],
    ["what is no model's name", [['"penguins",', '"pen guins",']], /^24:11 "pen guins" is not a model's name/],
    [
      'services of two models',
      [
        [
          PENGUINS.slice(PENGUINS.indexOf('service')),
          `${PENGUINS.slice(PENGUINS.indexOf('service'))}service B { Identified b(1: Penguin p) } (model = "b")\n`,
        ],
      ],
      /^28:9 B names the model "b", and Penguins "penguins"/,
    ],
    [
      'methods that do different things',
      [
        ['struct Identified', 'struct V { 1: double v (role = "value") }\nstruct Identified'],
        ['  list<Identified>', '  V estimate(1: Penguin p)\n  list<Identified>'],
      ],
      /^21:9 Penguins has methods that classify and methods that estimate/,
    ],
    // acceptance
    [
      'an unknown metric',
      [['accept.recall', 'accept.recal']],
      /^25:3 there is no metric recal; did you mean "accept.recall"\?/,
    ],
    ['a metric that nothing is near', [['accept.recall', 'accept.beauty_of_it']], /known here: accept.accuracy/],
    [
      'a bound that cannot be met',
      [['">= 0.95"', '">= 1.2"']],
      /^25:19 recall >= 1.2 cannot be met: recall is never more than 1/,
    ],
    ['a bound beyond the best', [['">= 0.95"', '"> 1"']], /recall > 1 cannot be met/],
    ['a latency under 0', [[RECALL, 'accept.latency_p99_ms = "< 0"']], /latency_p99_ms < 0 cannot be met/],
    [
      'a bound the wrong way',
      [['">= 0.95"', '"<= 0.95"']],
      /recall is better when it is higher, so its bound starts with >=/,
    ],
    ['a bound without comparison', [['">= 0.95"', '"0.95"']], /must be a comparison and a number, such as ">= 0.95"/],
    ['a bound without number', [['">= 0.95"', '">= high"']], /must be a comparison and a number/],
    [
      'a metric of another task',
      [[RECALL, 'accept.rmse = "<= 2"']],
      /rmse measures a regression, and this service answers with a classification/,
    ],
    ['a baseline of another task', [['"majority"', '"mean"']], /the baseline of a classification is "majority"/],
    ['an unknown baseline', [['"majority"', '"mode"']], /accept.baseline must be one of majority, mean/],
    ['a guard that is no alias', [[MODEL, `${MODEL} accept.guards = "a b",`]], /"a b" is not an alias/],
  ];

  describe('what it refuses', () => {
    for (const [what, replacements, message] of refused) {
      it(what, () => {
        const found = complaints(changed(...replacements));
        expect(
          found.some((complaint) => message.test(complaint)),
          found.join('\n'),
        ).to.equal(true);
      });
    }
  });

  it('never fails otherwise than with INVALID_INPUT, whatever is cut out or put in', () => {
    const tokens = [
      '(',
      ')',
      '{',
      '}',
      '"',
      "'",
      '/*',
      '*/',
      '//',
      '\\',
      ',',
      '1:',
      'struct',
      'enum',
      'list<',
      '=',
      '-',
    ];
    const index = fc.nat({ max: PENGUINS.length });
    fc.assert(
      fc.property(
        index,
        fc.nat({ max: 40 }),
        fc.oneof(fc.constantFrom(...tokens), fc.string()),
        (start, cut, added) => {
          try {
            parse(PENGUINS.slice(0, start) + added + PENGUINS.slice(start + cut));
          } catch (error) {
            if (!(error instanceof ParleyError) || error.code !== 'INVALID_INPUT') throw error;
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
