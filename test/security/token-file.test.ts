import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createToken, readTokens, revokeToken } from '#parley/security/token-file.js';
import { runHere as run, runProcess } from '../cli/command.js';
import { temporaryFolder } from '../store/redis-server.js';
import { failure } from '../store/world.js';

describe('the file of tokens', () => {
  let folder: string, file: string;
  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder, 'tokens.yaml');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const create = (...words: string[]) => run(['token', 'create', '--role', 'predict', '--tokens', file, ...words]);

  it('keeps a digest and not the token, for its owner only', async () => {
    const { code, stdout, stderr } = await create('--name', 'website');
    expect(code, stderr).to.equal(0);
    const token = stdout.trim();
    expect(token).to.match(/^parley_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(token.slice(7), 'base64url')).to.have.length(32);
    expect(stderr).to.include('"website"').and.not.include(token);
    const text = readFileSync(file, 'utf8');
    expect(text).to.not.include(token).and.not.include(token.slice(7));
    expect(text).to.include(createHash('sha256').update(token).digest('hex'));
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(['tokens.yaml']);
  });

  it("stays its owner's when it was open to others", async () => {
    writeFileSync(file, 'tokens: []\n');
    chmodSync(file, 0o644);
    await create();
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it('stays what a link leads to, and where it does', async () => {
    const link = file;
    file = join(folder, 'real.yaml');
    await create('--name', 'one');
    symlinkSync('real.yaml', link);
    file = link;
    await create('--name', 'two');
    expect(lstatSync(link).isSymbolicLink()).to.equal(true);
    const names = (await readTokens(join(folder, 'real.yaml'))).map(({ name }) => name);
    expect(names).to.deep.equal(['one', 'two']);
  });

  it('says roles, models and when a token expires', async () => {
    const made = JSON.parse(
      (
        await run([
          'token',
          'create',
          '--role',
          'predict,feedback',
          '--model',
          'a',
          'b',
          '--expires',
          '90d',
          '--tokens',
          file,
          '--json',
        ])
      ).stdout,
    ) as Record<string, string>;
    expect(made).to.deep.include({ roles: ['predict', 'feedback'], models: ['a', 'b'] });
    expect(Date.parse(made.expires!) - Date.parse(made.created!)).to.equal(90 * 86_400_000);
    expect(made).to.not.have.property('sha256');
    const listed = JSON.parse((await run(['token', 'list', '--tokens', file, '--json'])).stdout) as object[];
    const { token: _, ...rest } = made;
    expect(listed).to.deep.equal([rest]);
    const { stdout } = await run(['token', 'list', '--tokens', file]);
    expect(stdout)
      .to.include('predict, feedback')
      .and.include('a, b')
      .and.include(made.expires)
      .and.not.include(made.token);
  });

  it('has no token of a name twice, and none of a revoked one', async () => {
    await create('--name', 'one');
    const twice = await create('--name', 'one');
    expect(twice).to.include({ code: 1, stdout: '' });
    expect(twice.stderr).to.include('CONFLICT').and.include('"one"');
    expect((await run(['token', 'revoke', 'one', '--tokens', file])).stdout).to.include('"one" is revoked');
    expect((await run(['token', 'list', '--tokens', file])).stdout)
      .to.include('no tokens')
      .and.include('parley token create');
    const again = await run(['token', 'revoke', 'one', '--tokens', file]);
    expect(again.code).to.equal(1);
    expect(again.stderr).to.include('NOT_FOUND');
  });

  it('loses no change of those that are made at once', async () => {
    await createToken(file, { name: 'first', roles: ['admin'] });
    await Promise.all([
      ...Array.from({ length: 6 }, (_, i) => createToken(file, { name: `t${i}`, roles: ['predict'] })),
      revokeToken(file, 'first'),
      ...['p', 'q'].map((name) => runProcess(['token', 'create', '--role', 'train', '--name', name, '--tokens', file])),
    ]);
    const names = (await readTokens(file)).map(({ name }) => name);
    expect(names.sort()).to.deep.equal([...Array.from({ length: 6 }, (_, i) => `t${i}`), 'p', 'q'].sort());
    expect(readdirSync(folder)).to.deep.equal(['tokens.yaml']);
  });

  it('is not there: says how to make it', async () => {
    const { code, stderr } = await run(['token', 'list', '--tokens', file]);
    expect(code).to.equal(1);
    expect(stderr).to.include('NOT_FOUND').and.include('parley token create');
    expect((await run(['token', 'list'])).stderr).to.include('--tokens FILE');
  });

  it('is told as wrong with the place, and never with what stands there', async () => {
    const { token, record } = await createToken(file, { name: 'x', roles: ['predict'] });
    const lines = (changes: object) => `tokens:\n  - ${JSON.stringify({ ...record, ...changes })}\n`;
    for (const [text, words] of [
      [lines({ sha256: token }), 'tokens[0].sha256'],
      [lines({ roles: ['king'] }), 'tokens[0].roles[0] must be one of'],
      [lines({ token }), 'not known'],
      [lines({ models: [] }), 'tokens[0].models'],
      [lines({ expires: 'soon' }), 'tokens[0].expires must be a time'],
      [lines({}) + lines({}).slice(8), 'two tokens "x"'],
      [`tokens: [${token}`, 'not YAML'],
      [token, file],
    ] as const) {
      writeFileSync(file, text);
      const refused = await failure(readTokens(file));
      expect(refused.code).to.equal('INVALID_INPUT');
      expect(refused.message).to.include(words);
      expect(JSON.stringify(refused) + refused.message).to.not.include(token.slice(7));
    }
  });

  it('is told when it cannot be written', async () => {
    const away = join(folder, 'nowhere', 'tokens.yaml');
    const ran = await run(['token', 'create', '--role', 'predict', '--tokens', away]);
    expect(ran).to.include({ code: 1, stdout: '' });
    expect(ran.stderr).to.include('INVALID_INPUT').and.include('cannot be written');
    mkdirSync(file);
    expect((await create()).stderr).to.include('INVALID_INPUT');
  });

  it('takes only lifetimes and roles that are such', async () => {
    for (const words of [
      ['--expires', '90'],
      ['--expires', '0d'],
      ['--expires', '9999w9'],
      ['--expires', '999999w'],
    ]) {
      const { code, stderr } = await create(...words);
      expect(code, words.join(' ')).to.equal(2);
      expect(stderr).to.include('90d, 12h');
    }
    const { code, stderr } = await run(['token', 'create', '--role', 'predct', '--tokens', file]);
    expect(code).to.equal(2);
    expect(stderr).to.include('did you mean "predict"');
    expect((await create('--name', 'a b')).stderr).to.include('INVALID_INPUT');
  });
});
