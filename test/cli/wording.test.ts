import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { EXIT_FAILED, EXIT_USAGE } from '#parley/cli/program.js';
import { modelTypeOf } from '#parley/model-types/table.js';
import { runHere } from './command.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const PATIENCE_MS = 20_000;

describe('what commands say', () => {
  it('a wrong environment ends a command before a store is opened', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
    const dataFolder = join(folder, 'data');
    const env = { ...process.env, PARLEY_DATA_DIR: dataFolder, PARLEY_REQUIRE_CONTRACT: 'maybe' };
    try {
      for (const argv of [['versions'], ['export', '--all', '--out', join(folder, 'x')]]) {
        const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
          execFile(
            process.execPath,
            [main, ...argv],
            { env, timeout: PATIENCE_MS, killSignal: 'SIGKILL' },
            (error, _, text) => resolve({ code: error?.code, stderr: text }),
          );
        });
        expect(stderr).to.include('PARLEY_REQUIRE_CONTRACT is "maybe"');
        expect(code).to.equal(EXIT_FAILED);
        expect(existsSync(dataFolder)).to.equal(false);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('an ensemble of one version is a wrong usage', async () => {
    const { code, stderr } = await runHere(['ensemble', 'penguins', '3f2a9c41']);
    expect(code).to.equal(EXIT_USAGE);
    expect(stderr).to.include('two versions or more');
  });

  it('help shows what a command does before --json', async () => {
    const { stdout } = await runHere(['publish', '--help']);
    expect(stdout.indexOf('--model <name>')).to.be.within(1, stdout.indexOf('--json'));
    expect(stdout.indexOf('--json')).to.be.below(stdout.indexOf('--redis <url>'));
  });

  it('metadata that lack a field, in our words', () => {
    const artifact = { modelType: 'image-classifier', metadata: { classes: ['a', 'b'] } };
    expect(() => modelTypeOf('image-classifier').check(artifact as never))
      .to.throw('height: is missing; expected number')
      .with.property('message')
      .that.does.not.match(/Invalid|undefined/);
  });
});
