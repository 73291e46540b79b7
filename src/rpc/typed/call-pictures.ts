/**
 * The pictures of one call: raw pixels are stored at once; files are noted, decoded aside, and stored when the call is
 * read again.
 *
 * What a file claims to be is checked before anything of it is decoded, and told with all that is wrong with the call.
 */
import { invalidInput } from '../../errors.js';
import type { WireReader } from '../wire/protocol.js';
import type { Columns, TypedField } from './fields.js';
import { isWholeFile, pictureHeader } from './picture-header.js';
import { storePixels } from './pixels.js';
import type { RequestProblems } from './problems.js';

/** Pixels of one call's files: a few kilobytes of file may be megabytes of them. */
const MOST_BYTES = 64 << 20;

/** A file that is to become pixels, three bytes each. */
export interface EncodedPicture {
  readonly file: Buffer;
  readonly width: number;
  readonly height: number;
  /** As a problem with it is told. */
  readonly path: string;
  readonly sensitive: boolean;
}

export class CallPictures {
  /** Of the call at hand, in their order. */
  #waiting: EncodedPicture[] = [];
  #bytes = 0;
  /** Of the call that is read again, in their order. */
  #decoded: readonly Uint8Array[] = [];
  #next = 0;

  /** Before a call is read. @param decoded what its files have become; undefined: it is read for the first time */
  begin(decoded: readonly Uint8Array[] | undefined): void {
    if (this.#waiting.length > 0) this.#waiting = [];
    this.#bytes = 0;
    this.#decoded = decoded ?? [];
    this.#next = 0;
  }

  /** The call has been read: nothing of it is kept here, but the files that wait. */
  end(): void {
    if (this.#decoded.length > 0) this.#decoded = [];
  }

  /** Files that wait, which are the frame's own bytes; they are the caller's from now on. */
  take(): readonly EncodedPicture[] {
    const waiting = this.#waiting;
    if (waiting.length > 0) this.#waiting = [];
    return waiting;
  }

  read(reader: WireReader, field: TypedField, into: Columns, row: number, problems: RequestProblems): void {
    const length = reader.span(),
      bytes = reader.buffer.subarray(reader.spanAt, reader.spanAt + length),
      { encodings = [] } = field.tensor!;
    if (length === field.width && encodings.includes('rgb8') && !(encodings.length > 1 && isWholeFile(bytes)))
      storePixels(field, into, row, bytes);
    else if (this.#next < this.#decoded.length) storePixels(field, into, row, this.#decoded[this.#next++]!);
    else if (this.#isGood(field, bytes, problems)) this.#wait(field, bytes, problems);
  }

  #wait({ field, tensor, width }: TypedField, bytes: Buffer, problems: RequestProblems): void {
    this.#bytes += width;
    if (this.#bytes > MOST_BYTES)
      throw invalidInput(
        `${problems.argument}: the pictures of one call have more than ${MOST_BYTES >> 20} MiB of pixels; send fewer rows at once`,
        { problems: [{ path: problems.argument, message: `must have at most ${MOST_BYTES >> 20} MiB of pixels` }] },
      );
    const [height, across] = tensor!.shape as [number, number, number];
    this.#waiting.push({
      file: bytes,
      width: across,
      height,
      path: problems.pathOf(field),
      sensitive: field.sensitive,
    });
  }

  /** By its first bytes. */
  #isGood({ field, tensor, width }: TypedField, bytes: Buffer, problems: RequestProblems): boolean {
    const [height, across] = tensor!.shape as [number, number, number],
      { encodings = [] } = tensor!,
      header = pictureHeader(bytes);
    const expected = `a picture of ${across} x ${height} pixels (${encodings.map((each) => meaning(each, width)).join(', ')})`;
    const { maxBytes = bytes.length } = field;
    if (bytes.length === 0) problems.value(field, '', undefined);
    else if (bytes.length > maxBytes)
      problems.add(field, '', `must be at most ${maxBytes} bytes`, `${bytes.length} bytes`);
    else if (header === undefined || !encodings.includes(header.format))
      problems.add(
        field,
        '',
        `must be ${expected}`,
        header === undefined ? `${bytes.length} bytes of something else` : `a ${header.format} file`,
      );
    else if (header.width !== across || header.height !== height)
      problems.add(field, '', `must be ${expected}`, `${header.width} x ${header.height} pixels`);
    else return true;
    return false;
  }
}

const meaning = (encoding: string, width: number): string => (encoding === 'rgb8' ? `rgb8: ${width} bytes` : encoding);
