/** All of the tables, with every element type of ONNX in every place. any-graph.test.ts has some. */
import { NAMED, NAMES_AND_FIELDS } from './cases/names.js';
import { NOTHING } from './cases/nothing.js';
import { SHAPES } from './cases/shapes.js';
import { SUBGRAPHS } from './cases/subgraphs.js';
import { TYPES, typed } from './cases/types.js';
import { expectAlike, expectCase } from './expect-case.js';
import { expectSameProcess, useServerProcess } from './server-process.js';

describe('any graph, of any type and name', function () {
  this.timeout(30_000);
  const process = useServerProcess();
  for (const cases of [SHAPES, NOTHING, SUBGRAPHS, NAMED, NAMES_AND_FIELDS])
    for (const [what, each] of Object.entries(cases)) it(what, () => expectCase(process().graphs, each));
  for (const type of TYPES)
    for (const [what, each] of Object.entries(typed(type))) it(what, () => expectAlike(process().graphs, each));
  it('leaves the server as it was', () => expectSameProcess(process()));
});
