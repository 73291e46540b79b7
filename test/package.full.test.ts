import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('..', import.meta.url));

/** No file of ours comes near this: what does is a data set, a model or a binary that does not belong. */
const LARGEST_FILE_BYTES = 512 * 1024;

interface PackedFile {
  readonly path: string;
  readonly size: number;
}

/** npm's own settings of the run that called us (npm test) are not the consumer's. */
const plainEnvironment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

function run(cwd: string, command: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: plainEnvironment,
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(status, `${command} ${args.join(' ')}\n${stdout}${stderr}`.slice(-4000)).to.equal(0);
  return stdout;
}

/** The checkout without what is ignored, so that packing builds there and leaves this dist/ alone. */
function copyCheckout(to: string): void {
  for (const name of run(root, 'git', ['ls-files', '-z', '-co', '--exclude-standard']).split('\0')) {
    if (name === '' || !existsSync(join(root, name))) continue;
    mkdirSync(dirname(join(to, name)), { recursive: true });
    cpSync(join(root, name), join(to, name));
  }
  symlinkSync(realpathSync(join(root, 'node_modules')), join(to, 'node_modules'));
}

/** Two clouds of points; whoever looks at both columns tells them apart. */
function twoClouds(rows: number): string {
  const lines = ['width,height,outcome'];
  for (let row = 0; row < rows; row++) {
    const wobble = ((row * 37) % 20) / 20;
    lines.push(row % 2 === 0 ? `${1 + wobble},${4 - wobble},small` : `${6 + wobble},${9 - wobble},large`);
  }
  return `${lines.join('\n')}\n`;
}

describe('the package', function () {
  this.timeout(10 * 60_000);
  let work: string;
  let consumer: string;
  let files: readonly PackedFile[];

  before(() => {
    work = mkdtempSync(join(tmpdir(), 'parley-package-'));
    const checkout = join(work, 'checkout');
    copyCheckout(checkout);
    const packed = run(checkout, 'npm', ['pack', '--json', '--silent', '--pack-destination', work]);
    const [{ filename, files: listed }] = JSON.parse(packed.slice(packed.indexOf('['))) as [
      { filename: string; files: PackedFile[] },
    ];
    files = listed;
    consumer = join(work, 'consumer');
    mkdirSync(consumer);
    run(consumer, 'npm', ['install', '--no-audit', '--no-fund', join(work, filename)]);
  });

  after(() => rmSync(work, { recursive: true }));

  const paths = () => files.map((file) => file.path);
  const parley = (...args: string[]) => run(consumer, 'npx', ['--no-install', 'parley', ...args]);

  it('contains what it runs on', () => {
    expect(paths()).to.include.members([
      'package.json',
      'README.md',
      'LICENSE',
      'dist/errors.js',
      'dist/errors.d.ts',
      'dist/main.js',
      'dist/client/index.js',
      'dist/client/index.d.ts',
      'gen/package.json',
      'gen/parley_types.js',
      'idl/parley.thrift',
      'scripts/preinstall.mjs',
    ]);
  });

  it('contains nothing of the checkout besides', () => {
    const expected =
      /^(dist|gen|idl|docs)\/|^(package\.json|README\.md|CHANGELOG\.md|LICENSE|scripts\/preinstall\.mjs)$/;
    expect(paths().filter((path) => !expected.test(path))).to.deep.equal([]);
    expect(paths().filter((path) => /\.test\.|\.env|\.npmrc|\.built$|\.onnx$/.test(path))).to.deep.equal([]);
  });

  it('contains no large file', () => {
    // What is joined there is most of a start's code.
    const most = ({ path }: PackedFile) => (path.startsWith('dist/bundle/') ? 4 : 1) * LARGEST_FILE_BYTES;
    expect(files.filter((file) => file.size > most(file))).to.deep.equal([]);
  });

  it('installs a runtime that loads, without fetching the one for GPUs', () => {
    run(consumer, process.execPath, ['-e', "require('onnxruntime-node')"]);
    const binaries = join(consumer, 'node_modules/onnxruntime-node/bin');
    const forGpu = readdirSync(binaries, { recursive: true, encoding: 'utf8' })
      .filter((name) => /providers_(cuda|tensorrt)/.test(name))
      .filter((name) => statSync(join(binaries, name)).size > 0);
    expect(forGpu).to.deep.equal([]);
  });

  it('installs generated code that Node takes for CommonJS', () => {
    const loaded = run(consumer, process.execPath, [
      '-p',
      "typeof require('./node_modules/parley/gen/parley_types.js').ErrorCode",
    ]);
    expect(loaded.trim()).to.equal('object');
  });

  it('has types that a program compiles with, which has none of the libraries beneath', () => {
    const code =
      "import { connect } from 'parley/client';\nconst { stats } = await connect('h:1');\nexport const calls: number = stats.calls;\n";
    writeFileSync(join(consumer, 'program.mts'), code);
    // Only what the consumer has installed is there.
    const args = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const types = ['--typeRoots', join(root, 'node_modules/@types')];
    run(consumer, process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...args, ...types, 'program.mts']);
  });

  it('puts a command on the path that explains itself', () => {
    expect(parley('--help')).to.include('serve').and.to.include('train');
  });

  it('trains and serves a model from a CSV file', async () => {
    writeFileSync(join(consumer, 'data.csv'), twoClouds(400));
    parley('init', 'shop', '--csv', 'data.csv', '--label', 'outcome');
    parley('train', 'shop', '--promote');
    const server = spawn('npx', ['--no-install', 'parley', 'serve', '--port', '0', '--json'], {
      cwd: consumer,
      env: plainEnvironment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let serving: { pid: number; address: string } | undefined;
    try {
      serving = await listening(server);
      const answer = parley('predict', 'shop', '{"width": 6.5, "height": 8.5}', '--server', serving.address, '--json');
      expect(answer).to.match(/large/i);
      // The same by a program of the consumer's own.
      const program = `
        import { connect } from 'parley/client';
        const client = await connect('${serving.address}', { contract: 'shop/shop.thrift', negotiate: true });
        const [service] = Object.values(client);
        const [call] = Object.entries(service).find(([name]) => !name.endsWith('_many'));
        console.log(JSON.stringify(await service[call]({ width: 6.5, height: 8.5 })));
        client.close();`;
      expect(run(consumer, process.execPath, ['--input-type=module', '-e', program])).to.match(/large/i);
    } finally {
      if (serving !== undefined) process.kill(serving.pid, 'SIGTERM');
      else server.kill('SIGTERM');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    }
  });
});

/** The server's process and address, from the line that it prints when it listens. */
async function listening(server: ChildProcess): Promise<{ pid: number; address: string }> {
  if (server.stdout === null) throw new Error('the server has no stdout');
  for await (const line of createInterface({ input: server.stdout })) {
    const { event, pid, thrift } = JSON.parse(line) as {
      event: string;
      pid: number;
      thrift: { host: string; port: number };
    };
    if (event === 'listening') return { pid, address: `${thrift.host}:${thrift.port}` };
  }
  throw new Error('the server ended before it listened');
}
