/** Promotions and rollbacks under load: every answer comes from a version that was in force when it was asked for. */
import { expect } from 'chai';
import type { LedgerEntry } from '#parley/model/version.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { Caller, Loop, serviceOf } from './client.js';
import { placeForEach, until } from './parley.js';
import { useTrained } from './trained.js';

const CALLERS = 10;
const MOVES = 20;
/** How old a server's view may be: the store compares epochs each second, and loading a version takes a moment. */
const FRESHNESS_MS = 1_200;

interface InForce {
  readonly version: string;
  readonly fromMs: number;
  readonly toMs: number;
}

describe('promotions and rollbacks under load', function () {
  this.timeout(120_000);
  const trained = useTrained();
  const place = placeForEach(() => trained().folder);

  it('cost no caller an answer, and each answer is of a version that was in force', async () => {
    const server = await place().serve();
    const { good, other } = trained();
    const service = await serviceOf(server);
    const loops = await Promise.all(
      Array.from({ length: CALLERS }, async () => new Loop(await Caller.open(server, service))),
    );
    const answered = () => loops.reduce((sum, loop) => sum + loop.answers.length, 0);
    await until('first answers', () => loops.every((loop) => loop.answers.length > 0));
    const registry = await ParleyClient.connect(server);
    for (let move = 0; move < MOVES; move++) {
      const before = answered();
      if (move % 4 < 2) await registry.promote({ model: 'penguins', version: move % 2 === 0 ? other : good });
      else await registry.rollback({ model: 'penguins' });
      await until('answers between the moves', () => answered() > before + CALLERS);
    }
    registry.close();
    await Promise.all(loops.map((loop) => loop.stop()));
    const errors = loops.flatMap((loop) => loop.errors);
    expect(errors).to.deep.equal([]);

    const intervals = intervalsOf(await place().history({ aliasName: 'production' }));
    expect(intervals.length).to.be.at.least(MOVES);
    const answers = loops.flatMap((loop) => loop.answers);
    expect(new Set(answers.map(({ version }) => version))).to.deep.equal(new Set([good, other]));
    const wrong = answers.filter(({ version, sentMs, receivedMs }) =>
      intervals.every(
        (interval) =>
          interval.version !== version || interval.toMs < sentMs - FRESHNESS_MS || interval.fromMs > receivedMs + 1,
      ),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('are seen by a caller of the next moment, long before the second is over', async () => {
    const server = await place().serve();
    const { good, other } = trained();
    const caller = await Caller.open(server);
    const registry = await ParleyClient.connect(server);
    await caller.identify();
    for (const version of [other, good, other, good]) {
      const { at } = await registry.promote({ model: 'penguins', version });
      await until('the version', async () => (await caller.identify()).provenance.version === version);
      expect(Date.now() - at / 1_000).to.be.below(FRESHNESS_MS);
    }
    registry.close();
    caller.close();
  });

  it('are refused with CONFLICT when the alias points elsewhere by now', async () => {
    const server = await place().serve();
    const { good, other } = trained();
    const registry = await ParleyClient.connect(server);
    const moves = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        registry.promote({ model: 'penguins', version: other, expectedVersion: good }).then(({ sequence }) => sequence),
      ),
    );
    registry.close();
    const codes = moves.flatMap((move) => (move.status === 'rejected' ? [(move.reason as { code: string }).code] : []));
    expect(new Set(codes)).to.deep.equal(new Set(['CONFLICT']));
    expect(codes).to.have.length(7);
  });
});

/** When each version was in force, in milliseconds. @param lines newest first */
function intervalsOf(lines: readonly LedgerEntry[]): InForce[] {
  const moves = [...lines].reverse();
  return moves.map(({ version, at }, index) => ({
    version: version!,
    fromMs: at / 1_000,
    toMs: index + 1 < moves.length ? moves[index + 1]!.at / 1_000 : Number.POSITIVE_INFINITY,
  }));
}
