import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { allocate, type DataType, type TensorData } from '#parley/model/tensor.js';
import { type Results, Session } from '#parley/onnx/session.js';
import { ArrivingFrames } from '#parley/serving/lanes/frame-readers.js';
import { type Frame, KIND, Reader, runFrame } from '#parley/serving/lanes/frames.js';
import { Lane } from '#parley/serving/lanes/lane.js';
import { LaneSession } from '#parley/serving/lanes/lane-session.js';
import { PATIENCE } from '#parley/serving/lanes/patience.js';
import { Strikes } from '#parley/serving/lanes/strikes.js';
import { EVERY_TYPE, everyType, feeds } from './graphs.js';

/** Any values of the type: the bits of numbers as they come, NaNs among them. */
function valuesOf(type: DataType, count: number): fc.Arbitrary<TensorData> {
  // What is no Unicode becomes another character on the way into the runtime, wherever it is.
  if (type === 'string')
    return fc.array(fc.string({ unit: 'binary', maxLength: 9 }), { minLength: count, maxLength: count });
  if (type === 'bool') return fc.uint8Array({ minLength: count, maxLength: count, max: 1 });
  const empty = allocate(type, count) as Uint8Array;
  return fc.uint8Array({ minLength: empty.byteLength, maxLength: empty.byteLength }).map((bytes) => {
    const data = allocate(type, count) as Uint8Array;
    Buffer.from(data.buffer).set(bytes);
    return data;
  });
}

type Sample = readonly [DataType, TensorData, readonly number[]];

const tensor = (type: DataType): fc.Arbitrary<Sample> =>
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) =>
    valuesOf(
      type,
      shape.reduce((a, b) => a * b, 1),
    ).map((data) => [type, data, shape] as const),
  );

const tensors: fc.Arbitrary<Readonly<Record<string, Sample>>> = fc.record(
  Object.fromEntries(EVERY_TYPE.map((type) => [type, tensor(type)])),
);

const plain = (results: Results) =>
  EVERY_TYPE.map((type) => {
    const { type: told, dims, data } = results[`same ${type}`]!;
    const bytes = Array.isArray(data)
      ? data
      : Buffer.from(
          (data as Uint8Array).buffer,
          (data as Uint8Array).byteOffset,
          (data as Uint8Array).byteLength,
        ).toString('hex');
    return [type, told, [...dims], bytes];
  });

describe("a lane's framing", () => {
  describe('to a real lane and back', () => {
    let folder: string, lane: Lane, session: LaneSession, inline: Session;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'framing-'));
      const file = join(folder, 'graph.onnx');
      writeFileSync(file, everyType);
      const strikes = new Strikes();
      const log = { info: () => {}, warn: () => {} };
      lane = new Lane({ folder, nice: 0, patience: PATIENCE, strikes, log });
      session = await LaneSession.load(lane, { id: 7, name: 'every type', file, mostRowMs: 0 }, strikes, () => {});
      inline = await Session.load(everyType);
    });
    after(async () => {
      inline.release();
      await lane.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('knows the signature as inline', () => {
      expect(session.signature).to.deep.equal(inline.signature);
    });

    it('keeps every type, shape and value as inline', async () => {
      await fc.assert(
        fc.asyncProperty(tensors, async (samples) => {
          const [there, here] = [await session.runOnce(feeds(samples)), await inline.runOnce(feeds(samples))];
          expect(plain(there)).to.deep.equal(plain(here));
        }),
        { numRuns: 60 },
      );
    });

    it('answers what was asked, in the order of the calls, however many at once', async () => {
      const only = (text: string) =>
        feeds(
          Object.fromEntries(
            EVERY_TYPE.map((type): [string, Sample] =>
              type === 'string' ? [type, [type, [text], [1]]] : [type, [type, allocate(type, 0), [0]]],
            ),
          ),
        );
      const answered: string[] = [];
      await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const results = await session.runOnce(only(`é${i}`), ['same string']);
          expect(Object.keys(results)).to.deep.equal(['same string']);
          answered.push(results['same string']!.data[0] as string);
        }),
      );
      expect(answered).to.deep.equal(Array.from({ length: 50 }, (_, i) => `é${i}`));
    });

    it('takes tensors larger than any buffer on the way', async () => {
      const data = Float32Array.from({ length: 3 << 20 }, (_, i) => i);
      const samples = Object.fromEntries(
        EVERY_TYPE.map((type): [string, Sample] =>
          type === 'float32' ? [type, [type, data, [3, 1 << 20]]] : [type, [type, allocate(type, 0), [0]]],
        ),
      );
      const { data: same, dims } = (await session.runOnce(feeds(samples)))['same float32']!;
      expect([...dims]).to.deep.equal([3, 1 << 20]);
      expect(
        Buffer.compare(
          Buffer.from((same as Float32Array).buffer, (same as Float32Array).byteOffset, data.byteLength),
          Buffer.from(data.buffer),
        ),
      ).to.equal(0);
    });

    it('does not read the feeds any more when `run` has returned', async () => {
      const data = Float32Array.of(1, 2, 3);
      const samples = Object.fromEntries(
        EVERY_TYPE.map((type): [string, Sample] =>
          type === 'float32' ? [type, [type, data, [3]]] : [type, [type, allocate(type, 0), [0]]],
        ),
      );
      const under = session.runOnce(feeds(samples));
      data.fill(9);
      expect([...((await under)['same float32']!.data as Float32Array)]).to.deep.equal([1, 2, 3]);
    });
  });

  it('finds the frames in whatever pieces they arrive', () => {
    const bodyOf = (frame: Frame) => {
      const reader = new Reader(frame);
      const [count, fetches] = [reader.word(), reader.word()];
      return { session: frame.session, fetches: reader.words(fetches), pieces: reader.pieces(count) };
    };
    const piece = tensor('string').chain(([, data, shape]) =>
      fc.nat(9).map((slot) => ({ slot, dataType: 'string' as const, data, shape: [...shape] })),
    );
    const runs = fc.array(fc.tuple(fc.nat(), fc.array(piece, { maxLength: 3 }), fc.array(fc.nat(), { maxLength: 5 })), {
      minLength: 1,
      maxLength: 4,
    });
    const sound = (text: string) => Buffer.from(text, 'utf8').toString('utf8');
    fc.assert(
      fc.property(runs, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (all, cuts) => {
        const bytes = Buffer.concat(all.map(([session, pieces, fetches]) => runFrame(session, pieces, fetches)));
        const found: Frame[] = [];
        const frames = new ArrivingFrames((frame) => found.push(frame));
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length]!;
          frames.take(bytes.subarray(at, at + size));
          at += size;
        }
        expect(found.map(({ kind }) => kind)).to.deep.equal(all.map(() => KIND.run));
        expect(found.map(bodyOf)).to.deep.equal(
          all.map(([session, pieces, fetches]) => ({
            session,
            fetches,
            pieces: pieces.map((each) => ({ ...each, data: (each.data as string[]).map(sound) })),
          })),
        );
      }),
      { numRuns: 15 },
    );
  });
});
