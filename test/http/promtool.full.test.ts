/** `/metrics` as Prometheus's own tool reads it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** The dashboard's queries as a file of rules, with its variables filled in. */
function rulesOf(dashboard: string): string {
  const { panels } = JSON.parse(dashboard) as { panels: { targets?: { expr: string }[] }[] };
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const rules = queries.map((query, index) => ({
    record: `query:${index}`,
    expr: query.replaceAll('$__rate_interval', '5m').replaceAll('$model', '.*'),
  }));
  // JSON is YAML.
  return JSON.stringify({ groups: [{ name: 'dashboard', rules }] });
}

describe('promtool', () => {
  const redis = sharedRedis();
  const folder = mkdtempSync(join(tmpdir(), 'parley-promtool-'));
  let world: World | undefined, served: Served, caller: Caller;
  let tool: string | undefined;
  before(async function () {
    this.timeout(180_000);
    tool = promtool(folder);
    if (tool === undefined) skip(this, 'there is no promtool, and apt cannot download the package prometheus');
    world = new World(redis);
    await placeLookups(world);
    served = await serve(world.store);
    caller = await Caller.open(served);
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    caller?.close();
    await served?.close();
    await world?.close();
  });

  it("takes the dashboard's queries", () => {
    const file = join(folder, 'rules.yml');
    writeFileSync(file, rulesOf(readFileSync('docs/grafana.json', 'utf8')));
    const { stdout, stderr, status } = spawnSync(tool!, ['check', 'rules', file], { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    expect(Number(/SUCCESS: (\d+) rules/.exec(stdout)?.[1])).to.be.above(40);
  });

  it('finds nothing to complain of but the names that are Triton’s', async () => {
    await generic(caller, [1, 2]);
    await generic(caller, [BROKEN_X]);
    await describeModel(caller, 'nothing');
    const { metrics, runtime } = watch(served);
    runtime.loopDelay.record(5);
    const { stdout, stderr, status } = spawnSync(tool!, ['check', 'metrics'], { input: await metrics.text() });
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
    // 3: it was read, and has names that are against the conventions.
    expect(status, complaints.join('\n')).to.be.oneOf([0, 3]);
    expect(complaints.length).to.be.above(0);
    expect(complaints.filter((line) => !/^parley_\w+_(count|success|failure|us) /.test(line))).to.deep.equal([]);
  });
});
