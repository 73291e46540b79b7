/** Readers and writers of both protocols against the `thrift` package's own. */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  BOOL,
  BYTE,
  CALL,
  DOUBLE,
  I16,
  I32,
  I64,
  LIST,
  MAP,
  MAX_DEPTH,
  Malformed,
  ONEWAY,
  SET,
  STOP,
  STRING,
  STRUCT,
  UUID,
} from '#parley/rpc/wire/protocol.js';
import {
  asRead,
  encode,
  PROTOCOL_NAMES,
  PROTOCOLS,
  type ProtocolName,
  packageRead,
  packageReader,
  packageWrite,
  packageWriter,
  read,
  readerOf,
  structs,
  type Value,
  values,
} from './wire-values.js';

const RUNS = { numRuns: 150 };

const packageBytes = (protocol: ProtocolName, value: Value): Buffer => {
  const { output, bytes } = packageWriter(protocol);
  packageWrite(output, value);
  return bytes();
};

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

for (const protocol of PROTOCOL_NAMES) {
  const malformed = (bytes: Buffer, type: number) =>
    expect(() => readerOf(protocol, bytes, 0, 64).skip(type), bytes.toString('hex').slice(0, 80)).to.throw(Malformed);

  describe(`the ${protocol} protocol`, () => {
    it('is written byte for byte as the thrift package writes it', () => {
      fc.assert(
        fc.property(structs, (value) => {
          expect(encode(protocol, value).toString('hex')).to.equal(packageBytes(protocol, value).toString('hex'));
        }),
        RUNS,
      );
    });

    it('is read as the thrift package wrote it', () => {
      fc.assert(
        fc.property(structs, (value) => {
          const reader = readerOf(protocol, packageBytes(protocol, value), 3, 9);
          expect(read(reader, STRUCT)).to.deep.equal(asRead(protocol, value));
          expect(reader.at).to.equal(reader.end);
        }),
        RUNS,
      );
    });

    it('is written so that the thrift package reads it', () => {
      fc.assert(
        fc.property(structs, (value) => {
          expect(packageRead(packageReader(protocol, encode(protocol, value)), STRUCT)).to.deep.equal(
            asRead(protocol, value, 'lost'),
          );
        }),
        RUNS,
      );
    });

    it('is skipped exactly to the end of any value', () => {
      fc.assert(
        fc.property(values, (value) => {
          const reader = readerOf(protocol, encode(protocol, value), 5, 7);
          reader.skip(value.type);
          expect(reader.at).to.equal(reader.end);
        }),
        RUNS,
      );
    });

    it('is malformed when anything of a struct is cut off, read or skipped', () => {
      fc.assert(
        fc.property(structs, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, share) => {
          const whole = encode(protocol, value);
          const part = whole.subarray(0, Math.floor(whole.length * share));
          expect(() => readerOf(protocol, part, 0, 64).skip(STRUCT)).to.throw(Malformed);
          expect(() => read(readerOf(protocol, part, 0, 64), STRUCT)).to.throw(Malformed);
        }),
        RUNS,
      );
    });

    it('is skipped or malformed, and nothing else, whatever the bytes are', () => {
      const types = fc.constantFrom(
        STOP,
        1,
        BOOL,
        BYTE,
        DOUBLE,
        I16,
        I32,
        I64,
        STRING,
        STRUCT,
        MAP,
        SET,
        LIST,
        UUID,
        77,
      );
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), types, (bytes, type) => {
          const reader = readerOf(protocol, Buffer.from(bytes), 0, 64);
          try {
            reader.skip(type);
          } catch (error) {
            expect(error).to.be.instanceOf(Malformed);
          }
          expect(reader.at).to.be.at.most(reader.end);
        }),
        { numRuns: 3_000 },
      );
    });

    it('takes a message header as the thrift package does, both ways', () => {
      const names = fc.string({ maxLength: 40, unit: 'grapheme' });
      const types = fc.integer({ min: CALL, max: ONEWAY });
      fc.assert(
        fc.property(names, types, fc.integer(), (name, type, sequenceId) => {
          const { output, bytes } = packageWriter(protocol);
          output.writeMessageBegin(name, type, sequenceId);
          const theirs = Buffer.from(bytes());
          const writer = new PROTOCOLS[protocol].Writer();
          writer.messageBegin(Buffer.from(name), type, sequenceId);
          expect(writer.buffer.subarray(0, writer.at).toString('hex')).to.equal(theirs.toString('hex'));
          const reader = readerOf(protocol, theirs, 2, 2);
          reader.messageBegin();
          const { messageType, nameAt, nameLength, at, end } = reader;
          expect({ messageType, sequence: reader.sequenceId, at }).to.deep.equal({
            messageType: type,
            sequence: sequenceId,
            at: end,
          });
          expect(reader.buffer.toString('utf8', nameAt, nameAt + nameLength)).to.equal(name);
        }),
        RUNS,
      );
    });

    it('keeps every i64 of up to 2^53 either way', () => {
      for (const value of [2 ** 53, -(2 ** 53), 2 ** 52 + 1, -(2 ** 40) + 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 0, -1])
        expect(readerOf(protocol, encode(protocol, { type: I64, value })).i64()).to.equal(value);
    });

    it('keeps every bit of a double', () => {
      for (const value of [-0, Number.MIN_VALUE, -Number.MAX_VALUE, Number.EPSILON, 1 / 3])
        expect(Object.is(readerOf(protocol, encode(protocol, { type: DOUBLE, value })).double(), value)).to.equal(true);
    });

    it('is refused when nested deeper than the limit, in structs, lists and maps', () => {
      const around = (value: Value, depth: number, type: typeof STRUCT | typeof LIST | typeof MAP): Value => {
        let inner = value;
        for (let i = 0; i < depth; i++) {
          if (type === STRUCT) inner = { type, fields: [[1, inner]] };
          else if (type === LIST) inner = { type, element: inner.type, values: [inner] };
          else inner = { type, key: BYTE, element: inner.type, entries: [[{ type: BYTE, value: 1 }, inner]] };
        }
        return inner;
      };
      for (const type of [STRUCT, LIST, MAP] as const) {
        const fits = encode(protocol, around({ type: BYTE, value: 1 }, MAX_DEPTH, type));
        readerOf(protocol, fits).skip(type);
        malformed(encode(protocol, around({ type: BYTE, value: 1 }, MAX_DEPTH + 1, type)), type);
      }
    });

    it('is refused when a million structs are nested', () => {
      const header = protocol === 'binary' ? hex('0c0001') : hex('1c');
      malformed(Buffer.alloc(1_000_000 * header.length, header), STRUCT);
    });
  });
}

describe('the binary protocol', () => {
  it('refuses what claims more than there is, or less than nothing', () => {
    const cases: readonly (readonly [string, number, string])[] = [
      ['a string of -1 bytes', STRING, 'ffffffff'],
      ['a string of 2^31 - 1 bytes', STRING, '7fffffff 00'],
      ['a list of -1', LIST, '03 ffffffff'],
      ['a list of 2^31 - 1 bytes', LIST, '03 7fffffff 00'],
      ['a list of 2 doubles in 15 bytes', LIST, `04 00000002 ${'00'.repeat(15)}`],
      ['a set of 3 empty structs in 2 bytes', SET, '0c 00000003 0000'],
      ['a map of -2^31', MAP, '0308 80000000'],
      ['a map of 2 entries in 9 bytes', MAP, `0308 00000002 ${'00'.repeat(9)}`],
      ['a list of STOP', LIST, '00 00000001 00'],
      ['a list of void', LIST, '01 00000001 00'],
      ['a list of type 5', LIST, '05 00000001 00'],
      ['a map with keys of type 99', MAP, '6303 00000001 0000'],
      ['a field of type 5', STRUCT, '05 0001 00 00'],
      ['a struct without an end', STRUCT, '03 0001 07'],
      ['a uuid of 15 bytes', UUID, '00'.repeat(15)],
    ];
    for (const [name, type, bytes] of cases)
      expect(() => readerOf('binary', hex(bytes), 0, 64).skip(type), name).to.throw(Malformed);
  });

  it('takes an empty container of no type, as some libraries write it', () => {
    for (const [type, bytes] of [
      [LIST, '00 00000000'],
      [MAP, '0000 00000000'],
    ] as const) {
      const reader = readerOf('binary', hex(bytes), 0, 64);
      reader.skip(type);
      expect(reader.at).to.equal(reader.end);
    }
  });

  it('refuses other versions and the header without one', () => {
    for (const bytes of ['80020001 00000000 00000000', '00000007 70726564696374 01 00000000', '7fffffff', '80'])
      expect(() => readerOf('binary', hex(bytes)).messageBegin()).to.throw(Malformed);
  });
});

describe('the compact protocol', () => {
  it('refuses what claims more than there is, or less than nothing', () => {
    const cases: readonly (readonly [string, number, string])[] = [
      ['a string of 2^32 - 1 bytes', STRING, 'ffffffff0f 00'],
      ['a string of 2^35 bytes and one', STRING, '8180808010 00'],
      ['a string of 2^32 bytes and one, in ten bytes', STRING, '81808080908080808000 00'],
      ['a list of 2^31 - 1 bytes', LIST, 'f3 ffffffff07 00'],
      ['a list of 2^32 structs', LIST, 'fc 8080808010'],
      ['a list of 2 doubles in 15 bytes', LIST, `27 ${'00'.repeat(15)}`],
      ['a set of 3 empty structs in 2 bytes', SET, '3c 0000'],
      ['a map of 2^32 - 1', MAP, 'ffffffff0f 33 00'],
      ['a map of 2^32 entries', MAP, '8080808010'],
      ['a map of 2 entries in 3 bytes', MAP, '02 33 000000'],
      ['a list of STOP', LIST, '10 00'],
      ['a list of type 14', LIST, '1e 00'],
      ['a map with values of type 15', MAP, '01 3f 0000'],
      ['a field of type 14', STRUCT, '1e 00 00'],
      ['a struct without an end', STRUCT, '13 07'],
      ['an i32 of eleven bytes', I32, `${'80'.repeat(10)}00`],
      ['an i64 of eleven bytes', I64, `${'80'.repeat(10)}00`],
      ['a varint without an end', I64, '8080'],
      ['a uuid of 15 bytes', UUID, '00'.repeat(15)],
    ];
    for (const [name, type, bytes] of cases)
      expect(() => readerOf('compact', hex(bytes), 0, 64).skip(type), name).to.throw(Malformed);
  });

  it('writes what is no number as the i64 0, as the binary protocol does', () => {
    for (const value of [Number.NaN, Infinity, -Infinity])
      expect(readerOf('compact', encode('compact', { type: I64, value })).i64()).to.equal(0);
  });

  it('takes a negative i32 that was written as 64 bits', () => {
    expect(readerOf('compact', hex('ffffffffffffffffff01')).i32()).to.equal(-(2 ** 31));
  });

  it('keeps the value of a bool in a field apart from those in the list behind it', () => {
    const value: Value = {
      type: STRUCT,
      fields: [
        [1, { type: BOOL, value: true }],
        [2, { type: LIST, element: BOOL, values: [false, true].map((each) => ({ type: BOOL, value: each })) }],
        [3, { type: BOOL, value: false }],
      ],
    };
    expect(read(readerOf('compact', encode('compact', value)), STRUCT)).to.deep.equal(value);
  });

  it('counts field ids on from the struct around a skipped one', () => {
    const inner: Value = { type: STRUCT, fields: [[9, { type: I16, value: 1 }]] };
    const bytes = encode('compact', {
      type: STRUCT,
      fields: [
        [4, inner],
        [5, { type: BYTE, value: 7 }],
      ],
    });
    const reader = readerOf('compact', bytes);
    reader.structBegin();
    reader.skip(reader.field());
    expect([reader.field(), reader.fieldId, reader.byte()]).to.deep.equal([BYTE, 5, 7]);
  });

  it('refuses other versions and an id that is not its own', () => {
    for (const bytes of ['82 22 00 00', '81 21 00 00', '82'])
      expect(() => readerOf('compact', hex(bytes)).messageBegin()).to.throw(Malformed);
  });
});
