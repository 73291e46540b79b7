import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { skip } from './skip.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The first Debian whose own packages have a recent enough Node. */
const RELEASE = 'trixie';
const SOURCES = '/etc/apt/sources.list.d/debian.sources';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Where the bare system finds the certificates that this machine trusts; apt's ca-certificates leaves that file alone. */
const CERTIFICATES = '/etc/machine-certificates.pem';

function run(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '', output: `${stdout}${stderr}${error?.message ?? ''}` };
}

const isInstalled = (command: string) => run('sh', ['-c', `command -v ${command}`]).status === 0;

function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root on Linux can make a bare system';
  if (!isInstalled('debootstrap')) return 'debootstrap is not installed';
  if (!existsSync(SOURCES) || !existsSync(KEYRING))
    return "this is not Debian, so it does not know Debian's mirror and keys";
  return undefined;
}

const mirror = () => /^URIs:\s*(\S+)/m.exec(readFileSync(SOURCES, 'utf8'))?.[1] ?? '';

/** How this machine reaches its mirrors and registry, told to the bare system. */
function passNetworkOn(system: string): NodeJS.ProcessEnv {
  const inside = (path: string) => join(system, path);
  for (const name of readdirSync('/etc/apt/apt.conf.d')) {
    const file = join('/etc/apt/apt.conf.d', name);
    if (/^\s*Acquire::/m.test(readFileSync(file, 'utf8'))) copyFileSync(file, inside(file));
  }
  for (const file of ['/etc/resolv.conf', '/etc/hosts']) copyFileSync(file, inside(file));
  const npmrc = join(homedir(), '.npmrc');
  if (existsSync(npmrc)) copyFileSync(npmrc, inside('/root/.npmrc'));

  const env: NodeJS.ProcessEnv = {
    HOME: '/root',
    LANG: 'C.UTF-8',
    CI: 'true',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  };
  for (const [name, value] of Object.entries(process.env))
    if (/^(https?_proxy|no_proxy|all_proxy|npm_config_registry)$/i.test(name)) env[name] = value;
  const certificates = process.env.NODE_EXTRA_CA_CERTS ?? process.env.SSL_CERT_FILE;
  if (certificates !== undefined && existsSync(certificates)) {
    copyFileSync(certificates, inside(CERTIFICATES));
    env.NODE_EXTRA_CA_CERTS = CERTIFICATES;
    env.npm_config_cafile = CERTIFICATES;
  }
  return env;
}

function copyCheckout(to: string): void {
  const listed = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const name of listed.stdout.split('\0')) {
    if (name === '' || !existsSync(join(root, name))) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    cpSync(join(root, name), join(to, name));
  }
}

describe('scripts/setup on a bare Debian', function () {
  this.timeout(20 * 60_000);
  let system: string | undefined;
  let env: NodeJS.ProcessEnv;
  let first: ReturnType<typeof run>;

  const inSystem = (command: string) =>
    run('chroot', [system as string, 'bash', '-c', `cd /root/parley && ${command}`], { env });

  before(function () {
    const reason = whyNot();
    if (reason !== undefined) skip(this, reason);
    system = mkdtempSync(join(tmpdir(), 'parley-bare-'));
    const made = run('debootstrap', ['--variant=minbase', `--keyring=${KEYRING}`, RELEASE, system, mirror()]);
    expect(made.status, made.output.slice(-2000)).to.equal(0);
    expect(run('mount', ['-t', 'proc', 'proc', join(system, 'proc')]).status, 'mount proc').to.equal(0);
    env = passNetworkOn(system);
    copyCheckout(join(system, 'root/parley'));
    first = inSystem('scripts/setup');
  });

  after(() => {
    if (system === undefined) return;
    const proc = join(system, 'proc');
    if (existsSync(join(proc, 'self'))) expect(run('umount', [proc]).status, 'umount proc').to.equal(0);
    expect(run('rm', ['-rf', '--one-file-system', system]).status).to.equal(0);
  });

  it('succeeds', () => {
    expect(first.status, first.output.slice(-4000)).to.equal(0);
  });

  it('brings a Redis', () => {
    expect(inSystem('redis-server --version').output).to.match(/^Redis server v=/);
  });

  it('leaves no service enabled and none of its own policy behind', () => {
    expect(inSystem('find /etc/systemd/system/*.wants /etc/rc*.d -name "*redis*" ! -name "K*"').stdout).to.equal('');
    expect(inSystem('ls /usr/sbin/policy-rc.d').status).not.to.equal(0);
  });

  it('brings a CLI that explains itself', () => {
    const { status, output } = inSystem('node dist/main.js --help');
    expect(status, output).to.equal(0);
    expect(output).to.include('serve');
  });

  it('has nothing left to do the second time', () => {
    const { status, stderr } = inSystem('scripts/setup');
    expect(status).to.equal(0);
    expect(stderr.trim().split('\n')).to.have.length(1);
  });
});
