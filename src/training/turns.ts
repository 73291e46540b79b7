/** Lets the event loop take a turn in a long pass over rows, in which a signal can arrive. */
import { setImmediate } from 'node:timers/promises';

const TURN_MS = 20;

export class Turns {
  private last = performance.now();

  constructor(private readonly signal: AbortSignal | undefined) {}

  /** Once a batch. @throws the signal's reason */
  async give(): Promise<void> {
    this.signal?.throwIfAborted();
    if (performance.now() - this.last < TURN_MS) return;
    await setImmediate();
    this.signal?.throwIfAborted();
    this.last = performance.now();
  }
}
