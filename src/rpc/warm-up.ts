/**
 * One blank row through all that a call goes through, for a version that is about to take over: its plans, its codecs, and
 * its session by way of both. Its first caller then waits no longer than the others.
 *
 * The row runs aside of what callers send: it is in none of their batches, and in no count.
 */
import type { Answers, Call } from '../serving/batcher.js';
import type { Plan } from '../serving/plan.js';
import type { Servable } from '../serving/servable.js';
import type { PredictCodec } from './predict-codec.js';
import type { TypedCodec } from './typed-codec.js';
import { BinaryWriter } from './wire/binary.js';
import { CompactWriter } from './wire/compact.js';

type Codec = PredictCodec | TypedCodec;

/** @throws what a call would be answered with that the graph cannot compute */
export async function warmUp(codecs: readonly Codec[], nextId: () => Uint8Array): Promise<void> {
  const plans = new Map<Plan, Codec[]>(),
    asides = new Map<Servable, Servable>();
  for (const codec of codecs)
    if (codec.plan !== undefined) plans.set(codec.plan, [...(plans.get(codec.plan) ?? []), codec]);
  for (const { servable } of plans.keys()) asides.set(servable, servable.aside());
  await Promise.all(
    [...plans].map(([plan, sharing]) => answerBlankRow(plan, asides.get(plan.servable)!, sharing, nextId)),
  );
}

function answerBlankRow(
  plan: Plan,
  aside: Servable,
  codecs: readonly Codec[],
  nextId: () => Uint8Array,
): Promise<void> {
  const { servable, outputs } = plan,
    blank = aside.plan(outputs.map((output) => servable.outputs.indexOf(output)));
  servable.users.enter();
  return new Promise<void>((resolve, reject) => {
    const arrivedMs = performance.now();
    const call: Call = {
      arrivedMs,
      deadlineMs: Number.POSITIVE_INFINITY,
      cancelled: false,
      deliver: (answers, first) => {
        for (const codec of codecs) encode(codec, answers, first, arrivedMs, nextId);
        resolve();
      },
      fail: reject,
    };
    // The callers' own batch, for its columns and its view of one row.
    plan.reserve(1).feeds(1);
    blank.reserve(1);
    blank.commit(1, call);
  }).finally(() => servable.users.leave());
}

function encode(codec: Codec, answers: Answers, first: number, arrivedMs: number, nextId: () => Uint8Array): void {
  try {
    for (const writer of [new BinaryWriter(), new CompactWriter()])
      codec.encode(writer, answers, first, 1, arrivedMs, nextId);
  } catch {
    // No contract promises an answer to blank inputs; the callers' own are checked before.
  }
}
