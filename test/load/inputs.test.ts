import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { problemOf } from '#parley/contract/check.js';
import type { InputField } from '#parley/contract/contract.js';
import { parseContract } from '#parley/contract/parse.js';
import type { FieldValue } from '#parley/load/frames.js';
import { chanceOf, madeUpRow, madeUpTensor } from '#parley/load/made-up.js';
import { inputRows, tensorOf, typedRows } from '#parley/load/rows-of-file.js';
import type { DataType } from '#parley/model/tensor.js';
import { DATA_TYPES } from '#parley/model/tensor.js';
import { PENGUINS_IDL, SCALARS_IDL } from '../rpc/served.js';
import { failure } from '../store/world.js';

const contract = parseContract({ file: 'scalars.thrift', idl: SCALARS_IDL, includes: {} });
const method = contract.services[0]!.methods[0]!;
const fields = method.request.fields;

/** A value as columns hold it. */
function asColumn({ type, enum: members }: InputField, value: FieldValue): string | number {
  if (members !== undefined) return members.members.find((member) => member.value === value)!.label;
  return type === 'string' ? String(value) : Number(value);
}

describe('inputs that are made up', () => {
  for (const [name, idl] of [
    ['scalars', SCALARS_IDL],
    ['penguins', readFileSync(PENGUINS_IDL, 'utf8')],
  ] as const)
    it(`keep the contract in every field, differ from row to row, and are the same in every run: ${name}`, () => {
      const [service] = parseContract({ file: `${name}.thrift`, idl, includes: {} }).services,
        [wanted] = service!.methods;
      const rows = (seed: number) => {
        const chance = chanceOf(seed);
        return Array.from({ length: 200 }, () => madeUpRow(wanted!, chance));
      };
      for (const row of rows(1))
        wanted!.request.fields.forEach((field, index) => {
          expect(problemOf(field, asColumn(field, row[index]), field.name)).to.equal(undefined);
        });
      expect(new Set(rows(1).map((row) => JSON.stringify(row))).size).to.be.above(190);
      expect(rows(1)).to.deep.equal(rows(1));
    });

  it('fill tensors of every type and shape, and stay within the range of the field that they stand for', () => {
    for (const dataType of Object.keys(DATA_TYPES) as DataType[]) {
      const spec = { name: 'x', dataType, shape: [-1, 3, -1] };
      const { shape, data } = madeUpTensor(spec, 5, chanceOf(1));
      expect(shape).to.deep.equal([5, 3, 16]);
      expect(data).to.have.length(240);
    }
    const field = fields.find(({ name }) => name === 'short_number')!;
    const { data } = madeUpTensor({ name: 'x', dataType: 'float64', shape: [-1, 1] }, 500, chanceOf(1), field);
    expect(Math.max(...(data as Float64Array))).to.be.within(900, 1000);
    expect(Math.min(...(data as Float64Array))).to.be.within(-1000, -900);
  });

  it('are refused where the graph takes another number of rows', async () => {
    const spec = { name: 'x', dataType: 'float32' as const, shape: [4, 2] };
    expect(() => madeUpTensor(spec, 3, chanceOf(1))).to.throw('--rows 3: input "x" of this model takes 4 rows a call');
    expect(madeUpTensor(spec, 1, chanceOf(1)).shape).to.deep.equal([4, 2]);
  });
});

describe('inputs of a file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'load-rows-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const HEADER = 'flag,tiny,short_number,number,long_number,real,text,size,key\n';

  it("are a contract's rows by its fields' names; empty ones are left out", async () => {
    const path = file('good.csv', `${HEADER}true,1,-5,7,9,,word,large,k\nfalse,2,5,8,10,1.5,,small,l\n`);
    expect(await typedRows(path, method)).to.deep.equal(
      [
        { flag: true, tiny: 1, short_number: -5, number: 7, long_number: 9, text: 'word', size: 7, key: 'k' },
        { flag: false, tiny: 2, short_number: 5, number: 8, long_number: 10, real: 1.5, size: 1, key: 'l' },
      ].map((row: Record<string, unknown>) => fields.map(({ name }) => row[name])),
    );
  });

  it('are refused with row, field and value where they do not keep the contract', async () => {
    const path = file('range.csv', `${HEADER}true,1,5000,7,9,1,word,large,k\n`);
    const error = await failure(typedRows(path, method));
    expect(error.message).to.include('row 1: short_number: must be between -1000 and 1000 (1 such problems)');
    expect(error.problems[0]!.got).to.equal('5000');
  });

  it('are refused where a column is missing, the file is not there, is empty or of another kind', async () => {
    const cases: [string, RegExp][] = [
      [file('missing.csv', 'flag,tiny\ntrue,1\n'), /number: there is no such column \(4 such problems\)/],
      [join(folder, 'nowhere.csv'), /--data .*nowhere\.csv: ./],
      [file('empty.jsonl', ''), /--data .*empty\.jsonl/],
      [file('rows.txt', 'x'), /no known ending; expected \.csv, \.jsonl or \.parquet/],
    ];
    for (const [path, message] of cases) {
      const error = await failure(typedRows(path, method));
      expect(error.code, path).to.equal('INVALID_INPUT');
      expect(error.message).to.match(message);
    }
  });

  it('fill the single input of several values in the order of the columns, beginning again at the end', async () => {
    const spec = { name: 'x', dataType: 'float32' as const, shape: [-1, 3] };
    const rows = await inputRows(file('wide.jsonl', '{"a":1,"b":2,"c":3}\n{"a":4,"b":5,"c":6}\n'), [spec]);
    expect(rows.rows).to.equal(2);
    const tensor = tensorOf(spec, rows, 1, 3);
    expect(tensor.shape).to.deep.equal([3, 3]);
    expect([...(tensor.data as Float32Array)]).to.deep.equal([4, 5, 6, 1, 2, 3, 4, 5, 6]);
  });

  it('fill inputs of one value by their names, and say what they miss', async () => {
    const specs = [
      { name: 'n', dataType: 'int64' as const, shape: [-1, 1] },
      { name: 'word', dataType: 'string' as const, shape: [-1] },
    ];
    const rows = await inputRows(file('named.csv', 'word,n\none,1\ntwo,2\n'), specs);
    expect(tensorOf(specs[0]!, rows, 0, 2).data).to.deep.equal(BigInt64Array.of(1n, 2n));
    expect(tensorOf(specs[1]!, rows, 1, 2)).to.deep.equal({ dataType: 'string', shape: [2], data: ['two', 'one'] });
    const other = file('other.csv', 'words,n\none,1\n');
    expect((await failure(inputRows(other, specs))).message).to.include(
      'there is no column for the input "word" (did you mean "words"?)',
    );
    const wide = { name: 'x', dataType: 'float32' as const, shape: [-1, 3] };
    expect((await failure(inputRows(other, [wide]))).message).to.include(
      'input "x" takes 3 numbers a row, and the file has 2 columns (1 of numbers)',
    );
  });
});
