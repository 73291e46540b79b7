/** Lets the event loop run during a long fit, and notices that it was called off. */
import { setImmediate } from 'node:timers/promises';

/** Multiply-adds between two breaths: some milliseconds. */
const WORK_PER_BREATH = 4_000_000;

export class Pace {
  private work = 0;

  constructor(private readonly signal: AbortSignal | undefined) {}

  /** Between iterations: lets others run. @throws the signal's reason */
  async breathe(): Promise<void> {
    this.work = 0;
    await setImmediate();
    this.signal?.throwIfAborted();
  }

  /** After each batch: lets others run once enough was done. @param work multiply-adds since the last call */
  async after(work: number): Promise<void> {
    this.work += work;
    if (this.work >= WORK_PER_BREATH) await this.breathe();
  }
}
