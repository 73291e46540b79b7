/** Pictures as files in typed calls: decoded aside, checked before, and never more than they claim. */
import { deflateSync } from 'node:zlib';
import { expect } from 'chai';
import sharp from 'sharp';
import types from '#gen/parley_types.js';
import type { ParleyError } from '#parley/errors.js';
import { PictureDecoder } from '#parley/rpc/typed/picture-decoder.js';
import { pictureHeader } from '#parley/rpc/typed/picture-header.js';
import { LIST, STRUCT } from '#parley/rpc/wire/protocol.js';
import { sharedRedis } from '../store/redis-server.js';
import { Caller } from './caller.js';
import { callOf, i32, list, struct, text } from './hostile-cases.js';
import { openReply } from './messages.js';
import { HEIGHT, PIXELS, WIDTH } from './nested-model.js';
import { row } from './nested-rows.js';
import { errorOf, type NestedServed, serveNested } from './nested-served.js';
import { PROTOCOL_NAMES, packageRead, type Value } from './wire-values.js';

/** Where the photo is among what the graph answers with. */
const PHOTO_AT = 24;
const raw = { width: WIDTH, height: HEIGHT, channels: 3 } as const;
const colours = Buffer.from(Array.from({ length: PIXELS }, (_, i) => (i * 37) % 256));
const photo = (file: Buffer): Value => row([10, text(file)]);

const fieldsOf = (value: Value) => (value as Extract<Value, { type: typeof STRUCT }>).fields;

/** A chunk of a PNG, with its checksum. */
function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]),
    parts = Buffer.alloc(8);
  parts.writeUInt32BE(data.length, 0);
  parts.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([parts.subarray(0, 4), body, parts.subarray(4)]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function png(width: number, height: number, pixels: Buffer, ...between: Buffer[]): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', head),
    ...between,
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('a picture that is sent as a file', () => {
  const redis = sharedRedis();
  let nested: NestedServed;
  before(async function () {
    this.timeout(60_000);
    nested = await serveNested(redis);
  });
  after(() => nested?.close());

  /** The pixels that the graph was fed. */
  async function fedBy(frame: Buffer): Promise<number[][]> {
    const { input } = openReply(await nested.answer(frame));
    const [[, success]] = fieldsOf(packageRead(input, STRUCT)) as [[number, Value]];
    const answers = success.type === LIST ? success.values : [success];
    return answers.map((answer) => {
      const [[, fed]] = fieldsOf(answer) as [[number, Value]];
      const all = (fed as unknown as { values: readonly { value: number }[] }).values;
      return all.slice(PHOTO_AT, PHOTO_AT + PIXELS).map(({ value }) => value);
    });
  }

  for (const protocol of PROTOCOL_NAMES) {
    it(`is the pixels that it was made of, ${protocol}`, async () => {
      const file = await sharp(colours, { raw }).png().toBuffer();
      expect(await fedBy(callOf(protocol, 'Echoes:echo', [1, photo(file)]))).to.deep.equal([[...colours]]);
    });

    it(`stands in its own row, among raw ones, ${protocol}`, async () => {
      const grey = Buffer.alloc(PIXELS, 90),
        file = await sharp(colours, { raw }).png().toBuffer();
      const jpeg = await sharp(grey, { raw }).jpeg({ quality: 100 }).toBuffer();
      const rows = list(STRUCT, [photo(grey), photo(file), photo(colours), photo(jpeg), photo(file)]);
      const [first, second, third, fourth, fifth] = await fedBy(callOf(protocol, 'Echoes:echo_many', [1, rows]));
      expect(first).to.deep.equal([...grey]);
      for (const each of [second, third, fifth]) expect(each).to.deep.equal([...colours]);
      for (const value of fourth!) expect(value).to.be.closeTo(90, 2);
    });
  }

  it('has three channels of eight bits, whatever it has', async () => {
    const grey = await sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: '#5a5a5a' } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const clear = await sharp({
      create: { width: WIDTH, height: HEIGHT, channels: 4, background: { r: 90, g: 90, b: 90, alpha: 0.5 } },
    })
      .png()
      .toBuffer();
    const deep = await sharp(Buffer.alloc(PIXELS, 90), { raw }).toColourspace('rgb16').png().toBuffer();
    for (const file of [grey, clear, deep])
      expect(await fedBy(callOf('binary', 'Echoes:echo', [1, photo(file)]))).to.deep.equal([Array(PIXELS).fill(90)]);
  });

  it('that is broken is told of, with all others that are', async () => {
    const good = await sharp(colours, { raw }).png().toBuffer();
    const cut = good.subarray(0, good.length - 30),
      lied = png(WIDTH, HEIGHT, Buffer.from('no rows of pixels'));
    const rows = list(STRUCT, [photo(cut), photo(good), photo(lied)]);
    const error = errorOf(await nested.ask(callOf('binary', 'Echoes:echo_many', [1, rows])))!;
    expect(error).to.include({ code: types.ErrorCode.INVALID_INPUT, retryable: false });
    expect(error.problems!.map(({ path, message }) => [path, message])).to.deep.equal([
      ['rows[0].photo', 'must be a picture that can be decoded'],
      ['rows[2].photo', 'must be a picture that can be decoded'],
    ]);
  });

  it('that claims to be small and holds a gigabyte is not unpacked', async () => {
    const zipped = Buffer.concat([Buffer.from('key\0\0', 'latin1'), deflateSync(Buffer.alloc(150 << 20))]);
    const pixels = Buffer.alloc(HEIGHT * (1 + WIDTH * 3));
    const bombs = [
      png(WIDTH, HEIGHT, pixels, chunk('zTXt', zipped), chunk('zTXt', zipped), chunk('iCCP', zipped)),
      png(WIDTH, HEIGHT, Buffer.alloc(150 << 20)),
    ];
    const before = process.memoryUsage().rss;
    for (const bomb of bombs) await nested.ask(callOf('binary', 'Echoes:echo', [1, photo(bomb)]));
    expect(process.memoryUsage().rss - before).to.be.lessThan(120 << 20);
    expect(await fedBy(callOf('binary', 'Echoes:echo', [1, photo(colours)]))).to.deep.equal([[...colours]]);
  });

  it('is not decoded for a call whose time is up', async () => {
    const file = await sharp(colours, { raw }).png().toBuffer();
    const rows = list(
      STRUCT,
      Array.from({ length: 400 }, () => photo(file)),
    );
    const context = struct([2, i32(1)]);
    const error = errorOf(await nested.ask(callOf('binary', 'Echoes:echo_many', [1, rows], [2, context])))!;
    expect(error).to.include({ code: types.ErrorCode.DEADLINE_EXCEEDED, retryable: true });
  });

  it('of a caller that has gone harms nobody', async () => {
    const file = await sharp(colours, { raw }).png().toBuffer();
    const gone = await Caller.open(nested.served);
    gone.send(callOf('binary', 'Echoes:echo', [1, photo(file)]));
    gone.reset();
    expect(await fedBy(callOf('binary', 'Echoes:echo', [1, photo(file)]))).to.deep.equal([[...colours]]);
  });
});

describe('what pictures wait to be decoded', () => {
  const call = { arrivedMs: 0, deadlineMs: Number.POSITIVE_INFINITY, cancelled: () => false };

  it('has a bound, which refuses the next call and not this one', async () => {
    const file = await sharp(colours, { raw }).png().toBuffer(),
      decoder = new PictureDecoder();
    const large = { file, width: 8_192, height: 8_192, path: 'x', sensitive: false };
    const first = decoder.decode([large, large], call).catch((error: unknown) => error);
    const second = await decoder.decode([large], call).catch((error: unknown) => error);
    expect(second).to.include({ code: 'OVERLOADED', retryable: true });
    // Not the size that its caller was told it must have.
    expect(await first).to.include({ code: 'INVALID_INPUT' });
    const small = { file, width: WIDTH, height: HEIGHT, path: 'x', sensitive: false };
    expect((await decoder.decode([small], call)).map((each) => Buffer.from(each))).to.deep.equal([colours]);
  });
});

describe('a picture that is decoded', () => {
  const call = { arrivedMs: 0, deadlineMs: Number.POSITIVE_INFINITY, cancelled: () => false };
  const claimed = { width: WIDTH, height: HEIGHT, path: 'x', sensitive: false };

  it('is not unpacked where it has more pixels than its header was read to say', async () => {
    const file = await sharp({ create: { width: 300, height: 300, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const error = await new PictureDecoder().decode([{ file, ...claimed }], call).catch((raised: unknown) => raised);
    expect((error as ParleyError).problems[0]!.got).to.match(/exceeds pixel limit/);
  });

  it('is not, once its call is late', async () => {
    const late = { ...call, deadlineMs: performance.now() };
    const error = await new PictureDecoder()
      .decode([{ file: Buffer.from('nothing'), ...claimed }], late)
      .catch((raised: unknown) => raised);
    expect(error).to.include({ code: 'DEADLINE_EXCEEDED' });
  });
});

describe("a picture's header", () => {
  it('says the size of each kind of file', async () => {
    const picture = sharp({ create: { width: 301, height: 17, channels: 3, background: 'red' } });
    const size = { width: 301, height: 17 };
    expect(pictureHeader(await picture.png().toBuffer())).to.deep.equal({ format: 'png', ...size });
    for (const progressive of [false, true]) {
      const file = await picture.jpeg({ progressive }).withMetadata().toBuffer();
      expect(pictureHeader(file)).to.deep.equal({ format: 'jpeg', ...size });
    }
  });

  it('is found in nothing else, and cut anywhere ends without harm', async () => {
    const file = await sharp(colours, { raw }).jpeg().toBuffer();
    for (let length = 0; length < file.length; length++) pictureHeader(file.subarray(0, length));
    for (const other of ['', 'GIF89a', '\u0089PNG', 'RIFF0000WEBP'])
      expect(pictureHeader(Buffer.from(other, 'latin1'))).to.equal(undefined);
    expect(pictureHeader(Buffer.from('ffd8ffe000000000', 'hex'))).to.equal(undefined);
  });
});
