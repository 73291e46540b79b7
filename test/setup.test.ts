import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What scripts/setup and the build of the stand-in checkout run that is neither Node nor a package manager. */
const SYSTEM = [
  'awk',
  'bash',
  'cat',
  'cksum',
  'dirname',
  'find',
  'id',
  'mktemp',
  'rm',
  'sed',
  'tail',
  'touch',
  'uname',
];

const WORKING_RUNTIME = 'module.exports = {};\n';

describe('scripts/setup', () => {
  let checkout: string;
  let bin: string;

  beforeEach(() => {
    checkout = mkdtempSync(join(tmpdir(), 'parley-setup-'));
    bin = join(checkout, '.bin');
    for (const folder of ['.bin', 'scripts', 'src', 'gen']) mkdirSync(join(checkout, folder));
    for (const file of ['scripts/setup', 'scripts/packages.sh', 'package.json', 'package-lock.json', 'tsconfig.json'])
      cpSync(join(root, file), join(checkout, file));
    writeFileSync(join(checkout, 'src/a.ts'), '');
    writeFileSync(
      join(checkout, 'scripts/build.mjs'),
      `import { appendFileSync, mkdirSync } from 'node:fs';
       mkdirSync('dist', { recursive: true });
       appendFileSync('log', 'build\\n');`,
    );
    for (const name of SYSTEM) symlinkSync(whereIs(name), join(bin, name));
    symlinkSync(process.execPath, join(bin, 'node'));
    command(
      'npm',
      `mkdir -p node_modules/onnxruntime-node; cp .runtime node_modules/onnxruntime-node/index.js; echo npm "$@" >> log`,
    );
    for (const name of ['mkdir', 'cp']) symlinkSync(whereIs(name), join(bin, name));
    command('redis-server', 'exit 0');
    runtimeIs(WORKING_RUNTIME);
  });

  afterEach(() => rmSync(checkout, { recursive: true }));

  const at = (path: string) => join(checkout, path);
  const runtimeIs = (code: string) => writeFileSync(at('.runtime'), code);
  const done = () => (existsSync(at('log')) ? readFileSync(at('log'), 'utf8').trim().split('\n') : []);
  const command = (name: string, script: string) => {
    rmSync(join(bin, name), { force: true });
    writeFileSync(join(bin, name), `#!${whereIs('bash')}\n${script}\n`, { mode: 0o755 });
  };
  const setup = (args: string[] = [], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(at('scripts/setup'), args, { encoding: 'utf8', env: { PATH: bin, HOME: checkout, ...env } });

  function whereIs(name: string): string {
    const { stdout } = spawnSync('bash', ['-c', 'type -P "$0"', name], { encoding: 'utf8' });
    return stdout.trim();
  }

  it('installs the packages and builds in a fresh checkout', () => {
    expect(setup()).to.include({ status: 0, stdout: '' });
    expect(done()).to.deep.equal(['npm ci --no-progress', 'build']);
  });

  it('does nothing the second time', () => {
    setup();
    expect(setup().status).to.equal(0);
    expect(done()).to.have.length(2);
  });

  it('installs the packages again when the lock file has changed', () => {
    setup();
    appendFileSync(at('package-lock.json'), '\n');
    setup();
    expect(done().filter((line) => line.startsWith('npm'))).to.have.length(2);
  });

  it('builds again when a source is newer', () => {
    setup();
    const later = new Date(Date.now() + 60_000);
    utimesSync(at('src/a.ts'), later, later);
    setup();
    expect(done()).to.deep.equal(['npm ci --no-progress', 'build', 'build']);
  });

  it('builds again when a source is gone', () => {
    setup();
    rmSync(at('src/a.ts'));
    const later = new Date(Date.now() + 60_000);
    utimesSync(at('src'), later, later);
    setup();
    expect(done()).to.deep.equal(['npm ci --no-progress', 'build', 'build']);
  });

  it('leaves packages alone that another checkout owns', () => {
    mkdirSync(at('elsewhere/onnxruntime-node'), { recursive: true });
    writeFileSync(at('elsewhere/onnxruntime-node/index.js'), WORKING_RUNTIME);
    symlinkSync(at('elsewhere'), at('node_modules'));
    expect(setup().status).to.equal(0);
    expect(done()).to.deep.equal(['build']);
  });

  it('says which Node is needed and how to get it when there is none', () => {
    rmSync(join(bin, 'node'));
    const { status, stderr } = setup();
    expect(status).to.equal(1);
    expect(stderr).to.include('Node 20.19').and.to.include('no node on PATH').and.to.include('nvm');
    expect(done()).to.deep.equal([]);
  });

  for (const version of ['v18.20.4', 'v20.18.3']) {
    it(`refuses Node ${version}`, () => {
      command('node', `echo ${version}`);
      const { status, stderr } = setup();
      expect(status).to.equal(1);
      expect(stderr)
        .to.include(`Node ${version.slice(1)}`)
        .and.to.include('20.19');
    });
  }

  describe('on a Debian machine with an old Node', () => {
    beforeEach(() => {
      command('node', 'echo v18.20.4');
      command('dpkg-query', 'exit 1');
    });

    /** An apt that offers this version of nodejs, and whose install brings the Node that runs this test. */
    function aptOffers(version: string): void {
      command('apt-cache', `printf 'nodejs:\\n  Installed: (none)\\n  Candidate: ${version}\\n'`);
      command(
        'apt-get',
        `case "$*" in *install*) echo apt "$@" >> log; rm '${bin}/node'; ln -s '${process.execPath}' '${bin}/node';; esac`,
      );
      for (const name of ['ln', 'chmod']) symlinkSync(whereIs(name), join(bin, name));
      // The services' policy file belongs to the machine; a stand-in for root's shell keeps it out of this test.
      command('sudo', 'case $1 in bash) shift 4; exec apt-get install "$@" ;; *) exec "$@" ;; esac');
      command('id', 'echo 1000');
    }

    it("names NodeSource and nvm when apt's is too old", () => {
      aptOffers('18.20.4+dfsg-1~deb12u1');
      const { status, stderr } = setup();
      expect(status).to.equal(1);
      expect(stderr).to.include('NodeSource').and.to.include('nvm');
      expect(done()).to.deep.equal([]);
    });

    it("installs apt's when that is recent enough", () => {
      aptOffers('1:20.19.2+dfsg-1+deb13u2');
      expect(setup().status).to.equal(0);
      expect(done()).to.deep.equal(['apt install nodejs npm ca-certificates', 'npm ci --no-progress', 'build']);
    });
  });

  it('explains a C library that is too old for the ONNX runtime', () => {
    runtimeIs(`throw new Error("/lib/libc.so.6: version 'GLIBC_2.28' not found");`);
    const { status, stderr } = setup();
    expect(status).to.equal(1);
    expect(stderr).to.include('GLIBC_2.28').and.to.include('glibc 2.28');
  });

  it('says how to get Redis where it knows no package manager', () => {
    rmSync(join(bin, 'redis-server'));
    const { status, stderr } = setup();
    expect(status).to.equal(1);
    expect(stderr).to.include('redis-server').and.to.include('PARLEY_SKIP_REDIS=1');
  });

  it('takes valkey-server for Redis', () => {
    rmSync(join(bin, 'redis-server'));
    command('valkey-server', 'exit 0');
    expect(setup().status).to.equal(0);
  });

  it('leaves Redis out when told to', () => {
    rmSync(join(bin, 'redis-server'));
    expect(setup([], { PARLEY_SKIP_REDIS: '1' }).status).to.equal(0);
  });

  it('stops when the build fails, and builds again next time', () => {
    const build = readFileSync(at('scripts/build.mjs'), 'utf8');
    writeFileSync(at('scripts/build.mjs'), `${build}\nprocess.exit(1);`);
    expect(setup().status).to.equal(1);
    writeFileSync(at('scripts/build.mjs'), build);
    expect(setup().status).to.equal(0);
    expect(done()).to.deep.equal(['npm ci --no-progress', 'build', 'build']);
  });

  it('explains itself', () => {
    const { status, stdout } = setup(['--help']);
    expect(status).to.equal(0);
    expect(stdout).to.include('Usage: scripts/setup').and.to.include('PARLEY_SKIP_REDIS');
  });

  it('refuses an option that it does not know', () => {
    expect(setup(['--fast']).status).to.equal(2);
  });
});
