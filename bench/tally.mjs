// What counting costs on the way of a call: nanoseconds of processor time of one `answered`, and of one `ran`, the loop around
// them included. Usage: node bench/tally.mjs   (needs dist/; takes a few seconds)
import { Tally } from '../dist/serving/tally.js';

const CALLS = 10_000_000,
  ROUNDS = 7;
// Milliseconds as they come: from 10 µs to 100 ms, in no order.
const times = Float64Array.from({ length: 4_096 }, () => 0.01 * 10 ** (Math.random() * 4));
const tally = new Tally();

// A loop each: one that is shared would call what it measures through a pointer.
const answered = () => {
  for (let i = 0; i < CALLS; i++) tally.answered(0, times[i & 4_095], times[i & 4_095] + 0.05);
};
const ran = () => {
  for (let i = 0; i < CALLS; i++) tally.ran(37, times[i & 4_095] * 1_000);
};

function nanosecondsOf(loop) {
  loop();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    loop();
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / CALLS;
  });
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

const nanoseconds = (of) => nanosecondsOf(of).toFixed(1);
console.log(`answered ${nanoseconds(answered)} ns a call, ran ${nanoseconds(ran)} ns a run (median of ${ROUNDS})`);
if (tally.request.count !== CALLS * (ROUNDS + 1)) throw new Error('the loops were not run');
