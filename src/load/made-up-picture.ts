/** Pictures of chance pixels: raw where the contract takes that, else a PNG. */
import { deflateSync } from 'node:zlib';
import type { FieldTensor } from '../contract/contract.js';
import { elementsOf } from '../contract/raw-bytes.js';
import { invalidInput } from '../errors.js';
import type { Chance } from './made-up.js';

/** @throws ParleyError INVALID_INPUT where the contract takes JPEG alone */
export function madeUpPicture(name: string, { encodings = [], shape }: FieldTensor, chance: Chance): Buffer {
  const pixels = Buffer.alloc(elementsOf(shape));
  for (let i = 0; i < pixels.length; i++) pixels[i] = Math.floor(chance() * 256);
  if (encodings.includes('rgb8')) return pixels;
  if (encodings.includes('png')) return png(pixels, shape[0]!, shape[1]!);
  throw invalidInput(`${name} takes JPEG files only, which cannot be made up; give rows of your own with --data`);
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Eight bits, RGB. */
const KIND = [8, 2, 0, 0, 0];

/** Source: PNG specification, third edition. Rows are not filtered. */
function png(pixels: Buffer, height: number, width: number): Buffer {
  const head = Buffer.alloc(13),
    rows = Buffer.alloc(height * (1 + width * 3));
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set(KIND, 8);
  for (let row = 0; row < height; row++)
    pixels.copy(rows, row * (1 + width * 3) + 1, row * width * 3, (row + 1) * width * 3);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]),
    length = Buffer.alloc(4),
    sum = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(checksum(body));
  return Buffer.concat([length, body, sum]);
}

/** CRC-32 of ISO 3309. */
function checksum(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
