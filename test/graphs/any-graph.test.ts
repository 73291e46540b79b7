/**
 * Graphs of everything that the format has, uploaded to `parley serve`, published, asked over Thrift: each ends in the
 * runtime's own numbers or in a reason, and the server is the process that it was. any-graph.full.test.ts has every
 * case, every element type in every place, and more names.
 */
import type { Cases } from './cases/case.js';
import { NAMED, NAMES_AND_FIELDS } from './cases/names.js';
import { NOTHING } from './cases/nothing.js';
import { SHAPES } from './cases/shapes.js';
import { SUBGRAPHS } from './cases/subgraphs.js';
import { CONTAINERS, TYPES, typed } from './cases/types.js';
import { expectCase } from './expect-case.js';
import { expectSameProcess, useServerProcess } from './server-process.js';

const only = (cases: Cases, keep: RegExp): Cases =>
  Object.fromEntries(Object.entries(cases).filter(([what]) => keep.test(what)));

const CASES: Readonly<Record<string, Cases>> = {
  shapes: only(SHAPES, /symbol|from rows|no rows|found|input|left out|seventeen|thousand|as they are|split|several/),
  nothing: only(NOTHING, /TopK|LSTM|RoiAlign/),
  subgraphs: only(SUBGRAPHS, /ranks|Loop|Scan|sequence|optional|function/),
  names: {
    ...only(NAMED, /prototype, one|constructor, one|slashes.*batched/),
    ...only(NAMES_AND_FIELDS, /NUL|without|two outputs|is a constant|training|sparse|of old|other files/),
  },
  // Those that are refused before anything is run.
  types: {
    ...Object.assign({}, ...TYPES.map((type) => only(typed(type), /(int4|complex64|bfloat16) as an/))),
    ...CONTAINERS,
  },
};

describe('any graph', function () {
  this.timeout(30_000);
  const process = useServerProcess();
  for (const [kind, cases] of Object.entries(CASES))
    describe(`answers as the runtime does, or says why not: ${kind}`, () => {
      for (const [what, each] of Object.entries(cases)) it(what, () => expectCase(process().graphs, each));
    });
  // Of its own, since a suite's tests run before the suites in it.
  describe('afterwards', () => {
    it('the server is the process that it was', () => expectSameProcess(process()));
  });
});
