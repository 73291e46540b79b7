/** What keeps retries from making a bad moment worse: a bucket that calls fill by a tenth and retries empty by one. */
export class RetryBudget {
  readonly #share: number;
  readonly #burst: number;
  #tokens: number;

  /** @param share retries per call, in the long run @param burst retries that may come at once */
  constructor(share: number, burst: number) {
    this.#share = share;
    this.#burst = this.#tokens = burst;
  }

  /** A call was made. */
  deposit(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + this.#share);
  }

  /** Takes what one retry costs. @returns whether there was enough */
  take(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
