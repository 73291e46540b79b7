/**
 * Files whose change counts while a server runs: looked at twice a second, since notices of changes do not come from
 * every file system.
 *
 * A new state that does not load is tried once more, as two files are seldom replaced at once; then it is told once, and
 * what was loaded before stays.
 */
import { stat } from 'node:fs/promises';
import type { Logger } from 'pino';

const LOOK_MS = 500;

export class WatchedFiles {
  #seen: string;
  #triedInVain: string | undefined;
  #told: string | undefined;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly files: readonly string[],
    private readonly parts: {
      /** For the log, such as "the file of tokens". */
      readonly what: string;
      /** Takes the files as they are now, or throws and changes nothing. */
      readonly load: () => Promise<void> | void;
      readonly log: Logger;
    },
    seen: string,
  ) {
    this.#seen = seen;
  }

  /** Loads them, and again whenever they change. @throws whatever `load` throws the first time */
  static async open(files: readonly string[], parts: WatchedFiles['parts']): Promise<WatchedFiles> {
    const seen = await stateOf(files);
    await parts.load();
    const watched = new WatchedFiles(files, parts, seen);
    watched.#timer = setInterval(() => void watched.look(), LOOK_MS).unref();
    return watched;
  }

  /** Looks now. Never rejects. @param anyway loads them even if they seem to be what they were */
  async look(anyway = false): Promise<void> {
    await this.#looking;
    this.#looking = this.#lookOnce(anyway);
    await this.#looking;
  }

  async #lookOnce(anyway: boolean): Promise<void> {
    const { what, load, log } = this.parts,
      now = await stateOf(this.files);
    if (now === this.#seen && !anyway) return;
    try {
      await load();
    } catch (error) {
      if (this.#triedInVain !== now && !anyway) {
        this.#triedInVain = now;
        return;
      }
      if (this.#told !== now || anyway)
        log.error(`${what} has changed and cannot be used; what was read before stays in force: ${messageOf(error)}`);
      this.#told = now;
      this.#seen = now;
      return;
    }
    this.#seen = now;
    this.#triedInVain = this.#told = undefined;
    log.info(`${what} was read again`);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Differs when any of the files has changed, behind symbolic links too. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      try {
        const { mtimeNs, ctimeNs, size, ino } = await stat(file, { bigint: true });
        return `${mtimeNs}:${ctimeNs}:${size}:${ino}`;
      } catch {
        return 'away';
      }
    }),
  );
  return states.join(' ');
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
