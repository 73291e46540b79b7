/** A soak as lines for the terminal. */
import type { Outcome, Verdict } from './verdict.js';

/** Lines of the table; more samples than that are shown in equal steps. */
const MOST_LINES = 24;

const mebibytes = (bytes: number): string => (bytes / (1 << 20)).toFixed(0);

export function report(outcome: Outcome, verdict: Verdict, pace: { calibrated: number; asked: number }): string {
  const { samples, promotions } = outcome;
  const step = Math.max(1, Math.ceil(samples.length / MOST_LINES));
  const lines = samples
    .filter((_, i) => (i + 1) % step === 0)
    .map(({ second, callsPerSecond, p99Ms, rssBytes, fileDescriptors }) =>
      [second.toFixed(0), callsPerSecond.toFixed(0), p99Ms.toFixed(2), mebibytes(rssBytes), String(fileDescriptors)]
        .map((cell) => cell.padStart(9))
        .join(''),
    );
  const head = ['second', 'calls/s', 'p99 ms', 'RSS MiB', 'fds'].map((name) => name.padStart(9)).join('');
  return [
    head,
    ...lines,
    '',
    `pace          ${pace.asked.toFixed(0)} calls/s, of ${pace.calibrated.toFixed(0)} calls/s when kept busy`,
    `calls         ${outcome.sent} sent, ${outcome.answered} answered, ${outcome.wrongCount} wrong, ${outcome.failedCount} failed`,
    `promotions    ${promotions.acknowledged} acknowledged, ${promotions.unavailable} STORE_UNAVAILABLE; ${outcome.versionsSeen} versions answered`,
    `Redis         restarted ${outcome.restarts} times`,
    `memory        ${verdict.rssGrowth === undefined ? 'not judged' : `${(verdict.rssGrowth * 100).toFixed(1)} % from the second third to the last one`}`,
    `descriptors   ${outcome.before.fileDescriptors} before, ${outcome.after.fileDescriptors} after`,
    ...verdict.remarks.map((remark) => `note: ${remark}`),
    verdict.breaches.length === 0 ? 'all promises kept' : `BROKEN: ${verdict.breaches.join('; ')}`,
  ].join('\n');
}
