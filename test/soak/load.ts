/** How fast the server can be asked, and asking it at a share of that. */
import { setTimeout } from 'node:timers/promises';
import type { Address } from '#parley/rpc/client/connection.js';
import type { Dice } from '../rpc/fuzzing.js';
import { type Account, Caller } from './callers.js';

const CONNECTIONS = 32;
/** Calls in flight on each connection while the server's pace is measured. */
const DEPTH = 4;
const BEAT_MS = 5;
/** A call without an answer after this long has failed. */
export const ANSWER_MS = 30_000;
const WARM_UP_MS = 2_000;
/** A connection is closed in order, and opened again, this often on average. */
const REPLACED_EVERY_MS = 1_000;

/** Answers a second with every connection kept busy: what this server and this caller can do on this machine now. */
export async function calibrate(address: Address, account: Account, seconds: number, dice: Dice): Promise<number> {
  const callers = await Promise.all(Array.from({ length: CONNECTIONS }, () => Caller.open(address, account)));
  const form = () => dice.below(1 << 16);
  let running = true;
  for (const caller of callers) {
    caller.onAnswer = () => running && caller.send(DEPTH - caller.open, form);
    caller.send(DEPTH, form);
  }
  await setTimeout(WARM_UP_MS);
  const [before, begun] = [account.answered, performance.now()];
  await setTimeout(seconds * 1_000);
  const rate = ((account.answered - before) / (performance.now() - begun)) * 1_000;
  running = false;
  await Promise.all(callers.map((caller) => caller.leave(ANSWER_MS)));
  account.takeP99();
  return rate;
}

/** Calls at a constant pace, over connections that are now and then closed in order and opened again. */
export class SteadyLoad {
  private callers: Caller[] = [];
  private readonly leaving = new Set<Promise<void>>();
  private stopping = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly address: Address,
    private readonly account: Account,
    private readonly dice: Dice,
  ) {}

  static async start(address: Address, account: Account, perSecond: number, dice: Dice): Promise<SteadyLoad> {
    const load = new SteadyLoad(address, account, dice);
    load.callers = await Promise.all(Array.from({ length: CONNECTIONS }, () => Caller.open(address, account)));
    load.running = load.run(perSecond);
    return load;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    for (const caller of this.callers) this.leave(caller);
    await Promise.all(this.leaving);
  }

  private async run(perSecond: number): Promise<void> {
    let last = performance.now(),
      due = 0;
    while (!this.stopping) {
      await setTimeout(BEAT_MS);
      const now = performance.now();
      // What a busy machine delayed is made up for, but for what is longer ago than a second.
      due += (Math.min(now - last, 1_000) * perSecond) / 1_000;
      if (this.dice.below(REPLACED_EVERY_MS) < now - last) await this.replaceOne();
      last = now;
      due -= this.sendSome(Math.floor(due));
      if (due < perSecond) continue;
      this.account.heldBack += Math.floor(due);
      due = 0;
    }
  }

  /** Spreads the calls over the connections. @returns how many went out */
  private sendSome(calls: number): number {
    const first = this.dice.below(this.callers.length),
      form = () => this.dice.below(1 << 16);
    let left = calls;
    for (let i = 0; i < this.callers.length && left > 0; i++) {
      const caller = this.callers[(first + i) % this.callers.length] as Caller;
      left -= caller.send(Math.ceil(left / (this.callers.length - i)), form);
    }
    return calls - left;
  }

  private async replaceOne(): Promise<void> {
    const at = this.dice.below(this.callers.length),
      old = this.callers[at] as Caller;
    try {
      this.callers[at] = await Caller.open(this.address, this.account);
    } catch (error) {
      this.account.fail(`a connection was refused: ${error}`);
      return;
    }
    this.leave(old);
  }

  private leave(caller: Caller): void {
    const left: Promise<void> = caller.leave(ANSWER_MS).finally(() => this.leaving.delete(left));
    this.leaving.add(left);
  }
}
