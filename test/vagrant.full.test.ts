import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { skip } from './skip.js';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the Vagrantfile', function () {
  this.timeout(120_000);
  let folder: string;

  before(function () {
    if (spawnSync('vagrant', ['--version']).status !== 0) skip(this, 'vagrant is not installed');
    folder = mkdtempSync(join(tmpdir(), 'parley-vagrant-'));
  });

  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  const validate = () =>
    spawnSync('vagrant', ['validate', '--ignore-provider'], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, VAGRANT_HOME: join(folder, 'home'), VAGRANT_CHECKPOINT_DISABLE: '1' },
    });

  it('is valid', () => {
    cpSync(join(root, 'Vagrantfile'), join(folder, 'Vagrantfile'));
    const { status, stdout, stderr } = validate();
    expect(status, stdout + stderr).to.equal(0);
  });

  it('would be refused with a setting that Vagrant does not know', () => {
    const text = readFileSync(join(root, 'Vagrantfile'), 'utf8');
    writeFileSync(join(folder, 'Vagrantfile'), text.replace('config.vm.hostname', 'config.vm.hostnom'));
    expect(validate().status).not.to.equal(0);
  });
});
