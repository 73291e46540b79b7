/** Uploads over a connection that breaks, and what a server says of bytes that are wrong. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { patiently, sendUpload, sourceOf } from '#parley/registry/send-upload.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { sharedRedis } from '../store/redis-server.js';
import { failure, World } from '../store/world.js';
import { BreakingProxy } from './breaking-proxy.js';
import { type Served, serve } from './served.js';

const MIB = 1 << 20;
const MODEL = 'big';

function graphOf(values: number): Uint8Array {
  const graph = new GraphBuilder();
  const data = new Float32Array(values).fill(1);
  const table = graph.constant('table', { dataType: 'float32', shape: [values, 1], data });
  graph.output('y', graph.node('Gather', [table, graph.input('x', 'int64', [-1])]), 'float32', [-1, 1]);
  return graph.serialize();
}

describe('an upload over Thrift', function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: World;
  let served: Served;
  let proxy: BreakingProxy;
  let client: ParleyClient;
  beforeEach(async () => {
    world = new World(redis);
    served = await serve(world.store);
    proxy = await BreakingProxy.listen(served);
    client = await ParleyClient.connect(proxy.address);
  });
  afterEach(async () => {
    client.close();
    await proxy.close();
    await served.close();
    await world.close();
  });

  it('goes on with the parts that are missing when its connection breaks', async () => {
    const bytes = randomBytes(24 * MIB + 5);
    proxy.breakAfterBytes = 16 * MIB;
    const progress: number[] = [];
    const onProgress = (sentBytes: number) => progress.push(sentBytes);
    const uploadId = await sendUpload(client, MODEL, sourceOf(bytes), { onProgress });
    expect(proxy.breaks).to.equal(1);
    // From the start it would be forty.
    expect(proxy.sentBytes).to.be.below(32 * MIB);
    expect(await world.readUpload(uploadId)).to.deep.equal(bytes);
    expect(progress.at(-1)).to.equal(bytes.length);
  });

  it('is published once although the reply was lost', async () => {
    const uploadId = await sendUpload(client, MODEL, sourceOf(graphOf(MIB)));
    proxy.breakAtReply = true;
    const { version } = await patiently(() => client.publish({ model: MODEL, uploadId }));
    expect(proxy.breaks).to.equal(1);
    expect((await world.store.versions(MODEL)).map((record) => record.version)).to.deep.equal([version]);
    expect(await world.store.ledger(MODEL)).to.have.length(1);
    await world.store.readVersion(MODEL, version);
  });

  it('is given up when it is cancelled', async () => {
    const cancel = new AbortController();
    proxy.breakAfterBytes = 4 * MIB;
    const source = {
      sizeBytes: 64 * MIB,
      part(offset: number, length: number) {
        if (offset >= 8 * MIB) {
          cancel.abort(new Error('cancelled'));
          client.close();
        }
        return Buffer.alloc(length);
      },
    };
    const outcome = await sendUpload(client, MODEL, source, { signal: cancel.signal }).then(
      () => 'sent',
      (error: Error) => error.message,
    );
    expect(outcome).to.match(/cancelled|aborted/);
  });

  it('that has expired is told, whatever is done with it', async () => {
    const bytes = randomBytes(3 * MIB);
    const { uploadId } = await client.beginUpload(MODEL, bytes.length);
    await client.uploadPart(uploadId, 0, bytes.subarray(0, MIB));
    await world.raw.del(world.keys.upload(MODEL, uploadId.slice(MODEL.length + 1)));
    for (const call of [
      () => client.uploadPart(uploadId, MIB, bytes.subarray(MIB, 2 * MIB)),
      () => client.publish({ model: MODEL, uploadId }),
    ]) {
      const error = await failure(call());
      expect(error.code).to.equal('NOT_FOUND');
      expect(error.message).to.include(uploadId).and.include('expired').and.include('begin again');
    }
    expect(await world.store.models()).to.deep.equal([]);
  });

  const parts: [what: string, offset: number, length: number, says: RegExp][] = [
    ['past the announced size', 2 * MIB, 1, /the offset 2097152 lies beyond the 1048586 bytes/],
    ['between two parts', 7, MIB, /the offset 7 is not a multiple of 1048576/],
    ['with more than was announced', MIB, 11, /has 11 bytes, expected 10/],
    ['with less than a part', 0, 10, /has 10 bytes, expected 1048576/],
  ];
  for (const [what, offset, length, says] of parts)
    it(`refuses a part ${what}, and takes the right one`, async () => {
      const { uploadId } = await client.beginUpload(MODEL, MIB + 10);
      const error = await failure(client.uploadPart(uploadId, offset, randomBytes(length)));
      expect(error.code).to.equal('INVALID_INPUT');
      expect(error.message).to.include(uploadId).and.match(says);
      expect(await client.uploadPart(uploadId, 0, randomBytes(MIB))).to.equal(MIB);
    });

  it('of more than two gigabytes is not begun', async () => {
    expect((await client.beginUpload(MODEL, 2 * 1024 ** 3)).partBytes).to.equal(MIB);
    const error = await failure(client.beginUpload(MODEL, 2 * 1024 ** 3 + 1));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include('2 GiB');
  });

  it('that nobody has begun is none', async () => {
    for (const uploadId of ['nonsense', `${MODEL}.${'0'.repeat(24)}`])
      expect((await failure(client.publish({ model: MODEL, uploadId }))).code).to.equal('NOT_FOUND');
  });

  it('that lacks parts is not published', async () => {
    const { uploadId } = await client.beginUpload(MODEL, 3 * MIB);
    await client.uploadPart(uploadId, MIB, randomBytes(MIB));
    const error = await failure(client.publish({ model: MODEL, uploadId }));
    expect(error.code).to.equal('INVALID_INPUT');
    expect(error.message).to.include('1048576 of 3145728 bytes are there').and.include('offsets 0, 2097152');
  });
});
