/**
 * Fixtures and checks as one: what is stored under one fingerprint, so that a verdict is on both.
 *
 * Fixtures without checks are their file's bytes. With checks, one line `parley-suite 1 <bytes of the checks>`, the checks and
 * the fixtures.
 */
import { internal } from '../../errors.js';

const MARK = 'parley-suite 1 ';

/** @param checks the text of checks.yaml */
export function suiteBytes(fixtures: Uint8Array, checks: string | undefined): Uint8Array {
  if (checks === undefined) return fixtures;
  const text = Buffer.from(checks);
  return Buffer.concat([Buffer.from(`${MARK}${text.length}\n`), text, fixtures]);
}

export function partsOfSuite(bytes: Uint8Array): { readonly fixtures: Uint8Array; readonly checks?: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.subarray(0, MARK.length).equals(Buffer.from(MARK))) return { fixtures: bytes };
  const begin = buffer.indexOf('\n') + 1;
  const end = begin + Number(buffer.toString('latin1', MARK.length, begin - 1));
  if (!(begin > 0 && end <= buffer.length)) throw internal('the stored suite ends inside of its checks');
  return { fixtures: buffer.subarray(end), checks: buffer.toString('utf8', begin, end) };
}
