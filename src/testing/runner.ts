/** What mocha, node:test, Vitest and Jest have in common. */
import { invalidInput } from '../errors.js';

type Body = () => void | Promise<void>;

/** A runner's own functions; of the two hooks one is enough. */
export interface Runner {
  describe(title: string, define: () => void): unknown;
  it(title: string, test: Body): unknown;
  /** Of mocha and node:test. */
  before?(hook: Body): unknown;
  /** Of Vitest and Jest. */
  beforeAll?(hook: Body, timeoutMs: number): unknown;
}

/** @param given those of a runner that has no global ones @throws ParleyError INVALID_INPUT where there are none */
export function runnerOf(given: Runner | undefined): Runner {
  const { describe, it, before, beforeAll } = given ?? (globalThis as unknown as Partial<Runner>);
  if (describe === undefined || it === undefined || (before ?? beforeAll) === undefined)
    throw invalidInput(
      'there are no global describe, it and before to define tests with; run this file by a test runner, or hand them in: acceptance(project, subject, { runner: { describe, it, before } })',
    );
  return {
    describe,
    it,
    ...(before === undefined ? {} : { before }),
    ...(beforeAll === undefined ? {} : { beforeAll }),
  };
}

/** A hook that runs once before the tests, and may take so long. */
export function beforeTests({ before, beforeAll }: Runner, timeoutMs: number, hook: () => Promise<void>): void {
  // Vitest and Jest have no other way to give a hook its time; mocha gives it in the hook.
  if (beforeAll !== undefined) return void beforeAll(hook, timeoutMs);
  before!(function (this: unknown) {
    const context = this as { timeout?: unknown } | undefined;
    if (typeof context?.timeout === 'function') context.timeout(timeoutMs);
    return hook();
  });
}
