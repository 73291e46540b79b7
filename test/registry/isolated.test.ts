import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { expect } from 'chai';
import { streamOf } from '#parley/model/byte-stream.js';
import { runAcceptance } from '#parley/registry/isolated.js';
import { echo, endless, envelopeOf, FIXTURES, idlOf, recordOf, summary, summing } from '../serving/models.js';
import { temporaryFolder, until } from '../store/redis-server.js';
import { failure } from '../store/world.js';
import { busyChildOf, childrenOf, expectedOf, isThere, rehearsed as rehearse } from './world.js';

const contract = { file: 'scores.thrift', idl: idlOf(), includes: {} };

describe('the child process of a rehearsal', function () {
  this.timeout(60_000);
  const { TMPDIR } = process.env;
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
    process.env.TMPDIR = folder;
  });
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    rmSync(folder, { recursive: true, force: true });
  });
  const left = () => readdirSync(folder);

  it('says how far the graph is from its trainer, and leaves nothing behind', async () => {
    const expected = expectedOf([1, 2], [3, 4], [4, 6.000001]);
    const rehearsed = await rehearse(envelopeOf(summing()), expected, { contract, service: 'Scores' });
    expect(rehearsed.rows).to.equal(2);
    expect(rehearsed.largestDifference).to.be.within(1e-7, 1e-5);
    expect(left()).to.deep.equal([]);
    expect(childrenOf(process.pid)).to.deep.equal([]);
  });

  it('runs blank rows where there is no trainer to ask', async () => {
    expect(await rehearse(envelopeOf(echo()), undefined, {})).to.include({ rows: 2, file: 'uploaded' });
  });

  it('refuses what no server could load', async () => {
    const error = await failure(rehearse(envelopeOf(summary()), undefined, { contract, service: 'Scores' }));
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message).to.contain('output "total"');
    expect(left()).to.deep.equal([]);
  });

  it('hands an error over with its code and problems', async () => {
    const other = { ...contract, idl: idlOf({ fields: ['a', 'c'] }) };
    const error = await failure(rehearse(envelopeOf(summing()), undefined, { contract: other, service: 'Scores' }));
    expect(error.code).to.equal('CONTRACT_MISMATCH');
    expect(error.problems.map(({ path }) => path)).to.include('inputs.b');
  });

  it('is ended when it takes too long', async () => {
    const error = await failure(rehearse(envelopeOf(endless()), undefined, {}, 1_500));
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message).to.contain('did not finish within 1.5 s in rehearsal');
    expect(left()).to.deep.equal([]);
    expect(childrenOf(process.pid)).to.deep.equal([]);
  });

  it('names the signal that ended it', async () => {
    const failed = failure(rehearse(envelopeOf(endless()), undefined, {}));
    process.kill((await busyChildOf(process.pid)).pid, 'SIGSEGV');
    const error = await failed;
    expect(error.code).to.equal('MODEL_BROKEN');
    expect(error.message).to.contain('(SIGSEGV)');
    expect(left()).to.deep.equal([]);
  });

  it('ends with its parent, however that one ends and although the graph does not, and its folder with it', async () => {
    const parent = fork(new URL('./busy-parent.js', import.meta.url), { execArgv: [] });
    const child = await busyChildOf(parent.pid!);
    expect(existsSync(child.folder)).to.equal(true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    try {
      await until('the child to end', () => !isThere(child.pid));
    } finally {
      if (isThere(child.pid)) process.kill(child.pid, 'SIGKILL');
    }
    expect(existsSync(child.folder)).to.equal(false);
  });

  it('judges a version by its fixtures', async () => {
    const record = recordOf();
    const { verdict } = await runAcceptance(streamOf(envelopeOf(summing())), Buffer.from(FIXTURES), {
      version: 'any',
      contract,
      service: 'Scores',
      fixturesFormat: 'csv',
      fixtureFingerprint: record.fixtureFingerprint,
    });
    expect(verdict).to.include({ accepted: true, fixtureRows: 4, contractFingerprint: record.fingerprint });
    expect(verdict.criteria[0]).to.include({ name: 'mae', measured: 0 });
    expect(left()).to.deep.equal([]);
  });
});
