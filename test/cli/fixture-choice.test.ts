import { expect } from 'chai';
import { FixtureChoice, shareOf } from '#parley/cli/init-fixtures.js';
import { isHeldOut } from '#parley/training/split.js';

const bytesOf = (text: string) => Buffer.from(text);

type Row = readonly [line: string, className: string];

function choose(rows: readonly Row[]) {
  const choice = new FixtureChoice(rows.length);
  for (const [line, className] of rows) choice.add(line, bytesOf(line), className, true);
  return choice.finish();
}

const rowsOf = (className: string, count: number): Row[] =>
  Array.from({ length: count }, (_, i) => [`${className}${i}`, className]);

/** Rows whose numbers are over the share, so that only a class's need makes them fixtures. */
const unchosen = (className: string, count: number) =>
  rowsOf(className, count * 3)
    .filter(([line]) => shareOf(line) >= 0.2)
    .slice(0, count);

describe('FixtureChoice', () => {
  it('takes the rows whose numbers are under a fifth, in the order of the file', () => {
    const rows = rowsOf('a', 400);
    const wanted = rows.map(([line]) => line).filter((line) => shareOf(line) < 0.2);
    expect(choose(rows).lines).to.deep.equal(wanted);
  });

  it('gives a class five rows where too few are under the share', () => {
    const { lines } = choose([...rowsOf('common', 200), ...unchosen('rare', 20)]);
    expect(lines.filter((line) => line.startsWith('rare'))).to.have.length(5);
  });

  it('leaves a class half of its different rows', () => {
    const { lines } = choose([...rowsOf('common', 200), ...unchosen('rare', 4)]);
    expect(lines.filter((line) => line.startsWith('rare'))).to.have.length(2);
  });

  it('takes all copies of a row or none, and a hundred at most', () => {
    const once = rowsOf('a', 30);
    const { lines } = choose(Array.from({ length: 150 }, () => once).flat());
    const different = new Set(lines);
    expect(different.size).to.be.within(1, 10);
    expect(lines).to.have.length(different.size * 100);
  });

  it('takes no row that may not be one', () => {
    const choice = new FixtureChoice(100);
    for (const [line, className] of rowsOf('a', 100)) choice.add(line, bytesOf(line), className, false);
    expect(choice.finish().lines).to.deep.equal([]);
  });

  it('takes a thousand rows at most, however many classes there are', () => {
    expect(choose(Array.from({ length: 400 }, (_, i) => rowsOf(`class ${i}`, 12)).flat()).lines).to.have.length(1000);
  });

  /** The rows that are left, by the side that the seed puts them on. */
  function sides(rows: readonly Row[]) {
    const { lines, seed } = choose(rows);
    const rest = rows.filter(([line]) => !lines.includes(line));
    const test = rest.filter(([line]) => isHeldOut(bytesOf(line), 0.2, seed));
    return { train: rest.filter((row) => !test.includes(row)), test };
  }

  for (let offset = 0; offset < 12; offset++) {
    it(`finds a seed that leaves each of few rows' classes to learn from (${offset})`, () => {
      const rows = [...rowsOf(`a${offset}-`, 9), ...rowsOf(`b${offset}-`, 2)];
      const named = rows.map(([line]) => [line, line[0]!] as const);
      const { train, test } = sides(named);
      expect(new Set(train.map(([, className]) => className)).size).to.equal(2);
      expect(test).not.to.deep.equal([]);
    });

    it(`finds a seed that holds something out where each row is a class (${offset})`, () => {
      const rows = Array.from({ length: 4 }, (_, i) => [`row ${offset} ${i}`, `class ${i}`] as const);
      const { train, test } = sides(rows);
      expect(test.length).to.be.greaterThan(0);
      expect(train.length).to.be.at.least(2);
    });
  }
});
