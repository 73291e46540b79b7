import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { loadProject, type Project } from '#parley/training/project.js';
import { readRows } from '#parley/training/read-rows.js';
import { type Trained, train } from '#parley/training/train.js';
import { temporaryFolder } from '../unit/sources/reading.js';
import { type Ran, runHere } from './command.js';

/** `count` rows, each made of its number. */
const table = (header: string, count: number, row: (i: number) => string, end = '\n') =>
  [header, ...Array.from({ length: count }, (_, i) => row(i))].join(end) + end;

/** A number that looks like chance and is the same each time. */
const noise = (i: number) => ((i * 7919) % 1009) / 1009;

const FLOWERS = table('height,color,kind', 200, (i) =>
  [(i % 2 === 0 ? 150 : 40) + 30 * noise(i), ['red', 'yellow'][i % 2], ['rose', 'tulip'][i % 2]].join(','),
);

describe('parley init', () => {
  let place: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    place = temporaryFolder();
  });
  afterEach(() => place.remove());

  const at = (...names: string[]) => join(place.path, ...names);

  function write(name: string, text: string | Buffer): string {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
    return at(name);
  }

  function init(
    csv: string | Buffer,
    label: string | undefined,
    name = 'model',
    more: readonly string[] = [],
  ): Promise<Ran> {
    const options = label === undefined ? [] : ['--label', label];
    return runHere(['init', name, '--csv', write('data.csv', csv), ...options, '--folder', at(name), ...more]);
  }

  /** The project of a CSV file, which must be made without a word of complaint. */
  async function projectOf(csv: string | Buffer, label: string, name = 'model'): Promise<Project> {
    const ran = await init(csv, label, name);
    expect([ran.code, ran.stderr]).to.deep.equal([0, '']);
    return loadProject(at(name));
  }

  const yaml = (name = 'model') => parse(readFileSync(at(name, 'parley.yaml'), 'utf8'));
  const fixtures = (name = 'model') => readFileSync(at(name, 'fixtures.csv'), 'utf8').trimEnd().split('\n');
  const fieldsOf = (project: Project) => Object.fromEntries(project.request.fields.map((field) => [field.name, field]));
  const classesOf = ({ artifact }: Trained) => (artifact.metadata as { classes: readonly string[] }).classes;

  describe('writes a project that can be trained', () => {
    it('to tell texts apart', async () => {
      const trained = await train(await projectOf(FLOWERS, 'kind'));
      expect(trained.metrics['test.accuracy']).to.equal(1);
      expect(classesOf(trained)).to.deep.equal(['rose', 'tulip']);
    });

    for (const [spelling, classes] of [
      ['True,False', ['False', 'True']],
      ['yes,no', ['no', 'yes']],
      ['0,1', ['0', '1']],
      ['1.0,0.0', ['0', '1']],
      ['3,7', ['3', '7']],
    ] as const) {
      it(`to tell ${spelling} apart`, async () => {
        const csv = table('size,flag', 120, (i) => `${i % 2}${noise(i)},${spelling.split(',')[i % 2]}`);
        expect(classesOf(await train(await projectOf(csv, 'flag')))).to.have.members([...classes]);
      });
    }

    it('to estimate a number', async () => {
      const csv = table('area,price', 200, (i) => `${100 * noise(i)},${300 * noise(i) + 20.5 + noise(i * 3)}`);
      const trained = await train(await projectOf(csv, 'price'));
      expect(trained.artifact.modelType).to.equal('tabular-regressor');
      expect(trained.metrics['test.r2']).to.be.greaterThan(0.99);
    });

    it('with missing values, which the contract then allows', async () => {
      const csv = table('size,color,kind', 200, (i) => `${i % 7 ? noise(i) : ''},${i % 5 ? 'red' : ''},${'ab'[i % 2]}`);
      const project = await projectOf(csv, 'kind');
      await train(project);
      const { size, color } = fieldsOf(project);
      expect([size!.missing.kind, color!.missing.kind]).to.deep.equal(['allowed', 'allowed']);
    });

    it('with an id, which is not fed to the model', async () => {
      const csv = table('flower_id,size,kind', 100, (i) => `F${i},${noise(i)},${'ab'[i % 2]}`);
      const project = await projectOf(csv, 'kind');
      await train(project);
      expect(fieldsOf(project).flower_id!.role).to.equal('id');
      expect(fixtures()[0]).to.equal('size,kind');
    });

    it('with texts of many values, also long ones', async () => {
      const csv = table(
        'comment,city,kind',
        150,
        (i) => `"${'word '.repeat(i * 20)}, ""${i}""",city ${i % 75},${'ab'[i % 2]}`,
      );
      const project = await projectOf(csv, 'kind');
      await train(project);
      expect(fieldsOf(project).comment!.maxBytes).to.be.greaterThan(150 * 100);
    });

    it('with times of few values', async () => {
      const csv = table('seen,kind', 60, (i) => `2026-01-0${(i % 3) + 1} 10:00:00,${'ab'[i % 2]}`);
      const project = await projectOf(csv, 'kind');
      await train(project);
      expect(fieldsOf(project).seen!.values).to.include('2026-01-01T10:00:00');
    });

    it('with columns that never have a value, or always the same', async () => {
      const csv = table('nothing,same,size,kind', 100, (i) => `,5,${noise(i)},${'ab'[i % 2]}`);
      const project = await projectOf(csv, 'kind');
      await train(project);
      const { nothing, same, size } = fieldsOf(project);
      expect([nothing!.role, same!.role, size!.role]).to.deep.equal(['ignored', 'ignored', 'feature']);
    });

    it('leaving out rows without a label', async () => {
      const csv = table('size,kind', 100, (i) => `${noise(i)},${['a', 'b', '', '" "'][i % 4]}`);
      const project = await projectOf(csv, 'kind');
      const rows = await readRows(project);
      rows.close();
      expect(rows.read).to.equal(50);
      await train(project);
    });

    it('leaving out rows without a number to estimate', async () => {
      const csv = table('size,the price', 100, (i) => `${noise(i)},${i % 4 ? noise(i) * 3 : ''}`);
      await train(await projectOf(csv, 'the price'));
      expect(yaml().source.query).to.equal('SELECT * FROM data WHERE "the price" IS NOT NULL');
    });

    for (const missing of ['NA', '?', 'NULL', 'NaN']) {
      it(`taking ${missing} among numbers for a missing one`, async () => {
        const csv = table('size,kind', 100, (i) => `${i % 9 ? noise(i) : missing},${'ab'[i % 2]}`);
        const project = await projectOf(csv, 'kind');
        await train(project);
        expect([fieldsOf(project).size!.type, fieldsOf(project).size!.missing.kind]).to.deep.equal([
          'double',
          'allowed',
        ]);
      });
    }

    it('keeping NA a word in a column that holds words', async () => {
      const project = await projectOf(
        table('region,kind', 60, (i) => `${['NA', 'EU', '5'][i % 3]},${'ab'[i % 2]}`),
        'kind',
      );
      expect(fieldsOf(project).region!.values).to.deep.equal(['5', 'EU', 'NA']);
    });

    for (const [name, delimiter] of [
      ['semicolons', ';'],
      ['tabs', '\t'],
      ['bars', '|'],
    ] as const) {
      it(`of a file with ${name}, a byte-order mark and lines that end as on Windows`, async () => {
        const csv = table(
          ['Sepal.Length (cm)', '"Größe; ""x"", y"', 'Species'].join(delimiter),
          90,
          (i) => {
            return [noise(i).toFixed(2), `"a, b ${i % 3}"`, ['iris setosa', 'Ähre'][i % 2]].join(delimiter);
          },
          '\r\n',
        );
        const project = await projectOf(`\ufeff${csv}`, 'Species');
        expect(classesOf(await train(project))).to.have.members(['iris setosa', 'Ähre']);
        expect(yaml().columns).to.deep.equal({ sepal_length_cm: 'Sepal.Length (cm)', grosse_x_y: 'Größe; "x", y' });
      });
    }

    it('of numbers with decimal commas', async () => {
      const csv = table('größe;kind', 80, (i) => `${i % 9 ? String(i + 0.5).replace('.', ',') : 'NA'};${'ab'[i % 2]}`);
      const project = await projectOf(csv, 'kind');
      await train(project);
      expect(fieldsOf(project).grosse).to.include({ type: 'double', min: 0 });
      expect(yaml().source).to.include({ delimiter: ';', decimal: ',' });
    });

    it('of names that YAML and SQL would take for something else', async () => {
      const csv = table(
        `"yes: no # x","it's ""quoted""",{a},label's`,
        60,
        (i) => `${noise(i)},${i},${i % 3},${'ab'[i % 2]}`,
      );
      await train(await projectOf(csv, "label's"));
      expect(Object.values(yaml().columns)).to.deep.equal(['yes: no # x', 'it\'s "quoted"', '{a}']);
    });

    it('where a column becomes the same word as the label', async () => {
      const project = await projectOf(
        table('kind!,kind', 60, (i) => `${noise(i)},${'ab'[i % 2]}`),
        'kind',
      );
      await train(project);
      expect(fixtures()[0]).to.equal('kind_2,kind');
    });

    it('of twenty rows', async () => {
      await train(
        await projectOf(
          table('size,kind', 20, (i) => `${noise(i)},${'ab'[i % 2]}`),
          'kind',
        ),
      );
    });

    it('of twenty numbers to estimate', async () => {
      await train(
        await projectOf(
          table('size,price', 20, (i) => `${noise(i)},${noise(i) * 2}`),
          'price',
        ),
      );
    });

    /** The fixtures of such a project come from its source. */
    const overlap = (fixtures: number, rows: number) =>
      `${fixtures} of ${rows} rows of the source are fixtures too; they were left out of the training and its test`;

    it('of few different rows', async () => {
      const csv = table('color,size,kind', 400, (i) => `${['red', 'blue'][i % 2]},${i % 5},${'ab'[(i >> 1) % 2]}`);
      const trained = await train(await projectOf(csv, 'kind'));
      expect(trained.warnings).to.deep.equal([overlap(100, 400)]);
    });

    it('where one class is rare, which is then among the fixtures and what is learned', async () => {
      const csv = table('size,kind', 1000, (i) => `${noise(i)},${i % 200 === 0 ? 'rare' : 'common'}`);
      const trained = await train(await projectOf(csv, 'kind'));
      expect(trained.warnings).to.deep.equal([overlap(205, 1000)]);
      expect(fixtures().filter((line) => line.endsWith(',rare'))).to.have.length(2);
    });

    it("called by the model's name, whatever that is in Thrift", async () => {
      const project = await projectOf(FLOWERS, 'kind', 'my-flowers.v2');
      expect([project.contract.model, project.contract.file]).to.deep.equal(['my-flowers.v2', 'my-flowers.v2.thrift']);
    });
  });

  describe('the fixtures', () => {
    it('are about a fifth of the rows, with each class in its share', async () => {
      await projectOf(
        table('size,kind', 2000, (i) => `${i + noise(i)},${'ab'[i % 2]}`),
        'kind',
      );
      const [a, b] = ['a', 'b'].map((name) => fixtures().filter((line) => line.endsWith(`,${name}`)).length);
      expect(a).to.be.within(160, 240);
      expect(b).to.be.within(160, 240);
    });

    it('are a thousand rows at most, with each class in its share', async () => {
      await projectOf(
        table('size,kind', 20_000, (i) => `${i + noise(i)},${i % 4 ? 'common' : 'rare'}`),
        'kind',
      );
      expect(fixtures().length - 1).to.be.within(900, 1000);
      expect(fixtures().filter((line) => line.endsWith(',rare')).length).to.be.within(200, 300);
    });

    it('are complete rows', async () => {
      await projectOf(
        table('size,kind', 500, (i) => `${i % 4 ? noise(i) : ''},${'ab'[i % 2]}`),
        'kind',
      );
      expect(fixtures().filter((line) => line.startsWith(','))).to.deep.equal([]);
    });

    it('may have gaps where most rows have some', async () => {
      await projectOf(
        table('x,y,kind', 200, (i) => `${i % 2 ? '' : noise(i)},${i % 2 ? noise(i) : ''},${'ab'[(i >> 1) % 2]}`),
        'kind',
      );
      expect(fixtures().length - 1).to.be.within(20, 60);
    });

    it('are the same each time', async () => {
      await projectOf(FLOWERS, 'kind', 'one');
      await projectOf(FLOWERS, 'kind', 'two');
      expect(fixtures('one')).to.deep.equal(fixtures('two'));
    });

    it('are rows that the training leaves out, each of them', async () => {
      const rows = await readRows(await projectOf(FLOWERS, 'kind'));
      rows.close();
      expect(rows.fixtures).to.equal(fixtures().length - 1);
      expect(rows.fixtures).to.be.greaterThan(0);
    });
  });

  describe('the project', () => {
    it('finds a file beside it also after both have moved', async () => {
      await projectOf(FLOWERS, 'kind');
      mkdirSync(at('elsewhere'));
      renameSync(at('model'), at('elsewhere/model'));
      renameSync(at('data.csv'), at('elsewhere/data.csv'));
      await train(await loadProject(at('elsewhere/model')));
    });

    it('names a file that is far away by its absolute path', async () => {
      const csv = write('data.csv', FLOWERS);
      await runHere(['init', 'm', '--csv', csv, '--label', 'kind', '--folder', at('a/b/c/m')]);
      expect(parse(readFileSync(at('a/b/c/m/parley.yaml'), 'utf8')).source.path).to.equal(csv);
    });

    it('has the files that are named, and nothing is left beside it', async () => {
      await init(FLOWERS, 'kind');
      expect(readdirSync(at('model')).sort()).to.deep.equal([
        'README.md',
        'fixtures.csv',
        'model.thrift',
        'parley.yaml',
      ]);
      expect(readdirSync(place.path).sort()).to.deep.equal(['data.csv', 'model']);
    });

    it('fills an empty folder', async () => {
      mkdirSync(at('model'));
      await projectOf(FLOWERS, 'kind');
    });
  });

  describe('what is printed', () => {
    it('is the fields, what was written, and the next commands', async () => {
      const { stdout } = await init(FLOWERS, 'kind');
      expect(stdout).to.match(/^height +double +\d+ to \d+ +0$/m);
      expect(stdout).to.match(/^color +string +red, yellow +0$/m);
      expect(stdout).to.include(`${at('model')}/model.thrift`);
      expect(stdout).to.include(`parley train ${at('model')} --promote`);
      expect(stdout).to.match(/parley predict model '\{"height":[\d.]+,"color":"\w+"\}'/);
    });

    it('is JSON when that is wanted', async () => {
      const { stdout } = await init(FLOWERS, 'kind', 'model', ['--json']);
      const told = JSON.parse(stdout);
      expect(told.task).to.equal('classification');
      expect(told.rows.train + told.rows.test + told.rows.fixtures).to.equal(200);
      expect(told.fields[1]).to.include({ name: 'color', column: 'color', type: 'string', role: 'feature' });
    });
  });

  describe('refuses', () => {
    async function refusal(ran: Promise<Ran>, code = 1): Promise<string> {
      const { code: ended, stderr, stdout } = await ran;
      expect([ended, stdout]).to.deep.equal([code, '']);
      expect(readdirSync(place.path).filter((name) => name !== 'data.csv')).to.deep.equal([]);
      expect(stderr).not.to.include('    at ');
      return stderr;
    }

    it('to guess which data', async () => {
      expect(await refusal(runHere(['init', 'model']), 2)).to.include('parley init model --csv FILE --label COLUMN');
    });

    it('to guess the label, and suggests one', async () => {
      expect(await refusal(init(FLOWERS, undefined))).to.include(
        'The likeliest is "kind"; the columns are height, color, kind',
      );
    });

    it('a label that is no column, with the nearest that is one', async () => {
      expect(await refusal(init(FLOWERS, 'Kinds'))).to.include('there is no column "Kinds" (did you mean "kind"?)');
    });

    it('a file that is not there', async () => {
      expect(await refusal(runHere(['init', 'm', '--csv', at('no.csv'), '--label', 'x']))).to.include(
        `no file "${at('no.csv')}"`,
      );
    });

    for (const [what, csv, message] of [
      ['an empty file', '', 'is empty'],
      ['a file of a header alone', 'size,kind\n', 'no rows'],
      ['too few rows', table('size,kind', 19, (i) => `${i},${'ab'[i % 2]}`), '19 rows; 20 are the fewest'],
      ['one class', table('size,kind', 50, (i) => `${i},a`), 'every row is "a"'],
      ['a label alone', table('kind', 50, (i) => `${'ab'[i % 2]}`), 'only column'],
      ['a label that differs in all rows', table('size,kind', 1200, (i) => `${i},text ${i}`), '1200 different texts'],
      ['a file without a header', table('4.9,3.1,5', 50, (i) => `${noise(i)},${i},2`), 'first line looks like values'],
      ['lines of different lengths', `${table('size,kind', 50, (i) => `${i},a`)}1,2,3\n`, '--csv:'],
      ['UTF-16', Buffer.from(`\ufeff${FLOWERS}`, 'utf16le'), 'UTF-16'],
      ['Latin-1', Buffer.from(FLOWERS.replaceAll('rose', 'rös'), 'latin1'), '--csv:'],
    ] as const) {
      it(what, async () => {
        expect(await refusal(init(csv, 'kind'))).to.include(message);
      });
    }

    for (const name of ['-x', 'a b', '../up', 'Größe', 'parley', '']) {
      it(`the name ${JSON.stringify(name)}`, async () => {
        const ran = await runHere(['init', '--csv', write('data.csv', FLOWERS), '--label', 'kind', '--', name]);
        expect(ran.code).to.equal(1);
        expect(ran.stderr).to.match(/cannot be (a model's name|called)/);
      });
    }

    it('to overwrite what is there', async () => {
      write('model/notes.txt', 'mine');
      const { code, stderr } = await init(FLOWERS, 'kind');
      expect([code, readdirSync(at('model'))]).to.deep.equal([1, ['notes.txt']]);
      expect(stderr).to.include('is not empty');
    });

    it('rows that no contract can hold, and leaves nothing behind', async () => {
      const csv = table('size,kind', 50, (i) => `${i === 30 ? 'inf' : noise(i)},${'ab'[i % 2]}`);
      expect(await refusal(init(csv, 'kind'))).to.include('row 31: size');
    });

    it('rows that no contract can hold, and removes the folders that it has made', async () => {
      const csv = table('size,kind', 50, (i) => `${i === 30 ? 'inf' : noise(i)},${'ab'[i % 2]}`);
      expect(await refusal(init(csv, 'kind', 'model', ['--folder', at('x/y/model')]))).to.include('row 31: size');
    });

    it('to go on after Ctrl-C, and leaves nothing behind', async () => {
      const interrupted = new AbortController();
      interrupted.abort(new Error('SIGINT'));
      const csv = write('data.csv', FLOWERS);
      const ran = await runHere(
        ['init', 'm', '--csv', csv, '--label', 'kind', '--folder', at('new/m')],
        interrupted.signal,
      );
      expect([ran.code, existsSync(at('new'))]).to.deep.equal([130, false]);
    });
  });
});
