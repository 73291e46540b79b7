/** What bench/registry measures, one function each. Times are milliseconds. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { encodeEnvelope } from '../dist/model-types/envelope.js';
import { GraphBuilder } from '../dist/onnx/graph.js';
import { inspectGraph } from '../dist/onnx/reader.js';
import { Session } from '../dist/onnx/session.js';
import { sendUpload, sourceOf } from '../dist/registry/send-upload.js';
import { ParleyClient } from '../dist/rpc/client/parley-client.js';
import { Batcher } from '../dist/serving/batcher.js';
import { Factory } from '../dist/serving/factory.js';
import { bigGraph } from './big-graph.mjs';

const PIECE_BYTES = 1 << 20;
const IN_FLIGHT = 4;
const SEEN_WITHIN_MS = 10_000;

export async function timed(work) {
  const begin = performance.now();
  const result = await work();
  return [performance.now() - begin, result];
}

/** One round of one size: SET, publish, GET, load. @returns MB/s of each, and the runtime's share of loading */
export async function transfer({ store, registry }, megabytes, seed) {
  const bytes = whole(bigGraph(megabytes * 1e6, seed));
  const perSecond = (ms) => bytes.length / 1e3 / ms;
  const redis = new Redis({ path: store.address.path, protocol: 2, replyMapping: 'legacy', enableReadyCheck: false });
  const model = `big${megabytes}`,
    pieces = Math.ceil(bytes.length / PIECE_BYTES);
  try {
    const [setMs] = await timed(() =>
      lanes(pieces, (i) => redis.set(`bench:${i}`, bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES))),
    );
    const [publishMs, version] = await timed(async () => {
      const uploadId = await sendUpload(registry, model, sourceOf(bytes));
      return (await registry.publish({ model, uploadId })).version;
    });
    const [getMs] = await timed(() => lanes(pieces, (i) => redis.getBuffer(`bench:${i}`)));
    const factory = new Factory(store, new Batcher());
    const [loadMs] = await timed(() => factory.load(model, version));
    factory.close();
    const [sessionMs, session] = await timed(() => Session.load(bytes));
    session.release();
    return {
      set: perSecond(setMs),
      publish: perSecond(publishMs),
      get: perSecond(getMs),
      load: perSecond(loadMs),
      runtimeShare: Math.min(1, sessionMs / loadMs),
    };
  } finally {
    await lanes(pieces, (i) => redis.unlink(`bench:${i}`));
    redis.disconnect();
    await registry.prune({ model, keep: 0 });
  }
}

function whole(graph) {
  const bytes = Buffer.allocUnsafeSlow(graph.sizeBytes);
  let at = 0;
  for (const piece of graph.pieces()) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function lanes(count, work) {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
}

/** A model of about 10 KB: x · w. */
export function smallEnvelope(seed) {
  const graph = new GraphBuilder(),
    width = 2_500;
  const data = Float32Array.from({ length: width }, (_, i) => Math.sin(seed + i));
  const w = graph.constant('w', { dataType: 'float32', shape: [width, 1], data });
  graph.output('y', graph.node('MatMul', [graph.input('x', 'float32', [-1, width]), w]), 'float32', [-1, 1]);
  const bytes = graph.serialize();
  return encodeEnvelope({
    modelType: 'tensor',
    graph: bytes,
    signature: inspectGraph(bytes).signature,
    metadata: {},
  });
}

/** Past the pipeline, which would take a process a model. */
export async function place(store, model, bytes, promote) {
  const version = createHash('sha256').update(bytes).digest('hex');
  const by = { actor: 'bench', model };
  await store.publishVersion({ ...by, bytes, record: { version, modelType: 'tensor', metrics: {} } });
  if (promote) await store.moveAlias({ ...by, version, aliasName: 'production', action: 'promote' });
  return version;
}

/** Promotes two versions in turn. @returns of each promotion how long the call took, and when the server had followed */
export async function moves({ store, registry }, server, count) {
  const model = 'moved';
  const versions = [
    await place(store, model, smallEnvelope(1), true),
    await place(store, model, smallEnvelope(2), false),
  ];
  const client = await ParleyClient.connect(server);
  try {
    const found = [];
    for (let i = -4; i < count; i++) {
      const version = versions[Math.abs(i + 1) % 2];
      const begin = performance.now();
      await registry.promote({ model, version });
      const promote = performance.now() - begin;
      const seen = await seenAfter(client, model, version, begin);
      // The first load both versions.
      if (i >= 0) found.push({ promote, seen });
    }
    return found;
  } finally {
    client.close();
  }
}

async function seenAfter(client, model, version, begin) {
  for (;;) {
    const described = await client.describe(model, 'production').catch((error) => {
      if (error.code !== 'NOT_FOUND') throw error;
    });
    const ms = performance.now() - begin;
    if (described?.version === version) return ms;
    if (ms > SEEN_WITHIN_MS) throw new Error(`a promotion was not seen within ${SEEN_WITHIN_MS / 1000} s`);
  }
}

export const residentMegabytes = (pid) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1e3;
