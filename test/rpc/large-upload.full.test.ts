/** A version of 300 MB through a real server: what its process may hold of it on the way. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { patiently, sendUpload } from '#parley/registry/send-upload.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { openStore } from '#parley/store/connect.js';
import { Place } from '../road/parley.js';
import { skip } from '../skip.js';
import { message, tensorType, value } from '../unit/onnx/wire.js';

const MIB = 1 << 20;
const ROWS = 300,
  WIDTH = MIB / 4;
/** Of the server's process while 300 MiB pass through it: a few parts, and the 64 MiB after which V8 collects buffers. */
const ROOM_MIB = 100;

/** Peak of the resident memory, in MiB. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** `y = Gather(table, x)` without the table's bytes: what stands before and behind them. */
function around(weightBytes: number): { readonly before: Uint8Array; readonly behind: Uint8Array } {
  const node = message([1, 'table'], [1, 'x'], [2, 'y'], [4, 'Gather']);
  const behind = message([11, value('x', tensorType(7, ['n']))], [12, value('y', tensorType(1, ['n', WIDTH]))]);
  const head = (number: number, length: number) => {
    // The length of an empty field is its last byte.
    const varint: number[] = [];
    for (let rest = length; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return Uint8Array.of(number * 8 + 2, ...varint, rest);
      varint.push((rest % 128) + 128);
    }
  };
  const tensor = Buffer.concat([message([1, ROWS], [1, WIDTH], [2, 1], [8, 'table']), head(9, weightBytes)]);
  const graph = Buffer.concat([message([1, node], [2, 'g']), head(5, tensor.length + weightBytes), tensor]);
  const size = graph.length + weightBytes + behind.length;
  return {
    before: Buffer.concat([message([1, 8], [8, message([1, ''], [2, 17])]), head(7, size), graph]),
    behind,
  };
}

describe('a version of 300 MB', function () {
  this.timeout(300_000);
  let place: Place;
  before(() => {
    place = new Place();
  });
  after(() => place.leave());

  it('passes through a server that holds a few parts of it, and loads', async function () {
    if (process.platform !== 'linux') skip(this, 'the peak of a process is read from /proc');
    const server = await place.serve();
    const pid = server.child.pid!;
    const client = await ParleyClient.connect(server);
    // What the first publication needs of the server anyhow.
    const { before: small, behind: end } = around(0);
    const empty = Buffer.concat([small, end]);
    await client
      .publish({
        model: 'none',
        uploadId: await sendUpload(client, 'none', {
          sizeBytes: empty.length,
          part: (offset, length) => empty.subarray(offset, offset + length),
        }),
      })
      .catch(() => {});
    const weightBytes = ROWS * MIB,
      { before, behind } = around(weightBytes);
    const sizeBytes = before.length + weightBytes + behind.length;
    const part = (offset: number, length: number): Uint8Array => {
      const bytes = Buffer.alloc(length, offset / MIB);
      if (offset === 0) bytes.set(before);
      const tail = sizeBytes - behind.length;
      if (offset + length > tail) bytes.set(behind.subarray(Math.max(0, offset - tail)), Math.max(0, tail - offset));
      return bytes;
    };
    const peak = peakOf(pid);
    const uploadId = await sendUpload(client, 'large', { sizeBytes, part });
    const uploaded = peakOf(pid);
    const { version } = await patiently(() => client.publish({ model: 'large', uploadId }));
    const published = peakOf(pid);
    const said = `${peak} MiB before, ${uploaded} after the upload, ${published} after the publication`;
    expect(published - peak, said).to.be.below(ROOM_MIB);
    client.close();
    const store = await openStore({ dataFolder: place.dataFolder });
    try {
      const record = await store.version('large', version);
      expect(record?.sizeBytes).to.be.above(sizeBytes);
      let received = 0;
      // Verified as it is read.
      for await (const piece of (await store.openVersion('large', version)).parts()) received += piece.length;
      expect(received).to.equal(record?.sizeBytes);
    } finally {
      await store.close();
    }
  });
});
