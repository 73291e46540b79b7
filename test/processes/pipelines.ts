/** Connections that keep several calls under way each, and know of every single one what became of it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import types from '#gen/parley_types.js';
import { ERROR_CODES } from '#parley/errors.js';
import { DATA_TYPES } from '#parley/model/tensor.js';
import { wireInt } from '#parley/rpc/registry-mapping.js';
import type { Address } from '../road/client.js';
import { MODEL } from '../road/scores.js';
import { call, outcomeOf } from '../rpc/messages.js';

const SHUTTING_DOWN = ERROR_CODES.SHUTTING_DOWN.number;
const FRAME = call('binary', 'predict', request(), 0);
/** Length, type and version, the name's length, the name. */
const SEQUENCE_AT = 4 + 4 + 4 + 'predict'.length;

function request(): types.PredictRequest {
  const inputs = ['a', 'b'].map(
    (name) =>
      new types.Tensor({
        name,
        data_type: DATA_TYPES.float64.number,
        shape: [wireInt(1), wireInt(1)],
        data: Buffer.alloc(8),
      } as never),
  );
  return new types.PredictRequest({ model: MODEL, inputs } as never);
}

/** One connection: how many calls were sent, and by their numbers those that were answered. */
export class Pipeline {
  sent = 0;
  readonly succeeded = new Set<number>();
  readonly turnedAway = new Set<number>();
  /** Answers of any other kind, and a second answer to the same call. */
  readonly wrong: string[] = [];
  /** How the connection ended: in order, or cut. */
  end: 'clean' | 'cut' | undefined;
  readonly ended: Promise<void>;
  /** The part of the ids of its answers that names the process. */
  answeredBy = '';
  #stopped = false;
  #left = false;
  #rest = Buffer.alloc(0);

  private constructor(
    private readonly socket: Socket,
    private readonly inFlight: number,
  ) {
    this.ended = new Promise((resolve) => {
      const ends = (how: 'clean' | 'cut') => {
        if (!this.#left) this.end ??= how;
        resolve();
      };
      socket.on('data', (chunk) => this.#read(chunk));
      socket.once('end', () => ends('clean'));
      // Writing on after the end is answered by a reset, which is no news then.
      socket.once('error', () => ends('cut'));
      socket.once('close', () => ends('cut'));
    });
  }

  static async open(address: Address, inFlight: number): Promise<Pipeline> {
    const socket = connect({ ...address, noDelay: true });
    await once(socket, 'connect');
    const pipeline = new Pipeline(socket, inFlight);
    pipeline.#send();
    return pipeline;
  }

  get answered(): number {
    return this.succeeded.size + this.turnedAway.size;
  }

  /** Calls among the first `count` that nobody answered. */
  unansweredOf(count: number): number[] {
    return Array.from({ length: count }, (_, i) => i).filter(
      (number) => !this.succeeded.has(number) && !this.turnedAway.has(number),
    );
  }

  /** Sends no more; resolves when all that were sent are answered, or the connection has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    while (this.answered < this.sent && this.end === undefined)
      await Promise.race([once(this.socket, 'data'), this.ended]);
    this.#left = true;
    this.socket.destroy();
  }

  #send(): void {
    const frames: Buffer[] = [];
    for (; !this.#stopped && this.end === undefined && this.sent - this.answered < this.inFlight; this.sent++) {
      const frame = Buffer.from(FRAME);
      frame.writeInt32BE(this.sent, SEQUENCE_AT);
      frames.push(frame);
    }
    if (frames.length > 0) this.socket.write(Buffer.concat(frames));
  }

  #read(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0);
      this.#take(bytes.subarray(4, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    this.#send();
  }

  #take(frame: Buffer): void {
    const { kind, code, message, header } = outcomeOf(frame);
    const number = header.sequenceId;
    if (this.succeeded.has(number) || this.turnedAway.has(number)) this.wrong.push(`call ${number} answered twice`);
    else if (kind === 'answer') {
      this.succeeded.add(number);
      this.answeredBy = processIn(frame);
    } else if (kind === 'error' && code === SHUTTING_DOWN) this.turnedAway.add(number);
    else this.wrong.push(`call ${number}: ${message}`);
  }
}

/** Of the first id in a reply: 20 characters of its alphabet, of which six name the process. */
function processIn(frame: Buffer): string {
  const id = /[0-9a-hj-km-np-tv-z]{20}/.exec(frame.toString('latin1'))?.[0];
  if (id === undefined) throw new Error('an answer without an id');
  return id.slice(9, 15);
}

export const openPipelines = (address: Address, count: number, inFlight: number): Promise<Pipeline[]> =>
  Promise.all(Array.from({ length: count }, () => Pipeline.open(address, inFlight)));
