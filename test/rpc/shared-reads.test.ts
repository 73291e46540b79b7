import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { readIntoShared } from '#parley/rpc/shared-reads.js';

describe('reads into a shared buffer', () => {
  let server: Server, accepted: Promise<Socket>, caller: Socket;
  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true });
    accepted = once(server, 'connection').then(([socket]) => socket as Socket);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    caller = connect((server.address() as AddressInfo).port, '127.0.0.1');
  });
  afterEach(() => {
    caller.destroy();
    server.close();
  });

  it("is what a server's sockets do with this Node, and `data` is not told", async () => {
    const socket = await accepted,
      buffers = new Set<ArrayBufferLike>();
    let text = '',
      events = 0;
    expect(
      readIntoShared(socket, (buffer, length) => {
        buffers.add(buffer.buffer);
        text += buffer.toString('latin1', 0, length);
        return true;
      }),
    ).to.equal(true);
    socket.on('data', () => events++);
    const words = Array.from({ length: 20 }, (_, i) => `word ${i};`);
    for (const word of words) {
      caller.write(word);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    caller.end();
    await once(socket, 'end');
    expect(text).to.equal(words.join(''));
    expect([buffers.size, events]).to.deep.equal([1, 0]);
    socket.destroy();
  });

  it('takes what is larger than the buffer, in order, and stops while the socket is paused', async () => {
    const socket = await accepted,
      sent = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 31 + (i >> 8))),
      got: Buffer[] = [];
    let paused = false,
      whilePaused = 0;
    readIntoShared(socket, (buffer, length) => {
      if (paused) whilePaused++;
      got.push(Buffer.from(buffer.subarray(0, length)));
      if (got.length % 8 !== 0) return true;
      paused = true;
      socket.pause();
      setTimeout(() => {
        paused = false;
        socket.resume();
      }, 5);
      return true;
    });
    caller.end(sent);
    await once(socket, 'end');
    expect(Buffer.concat(got).equals(sent)).to.equal(true);
    // What the kernel had already handed over when reading was stopped.
    expect(whilePaused).to.be.below(got.length / 2);
    socket.destroy();
  });

  it('leaves alone what is no plain socket, and what has been read from already', async () => {
    expect(readIntoShared(new PassThrough() as never, () => true)).to.equal(false);
    const socket = await accepted;
    caller.write('early');
    await once(socket, 'readable');
    expect(readIntoShared(socket, () => true)).to.equal(false);
    expect(socket.read().toString()).to.equal('early');
    socket.destroy();
  });
});
