declare global {
  namespace Mocha {
    interface Runnable {
      skipReason?: string;
    }
    interface Suite {
      skipReason?: string;
    }
  }
}

/**
 * Skips the running test, or from a hook its whole suite, and says why: the reason stands at the end of the test run.
 *
 * @param reason what this machine lacks, such as `vagrant is not installed`
 */
export function skip(context: Mocha.Context, reason: string): never {
  const running = context.test;
  const isSuiteHook = running !== undefined && /^"(before|after) all" hook/.test(running.title);
  const holder = isSuiteHook ? running.parent : (context.currentTest ?? running);
  if (holder !== undefined) holder.skipReason = reason;
  return context.skip();
}
