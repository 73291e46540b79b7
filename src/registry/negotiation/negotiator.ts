/**
 * Answers whether callers can talk to the server, by their own texts: read in one thread beside the event loop, one after
 * the other, each within a time and a memory; what was asked before is remembered.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ContractSource } from '../../contract/parse.js';
import { invalidInput, overloaded, ParleyError, shuttingDown } from '../../errors.js';
import type { Outcome } from '../isolated.js';
import type { TalksAnswer, TalksQuestion } from './talks.js';

const MAIN = new URL('./negotiation-main.js', import.meta.url);

/** A caller's text, its includes counted. */
export const MOST_TEXT_BYTES = 1 << 20;
/** Questions that wait; their texts are held meanwhile. */
const MOST_WAITING = 16;
const MOST_REMEMBERED = 64;
const TIMEOUT_MS = 5_000;
/** A thread holds some 20 MB. */
const IDLE_MS = 30_000;
const MOST_HEAP_MIB = 256;

export class Negotiator {
  /** The answers that were asked for last, by their question's digest. */
  readonly #answers = new Map<string, TalksAnswer>();
  readonly #asking = new Map<string, Promise<TalksAnswer>>();
  #last: Promise<unknown> = Promise.resolve();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(private readonly timeoutMs = TIMEOUT_MS) {}

  /** @throws ParleyError INVALID_INPUT for a text that is no contract, too long, or too long to be read; OVERLOADED */
  async ask(question: TalksQuestion): Promise<TalksAnswer> {
    checkSize(question.callers);
    const key = keyOf(question),
      known = this.#answers.get(key);
    if (known !== undefined) return known;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      if (this.#asking.size >= MOST_WAITING)
        throw overloaded(`${MOST_WAITING} callers' contracts wait to be read; try again`, { retryAfterMs: 1_000 });
      asking = this.#inTurn(() => this.#answer(question)).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    const answer = await asking;
    this.#answers.set(key, answer);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= MOST_REMEMBERED) break;
      this.#answers.delete(oldest);
    }
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #answer(question: TalksQuestion): Promise<TalksAnswer> {
    if (this.#closed) throw shuttingDown('the server is stopping; another one will answer');
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= begin());
    try {
      const outcome = await outcomeOf(worker, question, this.timeoutMs);
      this.#idle = globalThis.setTimeout(() => void this.#end(), IDLE_MS).unref();
      if (outcome.ok) return outcome.value as TalksAnswer;
      throw new ParleyError(outcome.code, outcome.message, { problems: outcome.problems });
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      await this.#end();
      if (this.#closed) throw shuttingDown('the server is stopping; another one will answer');
      throw invalidInput(`request.idl cannot be read: ${error.message}; send the contract that you were compiled with`);
    }
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** The thread ended, or did not end, over a question. */
class Unanswered extends Error {}

function begin(): Worker {
  const worker = new Worker(MAIN, { resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB }, execArgv: [] });
  worker.unref();
  return worker;
}

async function outcomeOf(worker: Worker, question: TalksQuestion, timeoutMs: number): Promise<Outcome> {
  const heard = new AbortController(),
    { signal } = heard;
  const lost = async (event: 'error' | 'exit'): Promise<never> => {
    const [told] = (await once(worker, event, { signal })) as [Error | number];
    throw new Unanswered(told instanceof Error ? told.message : 'the thread that read it ended');
  };
  const late = async (): Promise<never> => {
    await setTimeout(timeoutMs, undefined, { signal });
    throw new Unanswered(`it takes longer than ${timeoutMs / 1000} s`);
  };
  const answered = once(worker, 'message', { signal }).then(([outcome]) => outcome as Outcome);
  worker.postMessage(question);
  const ends = [answered, lost('error'), lost('exit'), late()];
  for (const end of ends) end.catch(() => {});
  try {
    return await Promise.race(ends);
  } finally {
    heard.abort();
  }
}

function checkSize({ idl, includes = {} }: ContractSource): void {
  const bytes = [idl, ...Object.entries(includes).flat()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= MOST_TEXT_BYTES) return;
  throw invalidInput(`request.idl has ${bytes} bytes with its includes; at most ${MOST_TEXT_BYTES} are read`, {
    problems: [{ path: 'request.idl', message: `must be at most ${MOST_TEXT_BYTES} bytes`, got: String(bytes) }],
  });
}

const keyOf = (question: TalksQuestion): string => createHash('sha256').update(JSON.stringify(question)).digest('hex');
