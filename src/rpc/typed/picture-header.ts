/** What a picture's first bytes say of it, read without decoding: which format it has, and how many pixels it claims. */

export interface PictureHeader {
  readonly format: 'png' | 'jpeg';
  readonly width: number;
  readonly height: number;
}

/** The signature, and the chunk that must come first (PNG specification, third edition, 5.2 and 11.2.1). */
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const PNG_BYTES = PNG.length + 8;
/** Frame headers are SOF0 to SOF15 without DHT, JPG and DAC (ITU-T T.81, table B.1). */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** @returns undefined where it is neither, or ends before it says how large it is */
export function pictureHeader(bytes: Buffer): PictureHeader | undefined {
  if (bytes.length >= PNG_BYTES && bytes.compare(PNG, 0, PNG.length, 0, PNG.length) === 0)
    return { format: 'png', width: bytes.readUInt32BE(PNG.length), height: bytes.readUInt32BE(PNG.length + 4) };
  return bytes.length > 4 && bytes.readUIntBE(0, 3) === 0xffd8ff ? jpegHeader(bytes) : undefined;
}

/** Whether raw pixels of the right count of bytes are a whole file nevertheless: no such pixels come by chance. */
export function isWholeFile(bytes: Buffer): boolean {
  const header = pictureHeader(bytes);
  return header !== undefined && (header.format === 'png' || bytes.readUInt16BE(bytes.length - 2) === 0xffd9);
}

function jpegHeader(bytes: Buffer): PictureHeader | undefined {
  let at = 2;
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (isFrame(marker))
      return { format: 'jpeg', height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    const length = bytes.readUInt16BE(at + 2);
    if (length < 2 || marker === 0xda || marker === 0xd9) return undefined;
    at += 2 + length;
  }
  return undefined;
}
