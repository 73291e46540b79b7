/**
 * The version that the alias `shadow` leads to: asked what production answered, off the callers' road, and compared.
 *
 * Rows are copied when production has answered them, and asked when the loop has nothing to do for callers, a fraction of a
 * millisecond's worth at a time. What does not fit into the queue is dropped and counted. Answers are never sent, and
 * count for no model's calls. One a model and version.
 */
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { TensorData } from '../model/tensor.js';
import type { Version } from '../model/version.js';
import type { Feeds, Results } from '../onnx/session.js';
import { runtimeTensor } from '../onnx/session.js';
import type { Batch } from './batch.js';
import type { Answers, Batcher } from './batcher.js';
import { type Servable, type Slot, valuesOf } from './servable.js';
import { compareRows, incomparability, ShadowCounts } from './shadow-comparison.js';

/** What waits to be asked. */
const MOST_ROWS = 8_192,
  MOST_BYTES = 32 << 20;
/** Of a batch of the version's own; the loop is held for a quarter of what a batch may hold it. */
const SHARE_OF_BATCH = 4;
/** While callers keep the loop busier than this, the shadow rests. */
const BUSY = 0.85,
  REST_MS = 20;
/** Between two tries to load the version. */
const RETRY_MS = 1_000;
/** Pairs of versions whose counts are kept. */
const MOST_PAIRS = 16;

/** Rows that production answered. */
interface Answered {
  readonly counts: ShadowCounts;
  readonly servable: Servable;
  readonly outputs: readonly Slot[];
  readonly columns: readonly TensorData[];
  readonly values: readonly TensorData[];
  readonly rows: number;
  readonly bytes: number;
  /** Rows that were asked. */
  done: number;
}

/** A model's: held by all its servables, so that what production answers finds its shadow. */
export class Shadowing {
  active: Shadow | undefined;
  readonly #counts = new Map<string, ShadowCounts>();

  /** Of the pairs of versions that were compared last. */
  get counts(): readonly ShadowCounts[] {
    return [...this.#counts.values()];
  }

  countsOf(model: string, version: Version, shadow: Version): ShadowCounts {
    const key = `${version} ${shadow}`;
    let counts = this.#counts.get(key);
    if (counts === undefined) {
      this.#counts.set(key, (counts = new ShadowCounts(model, version, shadow)));
      if (this.#counts.size > MOST_PAIRS) this.#counts.delete(this.#counts.keys().next().value!);
    }
    return counts;
  }
}

export interface ShadowParts {
  readonly model: string;
  readonly version: Version;
  readonly shadowing: Shadowing;
  readonly batcher: Pick<Batcher, 'busy'>;
  readonly log: Logger;
  /** The version, where it is loaded now. */
  readonly loaded: () => Servable | undefined;
  readonly load: () => Promise<Servable>;
  /** Whether callers of production are answered by a version. */
  readonly answersProduction: (version: Version) => boolean;
}

export class Shadow {
  readonly #parts: ShadowParts;
  #waiting: Answered[] = [];
  #rows = 0;
  #bytes = 0;
  #scheduled = false;
  /** Whether rows are being asked, or the version is being loaded for that: nothing else is begun until it has ended. */
  #underWay = false;
  #ended = false;
  #told = false;
  #notBeforeMs = 0;
  #ownMs = 0;
  #utilization = performance.eventLoopUtilization();

  constructor(parts: ShadowParts) {
    this.#parts = parts;
  }

  get version(): Version {
    return this.#parts.version;
  }

  /** Nothing is asked from now on. */
  end(): void {
    this.#ended = true;
    this.#waiting = [];
  }

  /** A batch that has been answered; it is copied where there is room. Never throws. */
  offer(
    { outputs }: { readonly outputs: readonly Slot[] },
    batch: Batch,
    { servable, values, bytes: answers }: Answers,
  ): void {
    const { model, version, shadowing, answersProduction } = this.#parts,
      { rows } = batch;
    if (servable.version === version || !answersProduction(servable.version)) return;
    const counts = shadowing.countsOf(model, servable.version, version),
      bytes = answers.reduce((sum, each) => sum + (each?.length ?? 0), rows * servable.rowBytes);
    if (this.#rows + rows > MOST_ROWS || this.#bytes + bytes > MOST_BYTES) {
      counts.dropped += rows;
      return;
    }
    const columns = batch.columns.map((column, i) => column.slice(0, rows * batch.inputs[i]!.rowWidth) as TensorData);
    // What the runtime answered is its own and nobody's else; a batch's columns are filled again.
    this.#waiting.push({ counts, servable, outputs, columns, values, rows, bytes, done: 0 });
    this.#rows += rows;
    this.#bytes += bytes;
    this.#schedule();
  }

  #schedule(afterMs = 0): void {
    if (this.#scheduled || this.#underWay || this.#ended) return;
    this.#scheduled = true;
    const next = () => {
      this.#scheduled = false;
      this.#goOn();
    };
    if (afterMs > 0) setTimeout(next, afterMs).unref();
    else setImmediate(next);
  }

  #goOn(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const now = performance.now();
    if (this.#parts.batcher.busy) this.#schedule();
    else if (this.#isBusy()) this.#schedule(REST_MS);
    else {
      const servable = this.#parts.loaded();
      if (servable !== undefined) this.#ask(first, servable);
      else if (now < this.#notBeforeMs) this.#dropAll();
      else this.#load();
    }
  }

  /** Whether callers have kept the loop busy since it was looked at last. */
  #isBusy(): boolean {
    const { active, idle } = performance.eventLoopUtilization(this.#utilization);
    if (active + idle < REST_MS) return false;
    const busy = (active - this.#ownMs) / (active + idle);
    this.#utilization = performance.eventLoopUtilization();
    this.#ownMs = 0;
    return busy > BUSY;
  }

  #load(): void {
    const { load, log, model, version } = this.#parts;
    this.#underWay = true;
    load().then(
      () => {
        this.#underWay = false;
        this.#schedule();
      },
      (error: unknown) => {
        this.#underWay = false;
        this.#notBeforeMs = performance.now() + RETRY_MS;
        if (!this.#told) log.warn({ err: error, model, version }, 'the shadow does not load; it is not compared');
        this.#told = true;
        this.#dropAll();
      },
    );
  }

  #dropAll(): void {
    for (const { counts, rows, done } of this.#waiting) counts.dropped += rows - done;
    this.#waiting = [];
    this.#rows = this.#bytes = 0;
  }

  #ask(answered: Answered, servable: Servable): void {
    const { counts, outputs } = answered,
      reason = servable.batchable
        ? incomparability({ inputs: answered.servable.inputs, metadata: answered.servable.metadata, outputs }, servable)
        : 'the shadow takes no rows';
    if (reason !== undefined) {
      counts.incomparable += answered.rows;
      this.#tellIncomparable(counts, reason);
      this.#finished(answered, answered.rows);
      return;
    }
    const rows = Math.min(answered.rows - answered.done, Math.max(1, Math.floor(servable.maxRows / SHARE_OF_BATCH)));
    const beganMs = performance.now();
    servable.usedMs = beganMs;
    servable.users.enter();
    this.#underWay = true;
    servable.session.run(
      rowsOf(answered, rows),
      Object.fromEntries(outputs.map(({ name }) => [name, null])),
      (_error, results) => {
        this.#compare(answered, servable, results, rows);
        servable.users.leave();
        this.#underWay = false;
        this.#finished(answered, rows);
      },
    );
    this.#ownMs += performance.now() - beganMs;
  }

  #compare(
    { counts, outputs, values, done }: Answered,
    { metadata }: Servable,
    results: Results | undefined,
    rows: number,
  ): void {
    const { classes } = metadata as { readonly classes?: readonly string[] };
    const before = counts.rows;
    try {
      if (results === undefined) throw new Error('no answer');
      const theirs = outputs.map((slot) => valuesOf(results, slot, rows));
      compareRows(counts, outputs, classes?.length ?? 0, values, done, theirs, rows);
    } catch {
      counts.failed += rows;
    }
    if (counts.rows > 0 && (before === 0 || String(before).length < String(counts.rows).length)) this.#tell(counts);
  }

  /** The first rows, then tens, hundreds, thousands: enough to be seen, too few to fill a log. */
  #tell({ model, version, shadow, rows, agreeingRows, dropped, largestDifferences }: ShadowCounts): void {
    const differences = Object.fromEntries(largestDifferences);
    this.#parts.log.info(
      { model, version, shadow, rows, agreement: agreeingRows / rows, dropped, largestDifferences: differences },
      'the shadow was compared',
    );
  }

  #tellIncomparable({ model, version, shadow }: ShadowCounts, reason: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#parts.log.warn({ model, version, shadow, reason }, 'the shadow cannot be compared with production');
  }

  #finished(answered: Answered, rows: number): void {
    answered.done += rows;
    if (answered.done >= answered.rows && this.#waiting[0] === answered) {
      this.#waiting.shift();
      this.#rows -= answered.rows;
      this.#bytes -= answered.bytes;
    }
    if (this.#waiting.length > 0) this.#schedule();
  }
}

function rowsOf({ servable, columns, done }: Answered, rows: number): Feeds {
  const feeds: Feeds = {};
  servable.inputs.forEach(({ name, dataType, rowShape, rowWidth }, i) => {
    const part = columns[i]!.slice(done * rowWidth, (done + rows) * rowWidth) as TensorData;
    feeds[name] = runtimeTensor(dataType, part, [rows, ...rowShape]);
  });
  return feeds;
}
