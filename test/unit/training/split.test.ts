import { expect } from 'chai';
import { hash, isHeldOut, RowBytes } from '#parley/training/split.js';

const rows = (count: number) =>
  new RowBytes().fill([Float64Array.from({ length: count }, (_, i) => i), new Array<string>(count).fill('x')], count);

function heldOut(count: number, share: number, seed = 1): number[] {
  const bytes = rows(count);
  return Array.from({ length: count }, (_, row) => row).filter((row) => isHeldOut(bytes.row(row), share, seed));
}

describe('the split', () => {
  it('holds out about the share that is asked for', () => {
    expect(heldOut(20_000, 0.2).length).to.be.within(3800, 4200);
    expect(heldOut(20_000, 0.01).length).to.be.within(140, 260);
  });

  it('leaves every row where it is when rows are added', () => {
    expect(heldOut(2000, 0.2).filter((row) => row < 1000)).to.deep.equal(heldOut(1000, 0.2));
  });

  it('keeps what was held out when the share grows', () => {
    expect(heldOut(1000, 0.4)).to.include.members(heldOut(1000, 0.2));
  });

  it('holds out another part for another seed', () => {
    const [one, two] = [heldOut(2000, 0.5, 1), heldOut(2000, 0.5, 2)];
    expect(one.filter((row) => two.includes(row)).length).to.be.within(400, 600);
  });

  it('is the same on every machine and in every release', () => {
    expect(heldOut(40, 0.2)).to.deep.equal([6, 7, 12, 19, 21, 31, 33, 34, 35, 37]);
    expect(hash(Buffer.from('penguin'), 1)).to.equal(1023999186);
  });
});

describe('RowBytes', () => {
  it('tells rows apart that only look alike when joined', () => {
    const bytes = new RowBytes().fill(
      [
        ['ab', 'a'],
        ['c', 'bc'],
      ],
      2,
    );
    expect(bytes.row(0).equals(bytes.row(1))).to.equal(false);
  });

  it('takes 0 and -0, and any two missing numbers, for the same', () => {
    const odd = new Float64Array(new BigUint64Array([0x7ff8000000000001n, 0x7ff8000000000000n]).buffer);
    const zeros = new RowBytes().fill([Float64Array.of(0, -0)], 2);
    const missing = new RowBytes().fill([odd], 2);
    expect(zeros.row(0).equals(zeros.row(1))).to.equal(true);
    expect(missing.row(0).equals(missing.row(1))).to.equal(true);
  });

  it('grows with the rows, and has all of them one after the other', () => {
    const long = 'é'.repeat(50_000);
    const bytes = new RowBytes().fill([[long, 'b', long]], 3);
    expect(bytes.row(2).subarray(4).toString('utf8')).to.equal(long);
    expect(bytes.all().length).to.equal(3 * 4 + 4 * 50_000 + 1);
  });
});
