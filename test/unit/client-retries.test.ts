/** When a failed call is made again: what the policy says of every kind of failure, and what the budget allows. */
import { expect } from 'chai';
import { RetryBudget } from '#parley/client/retry-budget.js';
import { DEFAULT_RETRIES, type Failure, pauseMs } from '#parley/client/retry-policy.js';
import {
  conflict,
  deadlineExceeded,
  ERROR_CODES,
  type ErrorCode,
  invalidInput,
  overloaded,
  ParleyError,
  storeUnavailable,
} from '#parley/errors.js';
import { ConnectionLost } from '#parley/rpc/client/connection.js';

const pause = (failure: Partial<Failure>, chance = 0.5) =>
  pauseMs(
    { error: overloaded('busy'), retries: 0, idempotent: true, leftMs: 10_000, ...failure },
    DEFAULT_RETRIES,
    chance,
  );

describe('the policy of retries', () => {
  it('repeats what the server calls retryable, and nothing else', () => {
    const repeated = (Object.keys(ERROR_CODES) as ErrorCode[]).filter(
      (code) => pause({ error: new ParleyError(code, 'x') }) !== undefined,
    );
    expect(repeated).to.deep.equal(['OVERLOADED', 'STORE_UNAVAILABLE', 'SHUTTING_DOWN', 'INTERNAL']);
    for (const error of [invalidInput('x'), conflict('x'), deadlineExceeded('x'), new Error('x'), 'x', undefined])
      expect(pause({ error }), String(error)).to.equal(undefined);
  });

  it('repeats what a broken connection swallowed where that does no harm', () => {
    for (const [sent, idempotent, repeats] of [
      [false, false, true],
      [false, true, true],
      [true, true, true],
      [true, false, false],
    ] as const)
      expect(pause({ error: new ConnectionLost(storeUnavailable('x'), sent), idempotent }) !== undefined).to.equal(
        repeats,
      );
  });

  it('waits twice as long each time, by half to all of it, and not for ever', () => {
    const policy = { most: 20, firstPauseMs: 10, longestPauseMs: 100 },
      error = overloaded('busy');
    const at = (retries: number, chance: number) =>
      pauseMs({ error, retries, idempotent: true, leftMs: 1_000 }, policy, chance);
    expect([0, 1, 2, 3, 4, 19].map((retries) => at(retries, 1))).to.deep.equal([10, 20, 40, 80, 100, 100]);
    expect([0, 1].map((retries) => at(retries, 0))).to.deep.equal([5, 10]);
    expect(at(20, 0)).to.equal(undefined);
  });

  it('waits at least as long as the server asks for, and a quarter more at most', () => {
    const error = overloaded('busy', { retryAfterMs: 400 });
    expect([0, 0.5, 1].map((chance) => pause({ error }, chance))).to.deep.equal([400, 450, 500]);
    expect(pause({ error, retries: 1 }, 0)).to.equal(400);
  });

  it('does not begin what there is no time for', () => {
    const error = overloaded('busy', { retryAfterMs: 400 });
    expect(pause({ error, leftMs: 400 }, 0)).to.equal(undefined);
    expect(pause({ error, leftMs: 401 }, 0)).to.equal(400);
  });
});

describe('the budget of retries', () => {
  it('allows its burst at once, and then a tenth of the calls', () => {
    const budget = new RetryBudget(0.1, 3);
    const taken = () => {
      let times = 0;
      while (budget.take()) times++;
      return times;
    };
    expect(taken()).to.equal(3);
    for (let i = 0; i < 15; i++) budget.deposit();
    expect(taken()).to.equal(1);
    for (let i = 0; i < 5; i++) budget.deposit();
    expect(taken()).to.be.within(0, 1);
    for (let i = 0; i < 1_000; i++) budget.deposit();
    expect(taken()).to.equal(3);
  });

  it('allows none where it is nothing', () => {
    expect(new RetryBudget(0, 0).take()).to.equal(false);
  });
});
