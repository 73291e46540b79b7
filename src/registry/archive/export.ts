/** Whole models as one stream of bytes: the same state makes the same bytes. */
import type { ArchiveStore, ModelSnapshot } from '../../model/archive-port.js';
import { inPieces, streamOf } from '../../model/byte-stream.js';
import { FrameWriter } from './frames.js';

const PIECE_BYTES = 1024 * 1024;

export interface ExportProgress {
  /** Told before each version. */
  onVersion?(model: string, done: number, versions: number): void;
}

/** @throws ParleyError NOT_FOUND for a model that is not there; MODEL_BROKEN for damaged bytes */
export async function* exportModels(
  store: ArchiveStore,
  models: readonly string[],
  progress: ExportProgress = {},
): AsyncGenerator<Uint8Array> {
  const names = [...new Set(models)].sort();
  const writer = new FrameWriter();
  yield writer.begin();
  yield writer.frame('archive', { models: names });
  for (const model of names) yield* exportModel(store, await store.snapshot(model), writer, progress);
  yield writer.seal('end');
}

async function* exportModel(
  store: ArchiveStore,
  snapshot: ModelSnapshot,
  writer: FrameWriter,
  progress: ExportProgress,
): AsyncGenerator<Uint8Array> {
  const { model, epoch, versions, fixtures } = snapshot;
  yield writer.frame('model', snapshot);
  for (const digest of fixtures) {
    const bytes = await store.fixturesBytes(model, digest);
    yield writer.frame('fixtures', { digest, sizeBytes: bytes.length });
    for await (const piece of inPieces(streamOf(bytes).parts(), PIECE_BYTES)) yield writer.frame('bytes', piece);
  }
  for (const [index, { version, sizeBytes }] of versions.entries()) {
    progress.onVersion?.(model, index, versions.length);
    yield writer.frame('version', { digest: version, sizeBytes });
    // However the store keeps them.
    for await (const piece of inPieces(store.versionBytes(model, version), PIECE_BYTES))
      yield writer.frame('bytes', piece);
  }
  for await (const page of store.ledgerLines(model, epoch)) yield writer.frame('ledger', page);
  yield writer.seal('model end');
}
