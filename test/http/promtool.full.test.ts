/** `/metrics` as Prometheus's own tool reads it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Caller } from '../rpc/caller.js';
import { BROKEN_X, describeModel, generic, placeLookups } from '../rpc/lookups.js';
import { type Served, serve } from '../rpc/served.js';
import { skip } from '../skip.js';
import { sharedRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';
import { watch } from './watched.js';

/** The tool on the PATH, or out of Debian's package, which is unpacked and not installed: it would start a service. */
function promtool(folder: string): string | undefined {
  if (spawnSync('promtool', ['--version']).status === 0) return 'promtool';
  try {
    execFileSync('apt-get', ['download', 'prometheus'], { cwd: folder, stdio: 'ignore', timeout: 120_000 });
    const [file] = readdirSync(folder);
    execFileSync('dpkg', ['-x', file!, 'unpacked'], { cwd: folder, stdio: 'ignore' });
    return join(folder, 'unpacked/usr/bin/promtool');
  } catch {
    return undefined;
  }
}

describe('promtool', () => {
  const redis = sharedRedis();
  const folder = mkdtempSync(join(tmpdir(), 'parley-promtool-'));
  let world: World, served: Served, caller: Caller;
  before(async () => {
    world = new World(redis);
    await placeLookups(world);
    served = await serve(world.store);
    caller = await Caller.open(served);
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    caller.close();
    await served.close();
    await world.close();
  });

  it('finds nothing to complain of but the names that are Triton’s', async function () {
    this.timeout(180_000);
    const tool = promtool(folder);
    if (tool === undefined) return skip(this, 'there is no promtool, and apt cannot download the package prometheus');
    await generic(caller, [1, 2]);
    await generic(caller, [BROKEN_X]);
    await describeModel(caller, 'nothing');
    const { metrics, runtime } = watch(served);
    runtime.loopDelay.record(5);
    const { stdout, stderr, status } = spawnSync(tool, ['check', 'metrics'], { input: await metrics.text() });
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
    // 3: it was read, and has names that are against the conventions.
    expect(status, complaints.join('\n')).to.be.oneOf([0, 3]);
    expect(complaints.length).to.be.above(0);
    expect(complaints.filter((line) => !/^parley_\w+_(count|success|failure|us) /.test(line))).to.deep.equal([]);
  });
});
