import { expect } from 'chai';
import { FIRST_SEQUENCE, type Protocol, predictFrame, SEQUENCES } from '#parley/load/frames.js';
import { replyReader } from '#parley/load/replies.js';
import { BinaryReader } from '#parley/rpc/wire/binary.js';
import { CompactReader } from '#parley/rpc/wire/compact.js';
import { CALL } from '#parley/rpc/wire/protocol.js';

const inputs = { x: { dataType: 'float32', shape: [1, 2], data: Float32Array.of(1, 2) } } as const;

describe('a request that is sent many times', () => {
  for (const protocol of ['binary', 'compact'] as Protocol[]) {
    it(`has its sequence id written over without moving anything else: ${protocol}`, () => {
      const frame = predictFrame(protocol, { model: 'scores', inputs }),
        sent = Buffer.concat([Buffer.alloc(7), frame]);
      const replies = replyReader(protocol),
        reader = protocol === 'binary' ? new BinaryReader() : new CompactReader();
      for (const offset of [0, 1, 127, 128, 2 ** 20, SEQUENCES / 2 + 77, SEQUENCES - 1]) {
        const sequence = FIRST_SEQUENCE + offset;
        replies.stamp(sent, 7, sequence);
        reader.reset(sent, 11, sent.length);
        reader.messageBegin();
        expect(reader.sequenceId).to.equal(sequence);
        expect(reader.messageType).to.equal(CALL);
        expect(sent.toString('latin1', reader.nameAt, reader.nameAt + reader.nameLength)).to.equal('predict');
        expect(sent.subarray(reader.at).equals(frame.subarray(reader.at - 7))).to.equal(true);
        expect(sent.length).to.equal(frame.length + 7);
      }
    });
  }
});
