import { expect } from 'chai';
import { run } from '../clients/toolchain.js';
import { skip } from '../skip.js';
import { temporaryFolder } from '../unit/sources/reading.js';
import { audit } from './audit.js';

const COMPILER = process.env.THRIFT ?? 'thrift';

const BASE = `namespace py shop
const i32 MOST = 3
const i32 LEAST = 1
enum Colour { NONE = 0, RED = 1, BLUE = 2 }
struct Size { 1: optional double width, 2: optional double height }
struct Item { 1: required string name, 2: optional i32 count = 3, 3: string note, 5: optional list<i32> sizes, 6: Colour colour, 7: optional Size size }
union Choice { 1: string word, 2: i32 number }
exception Refused { 1: string why }
exception Busy { 1: string why }
service Basic { void ping() }
service Shop extends Basic {
  Item find(1: string name, 2: i32 limit) throws (1: Refused refused),
  list<Item> all(),
  oneway void log(1: string line)
}
service Old { void nothing() }
`;

/** One thing each, and what the compiler makes of it. */
const EDITS: readonly (readonly [name: string, from: string, to: string, lines: number])[] = [
  ['a namespace', 'namespace py shop', 'namespace py store', 1],
  ['a constant', 'MOST = 3', 'MOST = 4', 1],
  ['a constant that is gone', 'const i32 LEAST = 1\n', '', 1],
  ['a value of an enum that is gone', ', BLUE = 2', '', 1],
  ['a value of an enum with another name', 'BLUE = 2', 'GREEN = 2', 1],
  ['a value of an enum with another number', 'BLUE = 2', 'BLUE = 3', 1],
  ['a struct that is gone', 'union Choice { 1: string word, 2: i32 number }\n', '', 1],
  ['a field that is gone', '3: string note, ', '', 1],
  ['a required field that is gone', '1: required string name, ', '', 1],
  ['a field of another name', '3: string note', '3: string remark', 1],
  ['a field of another id', '3: string note', '8: string note', 1],
  ['a field in the middle', '3: string note', '3: string note, 4: optional i32 price', 1],
  ['a required field', '7: optional Size size', '7: optional Size size, 8: required i32 price', 1],
  ['a field of another type', 'list<i32>', 'list<i64>', 1],
  ['an enum that becomes a number', '6: Colour colour', '6: i32 colour', 1],
  ['a field that becomes required', '3: string note', '3: required string note', 1],
  ['a field that is no longer required', 'required string name', 'optional string name', 1],
  ['a default', 'count = 3', 'count = 4', 1],
  ['a default that is gone', 'count = 3', 'count', 1],
  ['a struct of another name', 'Size', 'Extent', 2],
  ['a method that is gone', '  list<Item> all(),\n', '', 1],
  ['another return type', 'list<Item> all', 'Item all', 1],
  ['a method that is no longer oneway', 'oneway void log', 'void log', 1],
  ['an argument of another type', '2: i32 limit', '2: i64 limit', 1],
  ['an argument of another name', '2: i32 limit', '2: i32 most', 1],
  ['an argument that is gone', ', 2: i32 limit', '', 1],
  ['another exception', '1: Refused refused', '1: Busy refused', 1],
  ['an exception that is gone', ' throws (1: Refused refused)', '', 1],
  ['a service that is gone', 'service Old { void nothing() }\n', '', 1],
  ['a service that extends nothing', 'Shop extends Basic', 'Shop', 1],
];

describe('what thrift --audit reports', () => {
  let place: ReturnType<typeof temporaryFolder>;
  before(function () {
    if (run(COMPILER, ['--version']).status !== 0) skip(this, 'there is no Thrift compiler');
    place = temporaryFolder();
  });
  after(() => place?.remove());

  const check = (after: string) => audit(COMPILER, place.path, BASE, after);

  for (const [name, from, to, lines] of EDITS) {
    it(`is reported: ${name}`, () => {
      const found = check(BASE.replaceAll(from, to));
      expect(found.lines, 'what the compiler says').to.have.length(lines);
      expect(found.missed).to.deep.equal([]);
    });
  }

  it('is nothing where nothing differs but comments and spacing', () => {
    expect(check(`// the same\n${BASE.replaceAll(', ', ',\n  ')}`)).to.deep.include({ lines: [], changes: [] });
  });
});
