/**
 * Files of pictures become pixels, aside of the event loop and a few at a time, by `sharp`.
 *
 * Whoever comes has checked what the file's header claims; a file that then holds more is not decoded. What waits has a
 * bound, in pictures and in bytes; what is late or has nobody waiting any more is not decoded.
 */
import { deadlineExceeded, overloaded, type ParleyError, type Problem, withoutStack } from '../../errors.js';
import { loadSharp, pixelsOf, type Sharp } from '../../model-types/image-classifier/pixels.js';
import { invalidRequest } from '../invalid-request.js';
import type { EncodedPicture } from './call-pictures.js';

/** Each takes a thread of the four that Node has for files, names and compression too. */
const MOST_AT_ONCE = 2;
/** Of all calls together, files and the pixels that they become. */
const MOST_BYTES = 256 << 20;
const RETRY_AFTER_MS = 100;
const MOST_PROBLEMS = 100;

/** Who waits for the pixels. */
export interface PictureCall {
  readonly arrivedMs: number;
  /** On performance.now()'s clock. */
  readonly deadlineMs: number;
  /** Whether nobody waits any more. */
  readonly cancelled: () => boolean;
}

export class PictureDecoder {
  #sharp: Promise<Sharp> | undefined;
  #underWay = 0;
  #bytes = 0;
  readonly #turns: (() => void)[] = [];

  /**
   * @returns pixels of each, in order
   * @throws ParleyError INVALID_INPUT with each file that is broken; DEADLINE_EXCEEDED, OVERLOADED
   */
  async decode(pictures: readonly EncodedPicture[], call: PictureCall): Promise<readonly Uint8Array[]> {
    const bytes = pictures.reduce((sum, { file, width, height }) => sum + file.length + width * height * 3, 0);
    if (this.#bytes > 0 && this.#bytes + bytes > MOST_BYTES)
      throw withoutStack(() =>
        overloaded(`${MOST_BYTES >> 20} MiB of pictures wait to be decoded; try again in ${RETRY_AFTER_MS} ms`, {
          retryAfterMs: RETRY_AFTER_MS,
        }),
      );
    this.#bytes += bytes;
    try {
      const sharp = await (this.#sharp ??= loadSharp());
      const decoded = await Promise.all(pictures.map((picture) => this.#inTurn(sharp, picture, call)));
      if (call.deadlineMs <= performance.now()) throw late(call);
      const problems = decoded.filter((each) => 'message' in each);
      if (problems.length > 0) throw invalidRequest(problems.slice(0, MOST_PROBLEMS), problems.length);
      return decoded as Uint8Array[];
    } finally {
      this.#bytes -= bytes;
    }
  }

  /** @returns its pixels, or what is wrong with it */
  async #inTurn(sharp: Sharp, picture: EncodedPicture, call: PictureCall): Promise<Uint8Array | Problem> {
    if (this.#underWay >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#turns.push(resolve));
    else this.#underWay++;
    try {
      if (call.cancelled() || call.deadlineMs <= performance.now()) return NOTHING;
      return await pixelsOf(sharp, picture);
    } catch (error) {
      return problemOf(picture, error);
    } finally {
      const next = this.#turns.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }
}

const NOTHING = new Uint8Array(0);

function problemOf({ path, sensitive }: EncodedPicture, error: unknown): Problem {
  const got = (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 100);
  return { path, message: 'must be a picture that can be decoded', ...(sensitive ? {} : { got }) };
}

const late = ({ arrivedMs, deadlineMs }: PictureCall): ParleyError =>
  withoutStack(() =>
    deadlineExceeded(
      `decoding the call's pictures took longer than its timeout_ms of ${Math.round(deadlineMs - arrivedMs)}; it was not run. Allow more time, or send raw pixels`,
    ),
  );
