/** Tokens on the wire: who may call what, on real connections, in both protocols. */
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import { codeOfNumber } from '#parley/errors.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { DOUBLE, I64 } from '#parley/rpc/wire/protocol.js';
import { Access, MOST_REFUSALS } from '#parley/security/access.js';
import { METHOD_ROLES, type Role } from '#parley/security/roles.js';
import type { TokenRecord } from '#parley/security/token-file.js';
import { newToken, sha256Of } from '#parley/security/tokens.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';
import { Caller } from './caller.js';
import { callOf, type Fields, i32, list, struct, text } from './hostile-cases.js';
import { outcomeOf } from './messages.js';
import { PARITY_IDL, placeSmall, SCALARS_IDL, type Served, serve, TENSORS } from './served.js';
import { PROTOCOL_NAMES, type ProtocolName } from './wire-values.js';

const TOKENS = {
  predict: newToken(),
  feedback: newToken(),
  train: newToken(),
  registry: newToken(),
  admin: newToken(),
  /** Predict and registry, for the model "parity" only. */
  own: newToken(),
  short: newToken(),
};
type Name = keyof typeof TOKENS;

const recordOf = (name: Name, changes: Partial<TokenRecord> = {}): TokenRecord => ({
  name,
  sha256: sha256Of(TOKENS[name]),
  roles: [name as Role],
  created: '2026-01-01T00:00:00Z',
  ...changes,
});
const ALL: readonly TokenRecord[] = [
  ...(['predict', 'feedback', 'train', 'registry', 'admin'] as const).map((name) => recordOf(name)),
  recordOf('own', { roles: ['predict', 'registry'], models: ['parity'] }),
];

const context = (token?: string): Fields[number][] => (token === undefined ? [] : [[1, struct([3, text(token)])]]);

/** A call of a generic method: `request` with the token in its context. */
const generic = (protocol: ProtocolName, name: string, token?: string, ...fields: Fields): Buffer =>
  callOf(protocol, name, [1, struct(...context(token), ...fields)]);

const number = (value: number) => struct([1, { type: DOUBLE, value }]);
/** `Parity.side`, which takes no context. */
const side = (protocol: ProtocolName, value = 3): Buffer => callOf(protocol, 'Parity:side', [1, number(value)]);

const SCALARS: Fields = [
  [1, { type: 2, value: true }],
  [2, { type: 3, value: 1 }],
  [40, { type: 6, value: 2 }],
  [4, i32(3)],
  [5, { type: I64, value: 4 }],
  [300, i32(1)],
];
/** `Scales.add`, which takes one behind its row. */
const add = (protocol: ProtocolName, token?: string, row: Fields = SCALARS): Buffer =>
  callOf(protocol, 'Scales:add', [7, struct(...row)], ...context(token).map(([, value]) => [3, value] as const));

const real = Buffer.alloc(8);
const predict = (protocol: ProtocolName, model: string, token?: string): Buffer =>
  generic(
    protocol,
    'Prediction:predict',
    token,
    [2, text(model)],
    [
      6,
      list(12, [
        struct(
          [1, text('real')],
          [2, i32(2)],
          [
            3,
            list(
              I64,
              [1, 1].map((value) => ({ type: I64, value })),
            ),
          ],
          [5, text(real)],
        ),
      ]),
    ],
  );

describe('tokens', function () {
  this.timeout(30_000);
  const redis = sharedRedis();
  let world: World, served: Served, access: Access, logged: string;
  const callers: Caller[] = [];

  before(async () => {
    world = new World(redis);
    await placeSmall(world.store);
  });
  after(() => world.close());

  async function start(anonymous: readonly Role[] = [], asks = true): Promise<void> {
    logged = '';
    const stream = new PassThrough().on('data', (chunk: Buffer) => (logged += chunk.toString()));
    access = new Access(anonymous, asks);
    access.replace(ALL);
    served = await serve(world.another(), {}, pino({ level: 'trace' }, stream), { access });
  }
  afterEach(async () => {
    for (const caller of callers.splice(0)) caller.close();
    await served.close();
    for (const token of Object.values(TOKENS)) expect(logged).to.not.include(token);
  });

  async function open(): Promise<Caller> {
    const caller = await Caller.open(served);
    callers.push(caller);
    return caller;
  }

  /** What becomes of a call: `answer`, an error's code, an exception or the end. No token stands in it. */
  async function ask(caller: Caller, bytes: Buffer): Promise<string> {
    const reply = await caller.send(bytes).reply();
    if (reply === undefined) return 'closed';
    for (const token of Object.values(TOKENS)) expect(reply.includes(token)).to.equal(false);
    const { kind, code } = outcomeOf(reply);
    return kind === 'error' ? codeOfNumber(code ?? 0) : kind;
  }
  const askOnce = async (bytes: Buffer) => ask(await open(), bytes);

  for (const protocol of PROTOCOL_NAMES) {
    it(`are asked for by every method but ping, in ${protocol}`, async () => {
      await start();
      for (const method of Object.keys(METHOD_ROLES))
        expect(await askOnce(generic(protocol, method)), method).to.equal(
          method === 'Operations:ping' ? 'answer' : 'UNAUTHENTICATED',
        );
      expect(await askOnce(add(protocol))).to.equal('UNAUTHENTICATED');
      expect(await askOnce(predict(protocol, 'parity'))).to.equal('UNAUTHENTICATED');
    });

    it(`open what their roles say and nothing else, in ${protocol}`, async () => {
      await start();
      for (const name of ['predict', 'feedback', 'train', 'registry', 'admin'] as const) {
        const caller = await open();
        for (const [method, roles] of Object.entries(METHOD_ROLES)) {
          const may = roles.length === 0 || name === 'admin' || roles.includes(name as Role);
          const outcome = await ask(caller, generic(protocol, method, TOKENS[name]));
          if (may) expect(outcome, `${name} ${method}`).to.not.be.oneOf(['UNAUTHENTICATED', 'PERMISSION_DENIED']);
          else expect(outcome, `${name} ${method}`).to.equal('PERMISSION_DENIED');
        }
        const may = name === 'predict' || name === 'admin' ? 'answer' : 'PERMISSION_DENIED';
        expect(await ask(caller, add(protocol, TOKENS[name]))).to.equal(may);
        expect(await ask(caller, predict(protocol, 'parity', TOKENS[name]))).to.equal(may);
      }
    });

    it(`are remembered by their connection, for methods without a context, in ${protocol}`, async () => {
      await start();
      const caller = await open(),
        other = await open();
      expect(await ask(caller, generic(protocol, 'Operations:ping', TOKENS.predict))).to.equal('answer');
      for (let i = 0; i < 3; i++) expect(await ask(caller, side(protocol))).to.equal('answer');
      expect(await ask(caller, add(protocol))).to.equal('answer');
      expect(await ask(caller, predict(protocol, 'parity'))).to.equal('answer');
      expect(await ask(other, side(protocol))).to.not.equal('answer');
      // The last one that was shown counts, and a wrong one is none.
      expect(await ask(caller, generic(protocol, 'Operations:ping', TOKENS.registry))).to.equal('answer');
      expect(await ask(caller, side(protocol))).to.equal('PERMISSION_DENIED');
      expect(await ask(caller, add(protocol, TOKENS.predict))).to.equal('answer');
      expect(await ask(caller, generic(protocol, 'Operations:ping', newToken()))).to.equal('UNAUTHENTICATED');
      expect(await ask(caller, side(protocol))).to.equal('UNAUTHENTICATED');
    });

    it(`count for their models only, in ${protocol}`, async () => {
      await start();
      const caller = await open(),
        of = (method: string, ...fields: Fields) => ask(caller, generic(protocol, method, TOKENS.own, ...fields));
      expect(await ask(caller, predict(protocol, 'parity', TOKENS.own))).to.equal('answer');
      expect(await ask(caller, predict(protocol, TENSORS, TOKENS.own))).to.equal('PERMISSION_DENIED');
      expect(await ask(caller, predict(protocol, 'no-such-model', TOKENS.own))).to.equal('PERMISSION_DENIED');
      // What was asked last is remembered, too: a new token counts for it at once.
      for (let i = 0; i < 2; i++)
        expect(await ask(caller, predict(protocol, TENSORS, TOKENS.admin))).to.equal('INVALID_INPUT');
      expect(await ask(caller, predict(protocol, TENSORS, TOKENS.own))).to.equal('PERMISSION_DENIED');
      expect(await ask(caller, side(protocol))).to.equal('answer');
      expect(await ask(caller, add(protocol, TOKENS.own))).to.equal('PERMISSION_DENIED');
      for (const method of ['Prediction:describe', 'Registry:aliases', 'Registry:history', 'Registry:list_versions']) {
        expect(await of(method, [2, text('parity')]), method).to.equal('answer');
        expect(await of(method, [2, text('scalars')]), method).to.equal('PERMISSION_DENIED');
      }
      expect(await of('Registry:list_versions')).to.equal('PERMISSION_DENIED');
      expect(await of('Registry:promote', [2, text('scalars')])).to.equal('PERMISSION_DENIED');
      expect(await of('Registry:publish_contract', [2, text(SCALARS_IDL)])).to.equal('PERMISSION_DENIED');
      expect(await of('Operations:contract', [2, text('Parity')])).to.equal('answer');
      expect(await of('Operations:contract', [2, text('Scales')])).to.equal('NOT_FOUND');
    });
  }

  it('let ping say to a stranger that there is a server, and nothing more', async () => {
    await start();
    const stranger = await ParleyClient.connect(served),
      known = await ParleyClient.connect(served, TOKENS.feedback),
      own = await ParleyClient.connect(served, TOKENS.own);
    try {
      expect(await stranger.ping()).to.deep.equal({
        serverVersion: '',
        ready: true,
        storeConnected: false,
        storeHeardSecondsAgo: undefined,
        laggingModels: [],
        services: [],
      });
      expect((await known.ping()).services).to.include.members(['Scales', 'Parity']);
      const { services } = await own.ping();
      expect(services).to.include('Parity').and.not.include('Scales');
    } finally {
      for (const client of [stranger, known, own]) client.close();
    }
  });

  it('are what a stranger is asked for before anything is told of inputs, services and models', async () => {
    await start();
    const wrong = add('binary', undefined, [[2, text('not a byte')]]);
    expect(await askOnce(wrong)).to.equal('UNAUTHENTICATED');
    expect(await askOnce(add('binary', newToken(), []))).to.equal('UNAUTHENTICATED');
    expect(await askOnce(add('binary', TOKENS.predict, []))).to.equal('INVALID_INPUT');
    expect(await askOnce(add('binary', TOKENS.predict, [[2, text('not a byte')]]))).to.equal('INVALID_INPUT');
    expect(await askOnce(add('binary', TOKENS.predict, [[40, { type: 6, value: 9999 }]]))).to.equal('INVALID_INPUT');
    // The first such call has the version loaded, for the others it is: the token stands behind what is wrong.
    for (const protocol of ['binary', 'compact'] as const)
      for (let i = 0; i < 2; i++) {
        expect(await askOnce(add(protocol, TOKENS.predict, []))).to.equal('INVALID_INPUT');
        expect(await askOnce(add(protocol, newToken(), []))).to.equal('UNAUTHENTICATED');
      }
    expect(await askOnce(predict('binary', 'no-such-model'))).to.equal('UNAUTHENTICATED');
    expect(await askOnce(predict('binary', 'no-such-model', TOKENS.predict))).to.equal('NOT_FOUND');
    const caller = await open();
    const reply = await caller.send(generic('binary', 'no_such_method')).reply();
    expect(outcomeOf(reply!).message).to.equal('unknown method "no_such_method"');
    await ask(caller, generic('binary', 'Operations:ping', TOKENS.predict));
    expect(outcomeOf((await caller.send(generic('binary', 'no_such_method')).reply())!).message).to.include('Parity');
  });

  it('are what a caller is asked for before anything is told of how much there is to do', async () => {
    await start();
    const caller = await open();
    expect(await ask(caller, predict('binary', 'parity', TOKENS.predict))).to.equal('answer');
    const [servable] = served.factory.servablesOf('parity');
    Object.assign(servable!, { admits: () => false });
    Object.assign(servable!.queue, { admits: () => false });
    expect(await ask(caller, side('binary'))).to.equal('OVERLOADED');
    expect(await askOnce(side('binary'))).to.equal('UNAUTHENTICATED');
    for (let i = 0; i < 3; i++)
      expect(await ask(caller, predict('binary', 'parity', TOKENS.predict))).to.equal('OVERLOADED');
    access.replace([]);
    expect(await ask(caller, predict('binary', 'parity', TOKENS.predict))).to.equal('UNAUTHENTICATED');
  });

  it('are what a stranger is asked for before a version is loaded', async () => {
    await start();
    const { loads } = served.factory;
    expect(await askOnce(add('binary'))).to.equal('UNAUTHENTICATED');
    expect(await askOnce(predict('binary', 'parity', newToken()))).to.equal('UNAUTHENTICATED');
    expect(await askOnce(predict('binary', 'scalars', TOKENS.own))).to.equal('PERMISSION_DENIED');
    expect(served.factory.loads).to.equal(loads);
    expect(await askOnce(add('binary', TOKENS.predict))).to.equal('answer');
  });

  it('count no more when they are revoked, also on open connections, and count when they are added', async () => {
    await start();
    const caller = await open();
    expect(await ask(caller, add('binary', TOKENS.predict))).to.equal('answer');
    access.replace(ALL.filter(({ name }) => name !== 'predict'));
    expect(await ask(caller, add('binary', TOKENS.predict))).to.equal('UNAUTHENTICATED');
    expect(await ask(caller, add('binary'))).to.equal('UNAUTHENTICATED');
    access.replace(ALL);
    expect(await ask(caller, add('binary'))).to.equal('UNAUTHENTICATED');
    expect(await ask(caller, add('binary', TOKENS.predict))).to.equal('answer');
    // One that is remembered counts for what it is now.
    access.replace([recordOf('predict', { models: ['parity'] })]);
    expect(await ask(caller, add('binary'))).to.equal('PERMISSION_DENIED');
    expect(await ask(caller, side('binary'))).to.equal('answer');
  });

  it('count no more when their time is up, also on open connections', async () => {
    await start();
    const soon = new Date(Date.now() + 300).toISOString();
    access.replace([recordOf('short', { roles: ['predict'], expires: soon })]);
    const caller = await open();
    expect(await ask(caller, side('binary'))).to.not.equal('answer');
    expect(await ask(caller, add('binary', TOKENS.short))).to.equal('answer');
    access.tick();
    expect(await ask(caller, side('binary'))).to.equal('answer');
    while (Date.now() <= Date.parse(soon)) await setImmediate();
    access.tick();
    expect(await ask(caller, side('binary'))).to.equal('UNAUTHENTICATED');
    expect(await askOnce(add('binary', TOKENS.short))).to.equal('UNAUTHENTICATED');
    expect(access.refusals.expired).to.equal(2);
  });

  it('are changed under load without a call that fails', async () => {
    await start();
    const caller = await open();
    let answered = 0;
    for (let round = 0; round < 50; round++) {
      access.replace(round % 2 === 0 ? [...ALL].reverse() : ALL);
      const calls = [predict('compact', 'parity', TOKENS.predict), add('binary', TOKENS.predict), side('compact')];
      caller.send(Buffer.concat(calls));
      answered += calls.length;
    }
    const replies = await caller.heard(answered);
    expect(replies.map((reply) => outcomeOf(reply).kind)).to.deep.equal(new Array(answered).fill('answer'));
  });

  it('end a connection that has shown too many wrong ones, and no other', async () => {
    await start();
    const guessing = await open(),
      good = await open();
    for (let i = 0; i < MOST_REFUSALS; i++)
      expect(await ask(guessing, add('binary', newToken()))).to.equal('UNAUTHENTICATED');
    expect(await ask(guessing, add('binary', newToken()))).to.equal('closed');
    expect(await ask(good, add('binary', TOKENS.predict))).to.equal('answer');
    expect(access.refusals.unknown).to.equal(MOST_REFUSALS);
  });

  it('are refused unread where they are of no size that a token has', async () => {
    await start();
    for (const token of [
      'x',
      'x'.repeat(1 << 20),
      TOKENS.predict.slice(0, -1),
      `${TOKENS.predict}A`,
      `${TOKENS.predict}\0`,
    ])
      expect(await askOnce(add('binary', token))).to.equal('UNAUTHENTICATED');
    expect(await askOnce(add('binary', ''))).to.equal('UNAUTHENTICATED');
    const caller = await open();
    expect(await ask(caller, add('binary', TOKENS.predict))).to.equal('answer');
    expect(await ask(caller, add('binary', 'x'.repeat(600)))).to.equal('UNAUTHENTICATED');
    expect(await ask(caller, add('binary'))).to.equal('UNAUTHENTICATED');
    expect(access.refusals).to.deep.equal({ missing: 2, unknown: 6, expired: 0, role: 0, model: 0 });
  });

  it('are missed, or lack something, by name and reason', async () => {
    await start();
    const messageOf = async (bytes: Buffer) => outcomeOf((await (await open()).send(bytes).reply())!).message;
    expect(await messageOf(generic('binary', 'Registry:promote')))
      .to.include('role "registry"')
      .and.include('auth_token');
    expect(await messageOf(generic('binary', 'Registry:promote', TOKENS.predict)))
      .to.include('role "registry"')
      .and.include('token "predict" has "predict"');
    expect(await messageOf(add('binary', TOKENS.own)))
      .to.include('"parity"')
      .and.include('"scalars"');
    expect(access.refusals).to.deep.equal({ missing: 1, unknown: 0, expired: 0, role: 1, model: 1 });
  });

  it('are not asked of strangers for the roles that everybody has', async () => {
    await start(['predict']);
    expect(await askOnce(add('binary'))).to.equal('answer');
    expect(await askOnce(side('binary'))).to.equal('answer');
    expect(await askOnce(generic('binary', 'Registry:history', undefined, [2, text('parity')]))).to.equal(
      'UNAUTHENTICATED',
    );
    expect(await askOnce(add('binary', newToken()))).to.equal('UNAUTHENTICATED');
    expect(await askOnce(generic('binary', 'Registry:history', TOKENS.registry, [2, text('parity')]))).to.equal(
      'answer',
    );
  });

  it('are not looked at where there are none', async () => {
    await start(['predict'], false);
    expect(await askOnce(add('binary', newToken()))).to.equal('answer');
    expect(await askOnce(generic('binary', 'Registry:history', TOKENS.registry, [2, text('parity')]))).to.equal(
      'UNAUTHENTICATED',
    );
  });

  it('are the actor of what is changed with them', async () => {
    await start();
    const client = await ParleyClient.connect(served, TOKENS.own),
      stranger = await ParleyClient.connect(served);
    try {
      expect(await client.hold({ model: 'parity', reason: 'looked at' })).to.include({ actor: 'own', action: 'hold' });
      expect((await failure(stranger.release({ model: 'parity' }))).code).to.equal('UNAUTHENTICATED');
      expect(await client.release({ model: 'parity' })).to.include({ actor: 'own' });
      expect((await world.store.ledger('parity', { limit: 2 })).map(({ actor }) => actor)).to.deep.equal([
        'own',
        'own',
      ]);
    } finally {
      client.close();
      stranger.close();
    }
  });

  it('for some models do not open the uploads of others', async () => {
    await start();
    const own = await ParleyClient.connect(served, TOKENS.own),
      all = await ParleyClient.connect(served, TOKENS.registry);
    try {
      const [ours, theirs] = [await own.beginUpload('parity', 3), await all.beginUpload('scalars', 3)];
      const bytes = Buffer.from('abc');
      expect(await own.uploadPart(ours.uploadId, 0, bytes)).to.equal(3);
      expect((await failure(own.uploadPart(theirs.uploadId, 0, bytes))).code).to.equal('PERMISSION_DENIED');
      expect(await all.uploadPart(theirs.uploadId, 0, bytes)).to.equal(3);
      const uploads = [{ uploadId: theirs.uploadId }, { uploadId: ours.uploadId, expectedUploadId: theirs.uploadId }];
      for (const upload of uploads)
        expect((await failure(own.publish({ model: 'parity', ...upload }))).code).to.equal('PERMISSION_DENIED');
      const contract = { idl: PARITY_IDL, includes: {}, fixturesUploadId: theirs.uploadId };
      expect((await failure(own.publishContract(contract))).code).to.equal('PERMISSION_DENIED');
    } finally {
      own.close();
      all.close();
    }
  });

  it('are shown by the client before a typed method that takes none', async () => {
    await start();
    const client = await ParleyClient.connect(served, TOKENS.own);
    try {
      expect(await client.predict('parity', [{ real: 5 }, { real: -5 }], { many: true })).to.have.length(2);
    } finally {
      client.close();
    }
  });
});
