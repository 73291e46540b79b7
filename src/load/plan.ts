/** What a load generator is told, and what it found: plain values, which travel between processes. */
import type { ConnectionOptions } from 'node:tls';
import type { Bucket, LatencySummary } from './histogram.js';

export type Codec = 'binary' | 'compact' | 'http';

/** Where an answer says which version gave it: a field of the result, or of the first row of a list of them. */
export interface ProvenancePlace {
  readonly fieldId: number;
  readonly many: boolean;
}

export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  /** Plain values; absent: without TLS. */
  readonly tls?: ConnectionOptions;
  readonly codec: Codec;
  /** Whole requests, which are sent in turn. Of Thrift: frames with their length, and the sequence id of `frames.ts`. */
  readonly requests: readonly Uint8Array[];
  /** Sent once on each connection before anything else, and answered without an error: a ping that shows a token. */
  readonly greeting?: Uint8Array;
  readonly connections: number;
  /** Calls under way on one connection at most. HTTP has 1. */
  readonly inFlight: number;
  /** Calls a second, sent when they are due whether or not others are answered; absent: each answer is followed by a call. */
  readonly rate?: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** How long the last calls are waited for; a call that has no answer by then counts as NO_ANSWER. */
  readonly drainMs: number;
  readonly provenance?: ProvenancePlace;
  /** A process of this machine whose CPU time is measured, its descendants' too (but for an embedded Redis). */
  readonly serverPid?: number;
}

export interface LoadResult {
  /** Whether it was stopped before its time. */
  readonly interrupted: boolean;
  readonly windowMs: number;
  /** Calls that were answered well inside the window, and how many that is a second. */
  readonly answered: number;
  readonly perSecond: number;
  /** Of calls that were sent (open loop: were due) inside the window and answered well. */
  readonly latency: LatencySummary;
  readonly buckets: readonly Bucket[];
  /** Of such calls that were answered with an error, and how many of each kind; lost and unanswered ones too. */
  readonly failed: LatencySummary;
  readonly errors: Readonly<Record<string, number>>;
  /** What the first error of each kind said. */
  readonly messages: Readonly<Record<string, string>>;
  /** Version to answers. */
  readonly versions: Readonly<Record<string, number>>;
  /** Open loop: how long after their time calls were sent for want of the generator's own time. */
  readonly late?: LatencySummary;
  /** Shares of a core over the window: the generator's own, the server's; of all cores: what anybody used or stole. */
  readonly generatorBusy: number;
  readonly serverBusy?: number;
  readonly machineBusy?: number;
  readonly stolen?: number;
  /** The server's CPU time for one answered call. */
  readonly serverUs?: number;
  /** What a benchmark's own expectation found. */
  readonly found?: unknown;
}

/** What the generator's process is sent. */
export interface Order {
  readonly plan: LoadPlan;
  /** A module that exports `expectation(options)`, which makes the engine's Expectation of this run. */
  readonly expectation?: { readonly module: string; readonly options: unknown };
}

export type Message = Order | 'stop';
/** `measuring` when the warm-up is over, and then the outcome. */
export type Reply = 'measuring' | { readonly result: LoadResult } | { readonly error: string };
