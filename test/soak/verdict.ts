/** What a soak promises, and whether it was kept. Pure. */
import type { Sample, Taken } from './samples.js';

/** Below this many samples the thirds say more about warming up than about leaks. */
const LEAST_SAMPLES_OF_MEMORY = 60;
const MOST_GROWTH = 0.05;
/** Connections of callers that come and go are open at any time. */
const DESCRIPTORS_SLACK = 10;

export interface Outcome {
  readonly sent: number;
  readonly answered: number;
  readonly wrongCount: number;
  readonly wrong: readonly string[];
  readonly failedCount: number;
  readonly failed: readonly string[];
  readonly heldBack: number;
  /** How many different versions have answered. */
  readonly versionsSeen: number;
  readonly promotions: {
    readonly acknowledged: number;
    readonly unavailable: number;
    readonly others: readonly string[];
  };
  /** Acknowledged since Redis was last started. */
  readonly promotionsSinceRestart: number;
  readonly restarts: number;
  readonly samples: readonly Sample[];
  /** Before the load, and after it when all connections are closed. */
  readonly before: Taken;
  readonly after: Taken;
  /** Ended early. */
  readonly interrupted: boolean;
}

export interface Verdict {
  /** What broke a promise, in words; empty where all were kept. */
  readonly breaches: readonly string[];
  /** What could not be judged. */
  readonly remarks: readonly string[];
  readonly rssGrowth: number | undefined;
}

export function judge(outcome: Outcome): Verdict {
  const { samples } = outcome;
  const breaches = [...callBreaches(outcome), ...courseBreaches(outcome), ...descriptorBreaches(outcome)];
  const [, second, third] = thirds(samples.map(({ rssBytes }) => rssBytes)) as [number, number, number];
  const remarks: string[] = [];
  let rssGrowth: number | undefined;
  if (samples.length < LEAST_SAMPLES_OF_MEMORY) remarks.push('too short to judge memory: that takes five minutes');
  else {
    rssGrowth = third / second - 1;
    if (rssGrowth > MOST_GROWTH)
      breaches.push(
        `memory grew by ${(rssGrowth * 100).toFixed(1)} % from the second third to the last one, 5 % at most`,
      );
  }
  if (outcome.interrupted) remarks.push('interrupted: this is how far it came');
  if (outcome.heldBack > 0)
    remarks.push(`${outcome.heldBack} calls were held back, since the machine was too busy to take them`);
  return { breaches, remarks, rssGrowth };
}

function callBreaches({ wrongCount, wrong, failedCount, failed, answered }: Outcome): string[] {
  const breaches: string[] = [];
  if (answered === 0) breaches.push('nothing was answered');
  if (wrongCount > 0) breaches.push(`${wrongCount} wrong answers, the first: ${wrong[0]}`);
  if (failedCount > 0) breaches.push(`${failedCount} valid calls failed, the first: ${failed[0]}`);
  return breaches;
}

/** A soak in which nothing was promoted or restarted shows nothing. */
function courseBreaches(outcome: Outcome): string[] {
  const { promotions, restarts, interrupted, versionsSeen, promotionsSinceRestart } = outcome;
  const breaches = promotions.others.length > 0 ? [`a promotion failed otherwise: ${promotions.others[0]}`] : [];
  if (interrupted) return breaches;
  if (restarts !== 2) breaches.push(`Redis was restarted ${restarts} times, not twice`);
  if (promotionsSinceRestart === 0) breaches.push('no promotion succeeded after the last restart of Redis');
  if (versionsSeen < 2) breaches.push(`answers of ${versionsSeen} versions came, so no promotion was seen`);
  return breaches;
}

function descriptorBreaches({ samples, before, after, interrupted }: Outcome): string[] {
  const breaches: string[] = [];
  const [, second, third] = thirds(samples.map(({ fileDescriptors }) => fileDescriptors)) as [number, number, number];
  if (third > second + DESCRIPTORS_SLACK) breaches.push(`file descriptors grew from ${second} to ${third}`);
  if (!interrupted && after.fileDescriptors > before.fileDescriptors + DESCRIPTORS_SLACK)
    breaches.push(`${after.fileDescriptors} file descriptors are left, ${before.fileDescriptors} were there before`);
  return breaches;
}

/** The medians of three equal parts; 0 for a part that is empty. */
function thirds(values: readonly number[]): number[] {
  const size = values.length / 3;
  return [0, 1, 2].map((third) => median(values.slice(Math.round(third * size), Math.round((third + 1) * size))));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
