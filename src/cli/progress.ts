/**
 * How far a run is: one line that changes on a terminal, one line a stage otherwise. On stderr.
 *
 * Ours, because the prompt libraries' spinners take the keyboard over and end the process at Ctrl-C, before anything can
 * be cleaned up.
 */
import type { Output } from './output.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const ERASE_LINE = '\r\u001b[K';

export class ProgressLine {
  readonly #output: Output;
  readonly #timer: NodeJS.Timeout | undefined;
  #frame = 0;
  #stage = '';
  #message = '';
  #fraction = 0;

  constructor(output: Output) {
    this.#output = output;
    this.#timer = output.isTerminal ? setInterval(() => this.#draw(), FRAME_MS).unref() : undefined;
  }

  /** @param fraction 0 to 1 of this stage; 0 while it cannot be known */
  show(stage: string, message: string, fraction = 0): void {
    if (stage !== this.#stage) this.#finishStage();
    this.#stage = stage;
    if (message !== '') this.#message = message;
    this.#fraction = fraction;
    this.#draw();
  }

  /** Leaves nothing of the changing line behind. */
  end(): void {
    this.#finishStage();
    clearInterval(this.#timer);
  }

  #finishStage(): void {
    if (this.#timer !== undefined) this.#output.err.write(ERASE_LINE);
    if (this.#stage !== '') this.#output.note(this.#message === '' ? this.#stage : `${this.#stage}: ${this.#message}`);
    this.#stage = this.#message = '';
  }

  #draw(): void {
    if (this.#timer === undefined || this.#stage === '') return;
    const percent = this.#fraction > 0 && this.#fraction < 1 ? ` ${Math.round(this.#fraction * 100)} %` : '';
    const text = `${FRAMES[this.#frame++ % FRAMES.length]} ${this.#stage}${percent}: ${this.#message}`;
    this.#output.err.write(ERASE_LINE + text.slice(0, Math.max(20, this.#output.columns - 1)));
  }
}
