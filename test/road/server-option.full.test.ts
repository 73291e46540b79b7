/** Every command through a server prints what it prints on the store. */
import { expect } from 'chai';
import { Place, placeForEach } from './parley.js';
import { useTrained } from './trained.js';

describe('all commands through --server', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  /** The same commands on the store and through a server, each from the same state. */
  it('print what they print on the store', async () => {
    const { good, other, bad } = trained();
    const project = place().project();
    const commands = [
      ['versions'],
      ['versions', 'penguins', '--limit', '2'],
      ['history', 'penguins', '--alias', 'production'],
      ['history', 'penguins', '--at', new Date().toISOString()],
      ['contract', 'publish', project],
      ['train', project],
      ['accept', 'penguins', good],
      ['accept', 'penguins', bad],
      ['promote', 'penguins', other, '--reason', 'why not', '--expect', good],
      ['rollback', 'penguins', '--reason', 'back'],
      ['promote', 'penguins', other, '--canary', '0.25'],
      ['hold', 'penguins', '--reason', 'watched'],
      ['versions', 'penguins'],
      ['aliases', 'penguins'],
      ['release', 'penguins'],
      ['rollback', 'penguins'],
      ['prune', 'penguins', '--keep', '1', '--dry-run'],
      ['retire', 'penguins', bad],
      ['train', project, '--promote'],
      ['history', 'penguins'],
    ];
    const there = new Place(trained().folder);
    try {
      const server = await there.serve();
      const [onStore, throughServer] = await Promise.all([
        outcomes(place(), commands),
        outcomes(there, commands, ['--server', server.address]),
      ]);
      expect(throughServer).to.deep.equal(onStore);
    } finally {
      await there.leave();
    }
  });

  async function outcomes(at: Place, commands: readonly string[][], options: readonly string[] = []) {
    const found: unknown[] = [];
    for (const command of commands) found.push(await outcome(at, [...command, ...options]));
    return found;
  }

  /** Exit code and JSON, without what differs from one time to the next. */
  async function outcome(at: Place, command: readonly string[]): Promise<unknown> {
    const { code, stdout, stderr } = await at.run(...command, '--json');
    expect(stdout, stderr).not.to.equal('');
    return { code, answer: withoutTimes(JSON.parse(stdout)) };
  }

  function withoutTimes(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(withoutTimes);
    if (typeof value !== 'object' || value === null) return value;
    const isLatency = 'name' in value && String(value.name).startsWith('latency');
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !(isLatency && key === 'measured'))
        .map(([key, each]) => {
          if (key === 'at' || key === 'run_id' || key === 'evidenceJson') return [key, typeof each];
          return [key, withoutTimes(each)];
        }),
    );
  }
});
