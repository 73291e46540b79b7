/** A graph that is loaded in a lane, to be run as any other session; its runs are answered later. */
import { modelBroken, ParleyError, shuttingDown } from '../../errors.js';
import type { DataType, Signature, TensorData } from '../../model/tensor.js';
import {
  type Feeds,
  type Fetches,
  feedsOf,
  type Results,
  type RunnableSession,
  runOnce,
  runtimeTensor,
} from '../../onnx/session.js';
import { type Frame, KIND, type Piece, Reader, runFrame } from './frames.js';
import type { Lane, Resident } from './lane.js';
import { failureOf, textOf } from './replies.js';
import type { Strikes } from './strikes.js';

type Done = (error: unknown, results: Results | undefined) => void;

/** Frames that are kept to be written again: as many as are under way. */
const SPARE = 2,
  MOST_SPARE_BYTES = 16 << 20;

export class LaneSession implements RunnableSession {
  readonly synchronous = false;
  readonly signature: Signature;
  readonly #lane: Lane;
  readonly #resident: Resident;
  readonly #strikes: Strikes;
  readonly #onRelease: () => void;
  readonly #outputs: ReadonlyMap<string, number>;
  readonly #spare: Buffer[] = [];
  #released = false;
  /** CPU time of the last run that was answered. */
  lastRunMs = 0;

  private constructor(signature: Signature, lane: Lane, resident: Resident, strikes: Strikes, onRelease: () => void) {
    this.signature = signature;
    this.#lane = lane;
    this.#resident = resident;
    this.#strikes = strikes;
    this.#onRelease = onRelease;
    this.#outputs = new Map(signature.outputs.map(({ name }, slot) => [name, slot]));
  }

  /**
   * @param onRelease is called once: when it is released, or when it could not be loaded
   * @throws ParleyError MODEL_BROKEN when the runtime refuses the graph, or it ends the lane
   */
  static async load(lane: Lane, resident: Resident, strikes: Strikes, onRelease: () => void): Promise<LaneSession> {
    const refusal = strikes.refusal(resident.name);
    try {
      if (refusal !== undefined) throw refusal;
      const signature = await new Promise<Signature>((resolve, reject) => {
        lane.add(resident, (outcome) => {
          if (outcome instanceof ParleyError) reject(outcome);
          else if (outcome.kind === KIND.loaded) resolve(signatureOf(outcome));
          else reject(failureOf(outcome));
        });
      });
      return new LaneSession(signature, lane, resident, strikes, onRelease);
    } catch (error) {
      lane.remove(resident);
      onRelease();
      throw error;
    }
  }

  /** Of the process that it is in now. */
  get pid(): number | undefined {
    return this.#lane.pid;
  }

  run(feeds: Feeds, fetches: Fetches, done: Done): void {
    const refusal = this.#released
      ? shuttingDown('the version is no longer loaded; another server will answer')
      : this.#strikes.refusal(this.#resident.name);
    let frame: Buffer, wanted: number[], pieces: Piece[];
    try {
      if (refusal !== undefined) throw refusal;
      wanted = Object.keys(fetches).map((name) => this.#outputSlot(name));
      pieces = this.#pieces(feeds);
      frame = runFrame(this.#resident.id, pieces, wanted, this.#spare.pop());
    } catch (error) {
      setImmediate(() => done(error, undefined));
      return;
    }
    const rows = Math.max(1, pieces[0]?.shape[0] ?? 1);
    this.#lane.do({
      kind: 'run',
      resident: this.#resident,
      frame,
      rows,
      settle: (outcome) => this.#settle(outcome, frame, done),
    });
  }

  runOnce(feeds: Feeds, fetches?: readonly string[]): Promise<Results> {
    return runOnce(this, feeds, fetches);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#spare.length = 0;
    this.#lane.remove(this.#resident);
    this.#onRelease();
  }

  #outputSlot(name: string): number {
    const slot = this.#outputs.get(name);
    if (slot === undefined) throw modelBroken(`the graph has no output "${name}"`);
    return slot;
  }

  /** As the runtime does, what the graph has no input for is left out. */
  #pieces(feeds: Feeds): Piece[] {
    const pieces: Piece[] = [];
    this.signature.inputs.forEach(({ name }, slot) => {
      if (!Object.hasOwn(feeds, name)) return;
      const { type, dims, data } = feeds[name]!;
      pieces.push({ slot, dataType: type as DataType, shape: dims, data: data as TensorData });
    });
    return pieces;
  }

  #settle(outcome: Frame | ParleyError, frame: Buffer, done: Done): void {
    // It was read to its end, or the lane would not have answered.
    const isFree = !(outcome instanceof ParleyError) && frame.length <= MOST_SPARE_BYTES;
    if (isFree && !this.#released && this.#spare.length < SPARE) this.#spare.push(frame);
    if (outcome instanceof ParleyError) done(outcome, undefined);
    else if (outcome.kind !== KIND.answered) done(failureOf(outcome), undefined);
    else done(undefined, this.#results(outcome));
  }

  #results(frame: Frame): Results {
    const reader = new Reader(frame);
    this.lastRunMs = reader.spentMs();
    const [count] = reader.words(2) as [number];
    return feedsOf(
      reader
        .pieces(count)
        .map(
          ({ slot, dataType, data, shape }) =>
            [this.signature.outputs[slot]!.name, runtimeTensor(dataType, data, shape)] as const,
        ),
    );
  }
}

const signatureOf = (frame: Frame): Signature => JSON.parse(textOf(frame).text) as Signature;
