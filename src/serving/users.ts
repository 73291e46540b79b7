/**
 * Who uses a resource now. It is let go when it is given up and nobody uses it any more, at once and by count: the garbage
 * collector knows nothing of the memory behind a session, and frees it late.
 */
export class Users {
  #count = 0;
  #letGo: (() => void) | undefined;

  get any(): boolean {
    return this.#count > 0;
  }

  /** Until `leave`, which must follow once. */
  enter(): void {
    this.#count++;
  }

  leave(): void {
    this.#count--;
    this.#end();
  }

  /** Until this turn of the event loop ends: for what is handed on by promises, which all settle before that. */
  enterForThisTurn(): void {
    this.enter();
    setImmediate(() => this.leave());
  }

  /** Calls `letGo` once, now or when the last user leaves. */
  giveUp(letGo: () => void): void {
    this.#letGo = letGo;
    this.#end();
  }

  #end(): void {
    if (this.#count > 0) return;
    const letGo = this.#letGo;
    this.#letGo = undefined;
    letGo?.();
  }
}
