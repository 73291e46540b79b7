/** What TypeScript makes of `parley/client`: an example that must compile, and mistakes in it that must not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { run } from '../clients/toolchain.js';
import { KINDS_IDL } from '../rpc/served.js';
import { StubFolder } from './world.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const OPTIONS = {
  compilerOptions: {
    target: 'es2023',
    module: 'nodenext',
    lib: ['es2023'],
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
  },
};

const BY_CONTRACT = `
import { connect, ParleyError, type CallOptions, type ClientOptions, type ContractCall } from 'parley/client';

const options: ClientOptions = {
  contract: 'kinds.thrift',
  negotiate: true,
  timeoutMs: 500,
  retries: { most: 1 },
  token: async () => 'secret',
  tls: { ca: 'ca.pem' },
};
const client = await connect('localhost:9090', { ...options, contract: 'kinds.thrift' });
const answer = await client.judges!.judge!({ flag: true }, { signal: AbortSignal.timeout(100) });
const verdict: unknown = answer.verdict;
const answers = await client.judges!.judge_many!([{ flag: true }]);
answers.map((one) => one.verdict);
try {
  const { outputs } = await client.predict({
    model: 'kinds',
    inputs: { real: { data: Float64Array.of(1, 2), shape: [2, 1] } },
  });
  const data: unknown = outputs.probabilities?.data;
} catch (error) {
  if (error instanceof ParleyError && error.code === 'INVALID_INPUT')
    for (const { path, message, got } of error.problems) path + message + (got ?? '');
}
const { recorded } = await client.recordLabels('kinds', [{ predictionId: 'x', value: 'good' }]);
const retries: number = client.stats.retries + recorded;
client.close();

interface Services {
  readonly judges: { judge(row: { flag?: boolean }, options?: CallOptions): Promise<{ verdict: 'good' | 'bad' }> };
}
const known = await connect<Services>('localhost:9090', { contract: { idl: '' } });
const good: 'good' | 'bad' = (await known.judges.judge({ flag: true })).verdict;
// @ts-expect-error flag is a boolean
await known.judges.judge({ flag: 'yes' });
// @ts-expect-error there is no such option
await connect('localhost:9090', { timeout: 5 });
// @ts-expect-error a code that there is not
const never = (error: ParleyError) => error.code === 'INVALID';
// @ts-expect-error an input has a shape
await known.predict({ model: 'kinds', inputs: { real: { data: Float64Array.of(1) } } });
`;

const byStubs = (folder: string) => `
import { connect } from 'parley/client';
import Judges from '../${folder}/Judges.js';
import Registry from '../${folder}/Registry.js';
import types from '../${folder}/kinds_types.js';

const client = await connect('localhost:9090', Judges, { connections: 4 });
const answer: types.Judged = await client.judge(new types.Kinds({ flag: true }), { requestId: 'mine' });
const verdict: types.Verdict | undefined = answer.verdict;
const many: types.Judged[] = await client.judge_many([{ flag: true, size: types.Size.SMALL }]);
await client.parley.ping();
const { versions } = await client.parley.of(Registry).list_versions({ model: 'kinds' });
client.close();
// @ts-expect-error the context is not an argument: options are
await client.judge({}, { request_id: 'mine' });
// @ts-expect-error there is no such method
await client.judged({});
// @ts-expect-error a row is not a list of them
await client.judge_many({ flag: true });
// @ts-expect-error there is no such field
await client.judge({ flags: true });
`;

describe("the client's types", function () {
  this.timeout(60_000);
  let folder: string, stubs: StubFolder | undefined;
  before(() => {
    folder = mkdtempSync(join(ROOT, 'dist-test/types-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
    stubs?.remove();
  });

  /** @returns what the compiler has against it */
  function complaints(name: string, code: string, changes: object = {}): string {
    writeFileSync(join(folder, `${name}.ts`), code);
    const file = join(folder, `${name}.json`);
    const compilerOptions = { ...OPTIONS.compilerOptions, ...changes };
    writeFileSync(file, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
    return run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', file]).output;
  }

  it('hold for a program that has the contract only, libraries checked too', () => {
    expect(complaints('by-contract', BY_CONTRACT)).to.equal('');
  });

  it('hold for a program with stubs, and find its mistakes', function () {
    stubs = new StubFolder(this, 'kinds', KINDS_IDL);
    // What the Thrift compiler writes does not hold everywhere.
    expect(complaints('by-stubs', byStubs(basename(stubs.path)), { skipLibCheck: true })).to.equal('');
  });
});
