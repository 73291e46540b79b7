/** Two teams and a contract, on the command line: on the store itself, and through a server with a token for each. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ContractProposal, PublishedContract } from '#parley/model/registry-port.js';
import type { LedgerEntry } from '#parley/model/version.js';
import { placeForEach } from './parley.js';

const MODEL = 'penguins';

describe('a contract between two teams', function () {
  this.timeout(120_000);
  const place = placeForEach();

  const change = (folder: string, edit: (idl: string) => string) => {
    const file = join(folder, 'penguins.thrift');
    writeFileSync(file, edit(readFileSync(file, 'utf8')));
  };
  /** Nothing but the field itself is about sexes. */
  const free = {
    'penguins.thrift': (idl: string) => idl.replace(/^ *accept\.1 = .*\n/m, ''),
    'checks.yaml': (checks: string) => checks.replace(/^ *sex: MALE\n/m, ''),
  };
  const withoutSex = (idl: string) => idl.replace(/^ *6: optional string sex.*\n/m, '');
  const history = () => place().history();

  it('is not broken unnoticed: on the store itself', async () => {
    const folder = place().project(free);
    const publish = (...more: string[]) => place().run('contract', 'publish', folder, ...more);
    const first = await place().json<PublishedContract>('contract', 'publish', folder);
    expect(first).to.deep.include({ model: MODEL, differences: [] });
    change(folder, withoutSex);
    const refused = await publish();
    expect(refused.code).to.equal(1);
    expect(refused.stderr)
      .to.contain('CONTRACT_MISMATCH')
      .and.to.contain('Penguin.sex')
      .and.to.contain('--allow-breaking');
    const allowed = await publish('--allow-breaking', 'nobody tells sexes apart');
    expect(allowed.code, allowed.stderr).to.equal(0);
    expect(allowed.stdout).to.contain('Penguin.sex').and.to.contain('breaks callers').and.to.contain('accepted again');
    const [line] = await history();
    expect(line).to.include({
      action: 'contract',
      reason: 'nobody tells sexes apart',
      previousContractFingerprint: first.fingerprint,
    });
    expect(await place().output('history', MODEL)).to.contain(`in place of ${first.fingerprint.slice(0, 12)}`);
    const own = await publish('--propose');
    expect(own.code).to.equal(1);
    expect(own.stderr).to.contain('in force already');
  });

  it('is proposed by one and agreed to by the other: through a server', async () => {
    const tokens = join(place().root, 'tokens.yaml');
    const tokenOf = async (name: string) =>
      (await place().output('token', 'create', '--role', 'registry', '--tokens', tokens, '--name', name)).trim();
    const [ada, bob] = [await tokenOf('ada'), await tokenOf('bob')];
    const server = await place().serve('--tokens', tokens);
    const as = (token: string) => ['--server', server.address, '--token', token];
    const folder = place().project({
      ...free,
      'penguins.thrift': (idl) =>
        free['penguins.thrift'](idl).replace(
          '(\n  model = "penguins"',
          '(\n  changes = "agreed",\n  model = "penguins"',
        ),
    });

    const plain = await place().run('contract', 'publish', folder, ...as(ada));
    expect(plain.code).to.equal(1);
    expect(plain.stderr).to.contain('PERMISSION_DENIED').and.to.contain('--propose');
    const proposed = await place().json<PublishedContract>('contract', 'publish', folder, '--propose', ...as(ada));
    expect(proposed).to.include({ proposed: true });
    const fingerprint = proposed.fingerprint.slice(0, 12);

    const [waiting] = await place().json<ContractProposal[]>('contract', 'proposals', MODEL, ...as(bob));
    expect(waiting).to.include({ proposedBy: 'ada', fingerprint: proposed.fingerprint });
    expect(await place().output('contract', 'proposals', ...as(bob)))
      .to.contain(`contract ${fingerprint}`)
      .and.to.contain('ada');
    const own = await place().run('contract', 'agree', MODEL, fingerprint, ...as(ada));
    expect(own.code).to.equal(1);
    expect(own.stderr).to.contain('PERMISSION_DENIED');
    const agreed = await place().output(
      'contract',
      'agree',
      MODEL,
      fingerprint,
      '--reason',
      'as discussed',
      ...as(bob),
    );
    expect(agreed).to.contain(`contract ${fingerprint}`).and.to.contain('is in force');

    change(folder, withoutSex);
    const next = ['contract', 'publish', folder, '--propose', '--allow-breaking', 'less is more', ...as(bob)];
    const second = (await place().json<PublishedContract>(...next)).fingerprint;
    const listed = await place().output('contract', 'proposals', MODEL, ...as(ada));
    expect(listed).to.contain('Penguin.sex').and.to.contain('callers may break: less is more');
    const withdrawn = await place().json<LedgerEntry>('contract', 'withdraw', MODEL, second.slice(0, 8), ...as(ada));
    expect(withdrawn).to.include({ action: 'withdraw', actor: 'ada', proposedBy: 'bob' });

    const lines = [...(await history())].reverse();
    expect(lines.map(({ action, actor, proposedBy }) => [action, actor, proposedBy])).to.deep.equal([
      ['propose', 'ada', undefined],
      ['contract', 'bob', 'ada'],
      ['propose', 'bob', undefined],
      ['withdraw', 'ada', 'bob'],
    ]);
  });
});
