/**
 * A graph with one big initializer: `y = Gather(table, x)`, as an embedding is. Written piece by piece, as protocol
 * buffers, so that nothing of its size is in memory.
 */
import { randomFillSync } from 'node:crypto';

const WIDTH = 1024; // float32 values of a row of the table
const FLOAT = 1,
  INT64 = 7;
const PIECE_BYTES = 1 << 20;

const text = (value) => Buffer.from(value);

function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const number = (id, value) => Buffer.concat([varint(id * 8), varint(value)]);
const head = (id, length) => Buffer.concat([varint(id * 8 + 2), varint(length)]);
const around = (id, ...parts) =>
  Buffer.concat([
    head(
      id,
      parts.reduce((sum, part) => sum + part.length, 0),
    ),
    ...parts,
  ]);

function value(name, type, dims) {
  const shape = dims.map((dim) => around(1, typeof dim === 'number' ? number(1, dim) : around(2, text(dim))));
  return Buffer.concat([around(1, text(name)), around(2, around(1, number(1, type), around(2, ...shape)))]);
}

/**
 * @param sizeBytes about so many
 * @param seed another one makes other bytes, and therefore another version
 * @returns `{ sizeBytes, pieces() }`
 */
export function bigGraph(sizeBytes, seed) {
  const rows = Math.max(1, Math.floor(sizeBytes / (WIDTH * 4))),
    weightBytes = rows * WIDTH * 4;
  const node = around(
    1,
    around(1, text('table')),
    around(1, text('x')),
    around(2, text('y')),
    around(4, text('Gather')),
  );
  const tensorHead = Buffer.concat([
    number(1, rows),
    number(1, WIDTH),
    number(2, FLOAT),
    around(8, text('table')),
    head(9, weightBytes),
  ]);
  const initializer = head(5, tensorHead.length + weightBytes);
  const rest = Buffer.concat([around(11, value('x', INT64, ['rows'])), around(12, value('y', FLOAT, ['rows', WIDTH]))]);
  const graphBytes =
    node.length + around(2, text('g')).length + initializer.length + tensorHead.length + weightBytes + rest.length;
  const before = Buffer.concat([
    number(1, 8),
    around(8, around(1), number(2, 17)),
    head(7, graphBytes),
    node,
    around(2, text('g')),
    initializer,
    tensorHead,
  ]);
  return {
    sizeBytes: before.length + weightBytes + rest.length,
    *pieces() {
      yield before;
      const piece = randomFillSync(Buffer.alloc(Math.min(PIECE_BYTES, weightBytes)));
      for (let at = 0; at < weightBytes; at += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, weightBytes - at));
        // Small finite numbers, and no two pieces alike.
        for (let i = 3; i < part.length; i += 4) part[i] = 0x3c;
        part.writeUInt32LE((seed * 65_536 + at / piece.length) & 0x3fffffff, 0);
        yield part;
      }
      yield rest;
    },
  };
}
