/** Of fields with many values, nested structs and unions. */
import { expect } from 'chai';
import { compareContracts } from '#parley/contract/compare.js';
import { parse } from './penguins.js';

const BIRDS = `include "parley.thrift"
enum Colour { UNSPECIFIED = 0, RED = 1, BLUE = 2 }
struct Bill { 1: optional double length_mm (min = "1", max = "9"), 2: optional double depth_mm (min = "1", max = "9") }
union Place { 1: string island (values = "A,B"), 2: i32 zone (min = "0", max = "9") }
struct Bird {
  1: optional Bill bill
  2: optional list<double> wings_mm (shape = "3", min = "0", max = "9")
  3: optional Place place
  4: optional map<Colour, double> feathers (min = "0", max = "1")
}
struct Named { 1: optional Colour colour (role = "label") }
service Birds { Named name(1: Bird bird) throws (1: parley.ParleyError error) } (
  model = "birds", accept.recall = ">= 0.9", accept.f1.drop = "<= 0.01")
`;

const CASES: readonly (readonly [name: string, from: string, to: string, changes: readonly string[]])[] = [
  [
    'a range of a nested field',
    'length_mm (min = "1", max = "9")',
    'length_mm (min = "2", max = "9")',
    ['range-narrowed Bill.length_mm'],
  ],
  [
    'a nested field',
    'depth_mm (min = "1", max = "9")',
    'depth_mm (min = "1", max = "9"), 3: optional double width_mm',
    ['field-added-refused Bill.width_mm'],
  ],
  [
    'a nested struct',
    '1: optional Bill bill',
    '1: optional Bill bill\n  5: optional Bill other',
    ['field-added-refused Bird.other'],
  ],
  [
    'a union',
    '3: optional Place place',
    '3: optional Place place\n  5: optional Place second',
    ['field-added-refused Bird.second'],
  ],
  [
    'a union that may be missing',
    '3: optional Place place',
    '3: optional Place place\n  5: optional Place second (missing = "allowed")',
    ['field-added Bird.second'],
  ],
  [
    'whether a union may be missing',
    'Place place',
    'Place place (missing = "allowed")',
    ['missing-allowed Bird.place'],
  ],
  [
    "a union's member",
    '2: i32 zone',
    '3: string town (max_bytes = "9"), 2: i32 zone',
    ['union-member-added Place.town'],
  ],
  ["a union's word", 'values = "A,B"', 'values = "A"', ['values-removed Place.island']],
  ['how many values', 'shape = "3"', 'shape = "4"', ['shape-changed Bird.wings_mm']],
  ['any number of values', 'shape = "3", ', '', ['shape-loosened Bird.wings_mm']],
  [
    "a map's keys",
    'BLUE = 2',
    'BLUE = 2, GREEN = 3',
    ['keys-changed Bird.feathers', 'answer-enum-value-added Colour.GREEN'],
  ],
  ['a drop', '<= 0.01', '<= 0.02', ['accept-loosened Birds accept.f1.drop']],
  [
    'a slice',
    'accept.recall',
    'accept.1 = "recall[place.island=A] >= 0.5", accept.recall',
    ['accept-added Birds accept.recall[place.island=A]'],
  ],
  ['agreement', 'model = "birds"', 'model = "birds", changes = "agreed"', ['agreement-changed Birds']],
];

describe('compareContracts, of nested structs, lists, maps and unions,', () => {
  for (const [name, from, to, changes] of CASES) {
    it(`tells a change of ${name}`, () => {
      expect(BIRDS).to.include(from);
      const found = compareContracts(parse(BIRDS), parse(BIRDS.replace(from, to)));
      expect(found.map(({ kind, path }) => `${kind} ${path}`)).to.have.members(changes as string[]);
    });
  }

  it('tells nothing of the same', () => {
    expect(compareContracts(parse(BIRDS), parse(`// again\n${BIRDS}`))).to.deep.equal([]);
  });
});
