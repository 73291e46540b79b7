import { expect } from 'chai';
import type { ColumnBatch } from '#parley/model/row.js';
import { ExampleSpool } from '#parley/training/example-spool.js';
import { RowSpool } from '#parley/training/row-spool.js';
import { ownTemporaryFolder } from '../sources/reading.js';

const SPECS = [
  { name: 'size', kind: 'number' },
  { name: 'name', kind: 'string' },
  { name: 'weight', kind: 'number' },
] as const;

function batch(start: number, rows: number): ColumnBatch {
  const each = <T>(make: (i: number) => T) => Array.from({ length: rows }, (_, i) => make(start + i));
  const names = each((i) => ['', 'Zürich', '🪙 coin', 'a'.repeat(i % 50)][i % 4]);
  const columns = [
    Float64Array.from(each((i) => (i % 5 === 0 ? Number.NaN : i / 3))),
    names,
    Float64Array.from(each((i) => -i)),
  ];
  return { specs: SPECS, rows, columns };
}

/** Copies, since a batch lasts only until the next one. */
const readCopies = (spool: RowSpool) => {
  const read: { rows: number; columns: (number | string)[][] }[] = [];
  for (const { rows, columns } of spool.batches()) read.push({ rows, columns: columns.map((column) => [...column]) });
  return read;
};

for (const [where, limit] of [
  ['memory', 2 ** 20],
  ['a file', 300],
] as const)
  describe(`spools in ${where}`, () => {
    const temporary = ownTemporaryFolder();
    const batches = [batch(0, 7), batch(7, 1), batch(8, 40), batch(48, 3)];

    it('give the rows again and again, in order, as they were', () => {
      const spool = new RowSpool(SPECS, limit);
      for (const each of batches) spool.append(each);
      const expected = batches.map(({ rows, columns }) => ({ rows, columns: columns.map((column) => [...column]) }));
      expect(spool.onDisk).to.equal(where === 'a file');
      expect(spool.rows).to.equal(51);
      expect(readCopies(spool)).to.deep.equal(expected);
      expect(readCopies(spool)).to.deep.equal(expected);
      spool.close();
    });

    it('let two readers read at once', () => {
      const spool = new RowSpool(SPECS, limit);
      for (const each of batches) spool.append(each);
      const outer: number[] = [];
      for (const { columns } of spool.batches()) {
        for (const inner of spool.batches()) expect(inner.rows).to.be.greaterThan(0);
        outer.push(Number(columns[2][0]));
      }
      expect(outer).to.deep.equal([-0, -7, -8, -48]);
      spool.close();
    });

    it('give examples as they were', () => {
      const spool = new ExampleSpool(3, limit / 4);
      spool.append(Float32Array.from([1, 2, 3, 4, 5, 6]), Float64Array.from([0, 1]));
      spool.append(Float32Array.from([7, 8, 9]), Float64Array.from([0.1]));
      spool.append(new Float32Array(60).fill(0.5), new Float64Array(20).fill(2));
      const read: { rows: number; features: number[]; targets: number[] }[] = [];
      for (const { rows, features, targets } of spool.batches())
        read.push({ rows, features: [...features], targets: [...targets] });
      expect(spool.onDisk).to.equal(where === 'a file');
      expect(read[0]).to.deep.equal({ rows: 2, features: [1, 2, 3, 4, 5, 6], targets: [0, 1] });
      expect(read[1]).to.deep.equal({ rows: 1, features: [7, 8, 9], targets: [0.1] });
      expect(read[2].features).to.deep.equal(new Array(60).fill(0.5));
      expect(spool.rows).to.equal(23);
      spool.close();
    });

    it('leave no file behind', () => {
      const spool = new RowSpool(SPECS, limit);
      for (const each of batches) spool.append(each);
      spool.close();
      expect(temporary.files()).to.deep.equal([]);
    });
  });
