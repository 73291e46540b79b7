/** Tells of each failure to load once: per place and reason, and again only after it went well there. */
import type { Logger } from 'pino';
import { ParleyError } from '../errors.js';

/** Places that are remembered; the oldest is forgotten first, and is told again then. */
const MOST_PLACES = 1_000;

export class LoadFailures {
  readonly #told = new Map<string, string>();

  constructor(private readonly log: Logger) {}

  /** @param place what fails, such as an alias of a model: it has one failure at a time */
  tell(place: string, fields: Readonly<Record<string, unknown>>, error: unknown, message: string): void {
    const reason = `${fields.version} ${reasonOf(error)}`;
    if (this.#told.get(place) === reason) return;
    this.#told.delete(place);
    this.#told.set(place, reason);
    if (this.#told.size > MOST_PLACES) this.#told.delete(this.#told.keys().next().value!);
    this.log.error({ ...fields, err: error }, message);
  }

  /** It went well. */
  forget(place: string): void {
    this.#told.delete(place);
  }
}

/** The store's words change from try to try, as the connection does; what it means is the same. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ParleyError)) return String(error);
  return error.retryable ? error.code : `${error.code} ${error.message}`;
}
