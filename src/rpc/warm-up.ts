/**
 * One blank row through all that a call goes through, for a version that is about to take over: its plans, its codecs, and
 * its session by way of both. Its first caller then waits no longer than the others.
 */
import type { Batch } from '../serving/batch.js';
import type { Answers, Call } from '../serving/batcher.js';
import type { Plan } from '../serving/plan.js';
import type { PredictCodec } from './predict-codec.js';
import type { TypedCodec } from './typed-codec.js';
import { BinaryWriter } from './wire/binary.js';
import { CompactWriter } from './wire/compact.js';

type Codec = PredictCodec | TypedCodec;

/** @throws what a call would be answered with that the graph cannot compute */
export async function warmUp(codecs: readonly Codec[], nextId: () => Uint8Array): Promise<void> {
  const plans = new Map<Plan, Codec[]>();
  for (const codec of codecs) plans.set(codec.plan, [...(plans.get(codec.plan) ?? []), codec]);
  await Promise.all([...plans].map(([plan, sharing]) => answerBlankRow(plan, sharing, nextId)));
}

function answerBlankRow(plan: Plan, codecs: readonly Codec[], nextId: () => Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const arrivedMs = performance.now();
    // A warm-up is a run and no call.
    const { tally } = plan.servable;
    const call: Call = {
      arrivedMs,
      deadlineMs: Number.POSITIVE_INFINITY,
      cancelled: false,
      deliver: (answers, first) => {
        tally.succeeded--;
        tally.rows--;
        for (const codec of codecs) encode(codec, answers, first, arrivedMs, nextId);
        resolve();
      },
      fail: (error) => {
        tally.failed--;
        reject(error);
      },
    };
    blankRow(plan.reserve(1));
    plan.commit(1, call);
  });
}

/** Values of an earlier call that the graph refused may stand there; what it computes with nothing was seen at its load. */
function blankRow({ columns, inputs, rows }: Batch): void {
  columns.forEach((column, index) => {
    const { rowWidth } = inputs[index]!,
      blank = Array.isArray(column) ? '' : column instanceof BigInt64Array || column instanceof BigUint64Array ? 0n : 0;
    (column as unknown[]).fill(blank, rows * rowWidth, (rows + 1) * rowWidth);
  });
}

function encode(codec: Codec, answers: Answers, first: number, arrivedMs: number, nextId: () => Uint8Array): void {
  try {
    for (const writer of [new BinaryWriter(), new CompactWriter()])
      codec.encode(writer, answers, first, 1, arrivedMs, nextId);
  } catch {
    // No contract promises an answer to blank inputs; the callers' own are checked before.
  }
}
