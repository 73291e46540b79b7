/** `parley export` and `parley import` as a user runs them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { EXIT_USAGE } from '#parley/cli/program.js';
import type { LedgerEntry, ModelVersion } from '#parley/model/version.js';
import type { ImportedModel } from '#parley/registry/archive/import.js';
import { placeForEach } from '../road/parley.js';
import { summing } from '../serving/models.js';

describe('parley export and import', function () {
  this.timeout(60_000);
  const place = placeForEach();
  const file = (name: string) => join(place().root, name);
  const elsewhere = () => ['--data-dir', file('elsewhere')] as const;

  /** A model without a contract, in production. */
  async function published(): Promise<string> {
    writeFileSync(file('sum.onnx'), summing().graph);
    const { version } = await place().json<{ version: { version: string } }>(
      'publish',
      file('sum.onnx'),
      '--model',
      'sums',
    );
    await place().output('promote', 'sums', version.version);
    return version.version;
  }

  it('move a model to another store, where it is in production at once', async () => {
    const version = await published();
    await place().output('export', 'sums', '--out', file('sums.parley'));
    const text = await place().output('import', file('sums.parley'), ...elsewhere());
    expect(text).to.equal('sums: restored with 1 version, ledger and aliases\n');
    const [restored] = await place().json<ModelVersion[]>('versions', 'sums', ...elsewhere());
    expect(restored).to.include({ version }).and.to.have.deep.property('aliases', ['production']);
    const [line] = await place().json<LedgerEntry[]>('history', 'sums', ...elsewhere());
    expect(line).to.include({ action: 'import' });
    expect(await place().output('history', 'sums', ...elsewhere())).to.include('the whole model, lines 1 to 2');
  });

  it('write and read standard output and input, and say where a ledger line was written', async () => {
    const version = await published();
    const exporting = place().start(['export', '--all']);
    const pieces: Buffer[] = [];
    exporting.child
      .stdout!.setEncoding('latin1')
      .on('data', (text: string) => pieces.push(Buffer.from(text, 'latin1')));
    expect((await exporting.ended).code).to.equal(0);
    const importing = place().start(
      ['import', '-', '--as', 'candidate', '--reason', 'tried', '--json', ...elsewhere()],
      {
        env: { PARLEY_ENVIRONMENT: 'staging' },
        input: Buffer.concat(pieces),
      },
    );
    const ran = await importing.ended;
    expect(ran.code, ran.stderr).to.equal(0);
    const [model] = JSON.parse(ran.stdout) as ImportedModel[];
    expect(model!.promoted).to.include({ aliasName: 'candidate', version, reason: 'tried' });
    const aliases = await place().output('aliases', 'sums', ...elsewhere());
    expect(aliases)
      .to.match(new RegExp(`candidate +${version.slice(0, 12)}`))
      .and.not.to.include('production');
  });

  it('write the plain graph', async () => {
    await published();
    await place().output('export', 'sums', '--onnx', file('plain.onnx'));
    expect(readFileSync(file('plain.onnx')).equals(summing().graph)).to.equal(true);
    const again = await place().run('export', 'sums', '--onnx', file('plain.onnx'));
    expect(again.code).to.equal(1);
    expect(again.stderr).to.include('--force');
    await place().output('export', 'sums', '--onnx', file('plain.onnx'), '--force');
  });

  it('say what is wrong, and leave no file behind', async () => {
    await published();
    const cases: readonly (readonly [readonly string[], string])[] = [
      [['export', 'nobody', '--out', file('x')], 'no model "nobody"'],
      [['export', 'sums', '--out', join(file('nowhere'), 'x')], 'cannot be written'],
      [['export', 'sums', '--onnx', file('x'), '--model-version', 'zz'], '"zz"'],
      [['export', 'nobody', '--onnx', file('x')], 'the models are sums'],
      [['import', file('none')], 'there is no file'],
      [['import', place().root], 'cannot be read'],
      [['import', file('sum.onnx')], 'no archive'],
    ];
    const ran = await Promise.all(cases.map(async ([args, said]) => ({ args, said, ...(await place().run(...args)) })));
    for (const { args, said, code, stderr } of ran) {
      expect(code, args.join(' ')).to.equal(1);
      expect(stderr)
        .to.match(/^error [A-Z_]+: /m)
        .and.include(said);
      expect(existsSync(file('x'))).to.equal(false);
      expect(existsSync(file('x.part'))).to.equal(false);
    }
    const misused: readonly (readonly string[])[] = [
      ['import'],
      ['export'],
      ['export', 'sums', '--all'],
      ['export', 'sums', 'others', '--onnx', file('x')],
      ['export', 'sums', '--model-version', '12345678'],
    ];
    const misuses = await Promise.all(misused.map((args) => place().run(...args)));
    expect(misuses.map(({ code }) => code)).to.deep.equal(misused.map(() => EXIT_USAGE));
    expect(misuses.every(({ stderr }) => stderr.startsWith('error: '))).to.equal(true);
  });

  it('work on stores, not through servers', async () => {
    const { code, stderr } = await place().start(['export', 'sums', '--out', file('x')], {
      env: { PARLEY_SERVER: '127.0.0.1:1', PARLEY_DATA_DIR: '' },
    }).ended;
    expect(code).to.equal(1);
    expect(stderr).to.include('PARLEY_SERVER');
  });
});
