// Mocha's spec output, and besides: the counts in a file while the tests run, so that a crash loses none; the skipped
// tests with their reasons (test/skip.ts); and an end to a process that something keeps alive after its last test.
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

const { EVENT_RUN_END, EVENT_TEST_FAIL, EVENT_TEST_PASS, EVENT_TEST_PENDING } = Mocha.Runner.constants;

/** How long the process may go on after its last test: servers and stores need a moment to close. */
const LINGER_MS = 30_000;

export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = options.reporterOption?.counts ?? options.reporterOptions?.counts;
    const counts = { passed: 0, failed: 0, skipped: 0, ended: false };
    const skipped = [];
    const count = (change) => {
      Object.assign(counts, change);
      if (file) writeFileSync(file, JSON.stringify(counts));
    };

    runner.on(EVENT_TEST_PASS, () => count({ passed: counts.passed + 1 }));
    runner.on(EVENT_TEST_FAIL, () => count({ failed: counts.failed + 1 }));
    runner.on(EVENT_TEST_PENDING, (test) => {
      skipped.push(`  - ${test.fullTitle()}: ${reasonOf(test)}`);
      count({ skipped: counts.skipped + 1 });
    });
    runner.once(EVENT_RUN_END, () => {
      count({ ended: true });
      if (skipped.length > 0) console.log(`Skipped:\n${skipped.join('\n')}\n`);
      setTimeout(() => {
        console.error(`Something keeps the tests' process alive: ${process.getActiveResourcesInfo().join(', ')}`);
        count({ failed: counts.failed + 1 });
        process.exit(1);
      }, LINGER_MS).unref();
    });
  }
}

/** The reason that the test, or the suite whose hook skipped it, gave. */
function reasonOf(test) {
  for (let holder = test; holder; holder = holder.parent) if (holder.skipReason) return holder.skipReason;
  return 'no reason given';
}
