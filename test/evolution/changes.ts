/** Small changes of the penguins' contract, each by a name, with what the comparison says of it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

export const PENGUINS = readFileSync(
  fileURLToPath(new URL('../../examples/penguins/penguins.thrift', import.meta.url)),
  'utf8',
);

/** A row that both contracts take, unless the change says otherwise. */
export type Row = Readonly<Record<string, number | string | undefined>>;

export const ROW: Row = {
  bill_length_mm: 48.5,
  bill_depth_mm: 14.5,
  flipper_length_mm: 220,
  body_mass_g: 5100,
  island: 'Biscoe',
  sex: 'MALE',
};

/**
 * What a caller sees at a server of the other contract.
 *
 * `same`: the answer that its own contract's server gives. `refused`: an error that says what. `source`: its stubs have no
 * word for what it wants to send or call. `absent`, `unnamed`: what was promised is missing, or a number without a name.
 * `unseen`: an answer as if nothing were, which may be wrong; only the comparison tells.
 */
export type Outcome = 'same' | 'refused' | 'source' | 'absent' | 'unnamed' | 'unseen';

export interface NamedChange {
  readonly name: string;
  /** Text of the penguins' contract, and what stands in its place; all of its occurrences. */
  readonly edits: readonly (readonly [string, string])[];
  /** `kind path`, as the comparison reports them. */
  readonly changes: readonly string[];
  /** What differs in the row that is sent; undefined: left out. Each client sends what its stubs have. */
  readonly row?: Row;
  /** The same for the new client alone, at the old server. */
  readonly newRow?: Row;
  /** Old client at the new server, and new client at the old one; `same` twice when absent. */
  readonly seen?: readonly [Outcome, Outcome];
}

/** The contract with the change made. */
export function changedText({ edits }: Pick<NamedChange, 'edits'>): string {
  return edits.reduce((text, [from, to]) => {
    expect(text, 'the text of an edit').to.include(from);
    return text.replaceAll(from, to);
  }, PENGUINS);
}

const BILL = '1: optional double bill_length_mm    (min = "20", max = "80")';
const ISLAND = '5: optional string island            (values = "Biscoe,Dream,Torgersen")';
const SEX = '6: optional string sex               (values = "MALE,FEMALE", missing = "allowed")';
const LAST = `  ${SEX}\n`;
const add = (line: string): readonly [string, string] => [LAST, `${LAST}  ${line}\n`];
const bill = (annotations: string, type = 'double'): readonly [string, string] => [
  BILL,
  `1: optional ${type} bill_length_mm ${annotations}`,
];
const CONFIDENCE = '2: optional double confidence                  (role = "confidence")';
const ONE = 'Identified identify(1: Penguin penguin, 2: parley.RequestContext context)';

export const CHANGES: readonly NamedChange[] = [
  // ------------------------------------------------------------------ what is no difference to a caller
  {
    name: 'a comment and an order of declarations',
    edits: [[`  ${ISLAND}\n  ${SEX}\n`, `  ${SEX} // may be missing\n  ${ISLAND}\n`]],
    changes: [],
  },
  {
    name: 'a field that may be missing is added',
    edits: [add('7: optional double age_years (min = "0", max = "60", missing = "allowed")')],
    changes: ['field-added Penguin.age_years'],
  },
  {
    name: 'a field with a default is added',
    edits: [add('7: optional double age_years = 2 (min = "0", max = "60")')],
    changes: ['field-added Penguin.age_years'],
  },
  {
    name: "a caller's own key is added",
    edits: [add('7: optional string tag (role = "id", max_bytes = "20")')],
    changes: ['field-added-unfed Penguin.tag'],
  },
  {
    name: 'a range is widened',
    edits: [bill('(min = "10", max = "90")')],
    changes: ['range-widened Penguin.bill_length_mm'],
  },
  {
    name: 'a range is taken away',
    edits: [bill('')],
    changes: ['range-widened Penguin.bill_length_mm'],
  },
  {
    name: 'a value is added to a vocabulary',
    edits: [['Biscoe,Dream,Torgersen', 'Biscoe,Dream,Torgersen,Anvers']],
    changes: ['values-added Penguin.island'],
  },
  {
    name: 'a vocabulary is written in another order',
    edits: [['Biscoe,Dream,Torgersen', 'Torgersen,Dream,Biscoe']],
    changes: ['values-reordered Penguin.island'],
  },
  {
    name: 'a vocabulary is taken away',
    edits: [[ISLAND, '5: optional string island (max_bytes = "40")']],
    changes: ['values-added Penguin.island'],
  },
  {
    name: 'a field may be missing from now on',
    edits: [bill('(min = "20", max = "80", missing = "allowed")')],
    changes: ['missing-allowed Penguin.bill_length_mm'],
  },
  {
    name: 'a field gets a default',
    edits: [['1: optional double bill_length_mm    (', '1: optional double bill_length_mm = 44 (']],
    changes: ['missing-allowed Penguin.bill_length_mm'],
  },
  {
    name: 'a field becomes sensitive',
    edits: [bill('(min = "20", max = "80", sensitive = "true")')],
    changes: ['sensitive-changed Penguin.bill_length_mm'],
  },
  {
    name: 'a field of an answer is replaced by one under another id',
    edits: [
      [
        '15: optional parley.Provenance',
        '4: optional double certainty (role = "confidence")\n 15: optional parley.Provenance',
      ],
      [CONFIDENCE, ''],
    ],
    changes: ['answer-field-removed Identified.confidence', 'answer-added Identified.certainty'],
    seen: ['absent', 'absent'],
  },
  {
    name: 'a field of an answer is renamed',
    edits: [[CONFIDENCE, '2: optional double certainty (role = "confidence")']],
    changes: ['answer-field-renamed Identified.confidence'],
  },
  {
    name: 'a field of a request becomes required in stubs',
    edits: [[BILL, BILL.replace('optional', 'required')]],
    changes: ['requiredness-changed Penguin.bill_length_mm'],
  },
  {
    name: 'a field of an answer becomes required in stubs',
    edits: [[CONFIDENCE, CONFIDENCE.replace('optional', 'required')]],
    changes: ['requiredness-changed Identified.confidence'],
  },
  {
    name: 'a struct is renamed',
    edits: [
      ['struct Identified', 'struct Answer'],
      ['Identified identify(', 'Answer identify('],
      ['list<Identified>', 'list<Answer>'],
    ],
    changes: ['type-renamed Identified'],
  },
  {
    name: 'an argument is renamed',
    edits: [['identify(1: Penguin penguin', 'identify(1: Penguin bird']],
    changes: ['argument-renamed Penguins.identify.penguin'],
  },
  {
    name: 'a typedef is put in place of a type',
    edits: [
      ['enum Species {', 'typedef double Millimetres\nenum Species {'],
      ['double bill_length_mm', 'Millimetres bill_length_mm'],
    ],
    changes: [],
  },
  {
    name: 'a value of an enum is renamed and keeps its label',
    edits: [['GENTOO = 3 ', 'LONG_TAILED_GENTOO = 3 ']],
    changes: ['enum-value-renamed Species.GENTOO'],
  },
  {
    name: 'a method is added on the same structs',
    edits: [
      [
        'service Penguins {',
        'service Penguins {\n  Identified recognise(1: Penguin penguin) throws (1: parley.ParleyError error)',
      ],
    ],
    changes: ['method-added Penguins.recognise'],
  },
  {
    name: 'a bound is tightened',
    edits: [['accept.recall = ">= 0.95"', 'accept.recall = ">= 0.97"']],
    changes: ['accept-tightened Penguins accept.recall'],
  },
  {
    name: 'a bound is added',
    edits: [['accept.recall = ">= 0.95"', 'accept.recall = ">= 0.95", accept.f1 = ">= 0.9"']],
    changes: ['accept-added Penguins accept.f1'],
  },
  {
    name: 'an alias is guarded',
    edits: [['model = "penguins",', 'model = "penguins", accept.guards = "candidate",']],
    changes: ['guards-added Penguins accept.guards'],
  },

  // ------------------------------------------------------------------ what breaks callers, and is refused
  {
    name: 'a field is removed',
    edits: [[`  ${BILL}\n`, '']],
    changes: ['field-removed Penguin.bill_length_mm'],
    seen: ['unseen', 'refused'],
  },
  {
    name: 'a field that may not be missing is added',
    edits: [add('7: optional double age_years (min = "0", max = "60")')],
    changes: ['field-added-refused Penguin.age_years'],
    row: { age_years: 3 },
    seen: ['refused', 'same'],
  },
  {
    name: 'a field gets another id',
    edits: [['1: optional double bill_length_mm', '9: optional double bill_length_mm']],
    changes: ['id-changed Penguin.bill_length_mm'],
    seen: ['refused', 'refused'],
  },
  {
    name: 'a number becomes a whole number',
    edits: [bill('(min = "20", max = "80")', 'i32')],
    changes: ['type-changed Penguin.bill_length_mm'],
    row: { bill_length_mm: 48 },
    seen: ['refused', 'refused'],
  },
  {
    name: 'a number becomes text',
    edits: [bill('(max_bytes = "10")', 'string')],
    changes: ['type-changed Penguin.bill_length_mm'],
    seen: ['refused', 'refused'],
  },
  {
    name: 'a range is narrowed',
    edits: [bill('(min = "20", max = "48")')],
    changes: ['range-narrowed Penguin.bill_length_mm'],
    newRow: { bill_length_mm: 47 },
    seen: ['refused', 'same'],
  },
  {
    name: 'a value is taken out of a vocabulary',
    edits: [['Biscoe,Dream,Torgersen', 'Dream,Torgersen']],
    changes: ['values-removed Penguin.island'],
    newRow: { island: 'Dream' },
    seen: ['refused', 'same'],
  },
  {
    name: 'a field may no longer be missing',
    edits: [[', missing = "allowed"', '']],
    changes: ['missing-refused Penguin.sex'],
    row: { sex: undefined },
    newRow: {},
    seen: ['refused', 'same'],
  },
  {
    name: 'a text may be less long than some words of its vocabulary',
    edits: [[ISLAND, '5: optional string island (max_bytes = "5")']],
    changes: ['values-added Penguin.island', 'max-bytes-lowered Penguin.island'],
    newRow: { island: 'Dream' },
    seen: ['refused', 'same'],
  },
  {
    name: 'a field of an answer is removed',
    edits: [[`  ${CONFIDENCE}\n`, '']],
    changes: ['answer-field-removed Identified.confidence'],
    seen: ['absent', 'same'],
  },
  {
    name: 'a field of an answer gets another id',
    edits: [[CONFIDENCE, CONFIDENCE.replace('2:', '5:')]],
    changes: ['id-changed Identified.confidence'],
    seen: ['absent', 'absent'],
  },
  {
    name: 'a class is added',
    edits: [['GENTOO = 3 ', 'EMPEROR = 4 (label = "Emperor")\n  GENTOO = 3 ']],
    changes: ['answer-enum-value-added Species.EMPEROR'],
    row: { body_mass_g: 6900 },
    newRow: {},
    seen: ['unnamed', 'same'],
  },
  {
    name: 'a class is removed',
    edits: [['  ADELIE = 1      (label = "Adelie")\n', '']],
    changes: ['enum-value-removed Species.ADELIE'],
    row: { bill_length_mm: 36, flipper_length_mm: 180, body_mass_g: 3500 },
    seen: ['unseen', 'unnamed'],
  },
  {
    name: 'a class gets another number',
    edits: [['GENTOO = 3 ', 'GENTOO = 7 ']],
    changes: ['enum-value-renumbered Species.GENTOO'],
    seen: ['unnamed', 'unnamed'],
  },
  {
    name: 'a method is removed',
    edits: [[`  ${ONE}\n    throws (1: parley.ParleyError error)\n`, '']],
    changes: ['method-removed Penguins.identify'],
    seen: ['refused', 'source'],
  },
  {
    name: 'a method is renamed',
    edits: [['identify(1', 'recognise(1']],
    changes: ['method-removed Penguins.identify', 'method-added Penguins.recognise'],
    seen: ['refused', 'refused'],
  },
  {
    name: 'an argument gets another id',
    edits: [['identify(1: Penguin penguin', 'identify(3: Penguin penguin']],
    changes: ['argument-id-changed Penguins.identify.penguin'],
    seen: ['refused', 'refused'],
  },
  {
    name: 'a method takes and returns many where it took one',
    edits: [['  Identified identify(1: Penguin penguin,', '  list<Identified> identify(1: list<Penguin> penguin,']],
    changes: ['return-changed Penguins.identify', 'argument-type-changed Penguins.identify.penguin'],
    seen: ['refused', 'refused'],
  },
  {
    name: 'a service is renamed',
    edits: [['service Penguins', 'service Birds']],
    changes: ['service-renamed Penguins'],
    seen: ['refused', 'refused'],
  },

  // ------------------------------------------------------------------ what breaks callers, and no byte shows
  {
    name: 'a unit is written that is another',
    edits: [bill('(min = "20", max = "80", unit = "cm")')],
    changes: ['unit-changed Penguin.bill_length_mm'],
    seen: ['unseen', 'unseen'],
  },
  {
    name: 'a field is renamed to another unit',
    edits: [['bill_length_mm', 'bill_length_cm']],
    changes: ['field-renamed Penguin.bill_length_mm', 'unit-changed Penguin.bill_length_mm'],
    row: { bill_length_cm: 48.5 },
    seen: ['unseen', 'unseen'],
  },
  {
    name: 'two labels change places',
    edits: [
      ['ADELIE = 1      (label = "Adelie")', 'ADELIE = 1 (label = "Gentoo")'],
      ['GENTOO = 3      (label = "Gentoo")', 'GENTOO = 3 (label = "Adelie")'],
    ],
    changes: ['label-moved Species.ADELIE', 'label-moved Species.GENTOO'],
    seen: ['unseen', 'unseen'],
  },
  {
    name: 'two classes change numbers',
    edits: [
      ['ADELIE = 1 ', 'ADELIE = 9 '],
      ['GENTOO = 3 ', 'GENTOO = 1 '],
      ['ADELIE = 9 ', 'ADELIE = 3 '],
    ],
    changes: ['enum-value-renumbered Species.ADELIE', 'enum-value-renumbered Species.GENTOO'],
    seen: ['unseen', 'unseen'],
  },
  {
    name: 'a field is ignored from now on',
    edits: [bill('(min = "20", max = "80", role = "ignored")')],
    changes: ['role-changed Penguin.bill_length_mm'],
    seen: ['unseen', 'unseen'],
  },
  {
    name: 'a bound is loosened',
    edits: [['accept.recall = ">= 0.95"', 'accept.recall = ">= 0.9"']],
    changes: ['accept-loosened Penguins accept.recall'],
    seen: ['unseen', 'unseen'],
  },
  {
    name: 'a bound is removed',
    edits: [['  accept.precision = ">= 0.95",', ' ']],
    changes: ['accept-removed Penguins accept.precision'],
    seen: ['unseen', 'unseen'],
  },
  {
    name: 'the baseline is removed',
    edits: [
      ['accept.latency_p99_ms = "<= 5",', 'accept.latency_p99_ms = "<= 5"'],
      ['accept.baseline = "majority" ', ''],
    ],
    changes: ['baseline-removed Penguins accept.baseline'],
    seen: ['unseen', 'unseen'],
  },
];
