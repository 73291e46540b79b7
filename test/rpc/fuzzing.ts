/**
 * Mutations of valid frames against a server: what may be done to bytes, and what must hold whatever was done.
 *
 * One message has at most one reply, and a complete frame is never met with silence; nothing is INTERNAL; valid calls in one
 * stream are all answered, wherever it is cut into writes; a frame that is cut off has no reply; and now and then a good call
 * on a connection of its own is answered rightly.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import types from '#gen/parley_types.js';
import { ERROR_CODES } from '#parley/errors.js';
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import { BYTE, I16, I64, STRING, STRUCT } from '#parley/rpc/wire/protocol.js';
import { Caller, framed } from './caller.js';
import {
  bool,
  callOf,
  double,
  type Fields,
  i32,
  i64,
  list,
  penguin,
  penguinTensors,
  predictFields,
  scalars,
  struct,
  text,
} from './hostile-cases.js';
import { call, outcomeOf } from './messages.js';
import { SHAPED, TENSOR_TYPES, TENSORS } from './served.js';
import { PROTOCOL_NAMES, type ProtocolName, type Value } from './wire-values.js';

/** Frames that once broke something, as hex. */
const CORPUS = 'test/rpc/corpus';

// ---------------------------------------------------------------- valid frames

/** A request of each generic method, with all that it may hold; nothing that starts a process or changes what is served. */
function requests(): [method: string, request: object][] {
  const context = new types.RequestContext({
    request_id: 'fuzz',
    timeout_ms: 5000,
    trace: { traceparent: '00-1' },
  } as never);
  const base = { context, model: 'penguins' };
  const of = (Request: new (fields: never) => object, fields: object = {}) =>
    new Request({ ...base, ...fields } as never);
  const version = '0123456789abcdef';
  return [
    ['describe', of(types.DescribeRequest, { reference: 'production' })],
    ['ping', of(types.PingRequest)],
    ['contract', of(types.ContractRequest, { service_name: 'Penguins' })],
    ['begin_upload', of(types.BeginUploadRequest, { size_bytes: 100 })],
    [
      'upload_part',
      of(types.UploadPartRequest, { upload_id: 'x.000000000000000000000000', offset: 0, data: Buffer.alloc(9) }),
    ],
    ['publish', of(types.PublishRequest, { upload_id: 'x', metrics: { rmse: 1 }, description: 'x' })],
    ['publish_contract', of(types.PublishContractRequest, { idl: 'struct X {', includes: { 'a.thrift': 'x' } })],
    ['list_versions', of(types.VersionsRequest, { limit: 3, page_token: '0' })],
    ['accept', of(types.AcceptRequest, { version })],
    ['promote', of(types.PromoteRequest, { version, alias_name: 'staging', canary_weight: 0.5 })],
    ['rollback', of(types.RollbackRequest, { alias_name: 'staging', to_version: version })],
    ['aliases', of(types.AliasesRequest)],
    ['history', of(types.HistoryRequest, { alias_name: 'production', at: 1, limit: 2 })],
    ['hold', of(types.HoldRequest, { alias_name: 'production', reason: 'x' })],
    ['release', of(types.HoldRequest)],
    ['retire', of(types.RetireRequest, { version })],
    ['prune', of(types.PruneRequest, { keep: 3, dry_run: true })],
    ['register_project', of(types.RegisterProjectRequest, { project: 'x', configuration_yaml: 'a: b' })],
    ['train', of(types.TrainRequest, { project: 'x', overrides: { a: 'b' }, seed: 1 })],
    ['get_run', of(types.RunRequest, { run_id: 'x' })],
    ['watch_run', of(types.WatchRunRequest, { run_id: 'x', after: 1, wait_ms: 1 })],
    ['cancel_run', of(types.RunRequest, { run_id: 'x' })],
    ['list_runs', of(types.ListRunsRequest, { limit: 1 })],
    ['record_labels', of(types.RecordLabelsRequest, { labels: [new types.Label({ key: 'k', value: 'v' } as never)] })],
    ['live_metrics', of(types.LiveMetricsRequest, { slice: 'a=b' })],
  ];
}

/** A row of the contract that has every kind of field. */
export const kinds = (...changes: Fields): Value =>
  struct(
    ...KINDS.map((field) => changes.find(([id]) => id === field[0]) ?? field).filter(
      ([, value]) => value !== undefined,
    ),
  );
const KINDS: Fields = [
  [1, bool(true)],
  [2, { type: BYTE, value: 1 }],
  [3, { type: I16, value: 1 }],
  [4, i32(1)],
  [5, i64(1)],
  [6, double(1)],
  [7, text('text')],
  [8, text('red')],
  [9, i32(7)],
  [10, text('key')],
  [11, i64(1)],
  [12, double(1)],
];

/** Of shape (1, 2), all zeros. */
function tensorOf(type: DataType): Value {
  const { number, bytes } = DATA_TYPES[type];
  const values: readonly [number, Value] =
    type === 'string' ? [4, list(STRING, [text('a'), text('b')])] : [5, text(Buffer.alloc(2 * bytes))];
  return struct([1, text(`${type}_in`)], [2, i32(number)], [3, list(I64, [i64(1), i64(2)])], values);
}

function framesOf(protocol: ProtocolName): Buffer[] {
  const many = list(STRUCT, [penguin(), penguin(), penguin()]);
  return [
    ...requests().map(([method, request]) => call(protocol, method, request)),
    callOf(protocol, 'predict', [1, predictFields(penguinTensors())]),
    callOf(protocol, 'Prediction:predict', [1, predictFields(penguinTensors(), [3, text('production')])]),
    callOf(protocol, 'Penguins:identify', [1, penguin()], [2, { type: STRUCT, fields: [[1, text('id')]] }]),
    callOf(protocol, 'identify_many', [1, many]),
    callOf(protocol, 'Scales:add', [7, scalars()]),
    callOf(protocol, 'Scales:add_many', [1, list(STRUCT, [scalars(), scalars()])]),
    callOf(protocol, 'Parity:side', [1, struct([1, double(4)])]),
    callOf(protocol, 'Judges:judge', [1, kinds()], [2, struct([1, text('id')])]),
    callOf(protocol, 'Judges:judge_many', [1, list(STRUCT, [kinds(), kinds()])]),
    callOf(protocol, 'Words:word', [1, kinds()]),
    ...[TENSORS, SHAPED].map((model) =>
      callOf(protocol, 'predict', [1, struct([2, text(model)], [6, list(STRUCT, TENSOR_TYPES.map(tensorOf))])]),
    ),
    callOf(protocol, 'predict', [
      1,
      struct([2, text(SHAPED)], [5, list(STRING, [text('bool_out')])], [6, list(STRUCT, TENSOR_TYPES.map(tensorOf))]),
    ]),
    callOf(protocol, 'nothing', [1, many]),
  ];
}

export const validFrames = (): Buffer[] => PROTOCOL_NAMES.flatMap(framesOf);

/** Of a case: one frame, a stream of frames, of valid ones, or a frame that is cut off. */
type Kind = 'single' | 'stream' | 'valid-stream' | 'cut';

interface Kept {
  readonly kind: Kind;
  readonly bytes: Buffer;
}

/** A file is called by its time and its kind; without a kind it is one frame. */
const keptCases = (): Kept[] =>
  readdirSync(CORPUS)
    .filter((name) => name.endsWith('.hex'))
    .map((name) => ({
      kind: (/^\d+-(.+)\.hex$/.exec(name)?.[1] ?? 'single') as Kind,
      bytes: Buffer.from(readFileSync(join(CORPUS, name), 'utf8').trim(), 'hex'),
    }));

/** The frames of a stream, each of which is whole. */
function framesIn(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0, end = 0; at < bytes.length; at = end) {
    end = at + 4 + bytes.readInt32BE(at);
    frames.push(bytes.subarray(at, end));
  }
  return frames;
}

// ---------------------------------------------------------------- mutations

/** Numbers of 32 bits from a seed: the same ones everywhere (mulberry32). */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

type Mutation = (body: Buffer, dice: Dice, others: readonly Buffer[]) => Buffer;

const INTERESTING = [0, 1, 2, 0x0b, 0x0c, 0x0d, 0x0f, 0x7f, 0x80, 0x82, 0xfc, 0xff];
const LENGTHS = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 65536, 0x04000000, 255, 1_000_000];

const MUTATIONS: readonly Mutation[] = [
  function flipBit(body, dice) {
    const at = dice.below(body.length);
    body[at] = (body[at] as number) ^ (1 << dice.below(8));
    return body;
  },
  function setByte(body, dice) {
    body[dice.below(body.length)] = dice.of(INTERESTING);
    return body;
  },
  function truncate(body, dice) {
    return body.subarray(0, dice.below(body.length) + 1);
  },
  function editLength(body, dice) {
    if (body.length >= 4) body.writeInt32BE(dice.of(LENGTHS), dice.below(body.length - 3));
    return body;
  },
  function splice(body, dice, others) {
    const other = dice.of(others),
      from = 4 + dice.below(other.length - 4);
    return Buffer.concat([body.subarray(0, dice.below(body.length)), other.subarray(from)]);
  },
  function repeatPart(body, dice) {
    const from = dice.below(body.length),
      to = from + 1 + dice.below(Math.min(64, body.length - from));
    const part = body.subarray(from, to);
    return Buffer.concat([
      body.subarray(0, to),
      ...new Array<Buffer>(1 + dice.below(20)).fill(part),
      body.subarray(to),
    ]);
  },
  function removePart(body, dice) {
    const from = dice.below(body.length);
    return Buffer.concat([body.subarray(0, from), body.subarray(from + 1 + dice.below(16))]);
  },
  function insertBytes(body, dice) {
    const bytes = Buffer.from(Array.from({ length: 1 + dice.below(12) }, () => dice.of(INTERESTING)));
    const at = dice.below(body.length);
    return Buffer.concat([body.subarray(0, at), bytes, body.subarray(at)]);
  },
];

/** @returns a whole frame; its length is right, so that it must not be met with silence */
export function mutated(frames: readonly Buffer[], dice: Dice): Buffer {
  let body: Buffer = Buffer.from(dice.of(frames).subarray(4));
  for (let count = dice.of([1, 1, 1, 2, 4]); count > 0 && body.length > 0; count--)
    body = dice.of(MUTATIONS)(body, dice, frames);
  return framed(body.length === 0 ? Buffer.of(0) : body);
}

// ---------------------------------------------------------------- the hunt

const GOOD_EVERY = 200;
const SEQUENCE = 0x5a5a5a5a;

export class Hunter {
  readonly #address: { host: string; port: number };
  readonly #frames: readonly Buffer[];
  #caller: Caller | undefined;
  #good: Caller | undefined;
  /** How often which outcome came. */
  readonly outcomes: Record<string, number> = {};
  cases = 0;

  constructor(address: { host: string; port: number }, frames: readonly Buffer[]) {
    this.#address = address;
    this.#frames = frames;
  }

  /** Tries every frame as it is, then mutations until the time is over. @throws Error at the first that breaks a rule */
  async hunt(seed: number, durationMs: number): Promise<void> {
    const dice = new Dice(seed),
      end = performance.now() + durationMs;
    try {
      for (const frame of this.#frames) await this.#answered(frame);
      for (const { kind, bytes } of keptCases()) await this.#case(kind, bytes, dice);
      while (performance.now() < end) await this.#any(dice);
      await this.#goodCall();
    } finally {
      this.#caller?.close();
      this.#good?.close();
      this.#caller = this.#good = undefined;
    }
  }

  async #any(dice: Dice): Promise<void> {
    const several = (make: () => Buffer) => Buffer.concat(Array.from({ length: 2 + dice.below(12) }, make));
    const chance = dice.below(10);
    if (chance < 7) await this.#case('single', mutated(this.#frames, dice), dice);
    else if (chance === 7)
      await this.#case(
        'stream',
        several(() => mutated(this.#frames, dice)),
        dice,
      );
    else if (chance === 8)
      await this.#case(
        'valid-stream',
        several(() => dice.of(this.#frames)),
        dice,
      );
    else {
      const frame = dice.of(this.#frames);
      await this.#case('cut', frame.subarray(0, 1 + dice.below(frame.length - 1)), dice);
    }
  }

  /** Frames that nobody has touched are what everything else is made from, so they had better be right. */
  async #answered(frame: Buffer): Promise<void> {
    const outcome = await this.#single(frame);
    if (outcome === 'closed')
      throw new Error(`a valid frame was met with a closed connection: ${frame.toString('hex')}`);
    this.#count(outcome);
  }

  #count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    this.cases++;
  }

  async #case(kind: Kind, bytes: Buffer, dice: Dice): Promise<void> {
    try {
      this.#count(await this.#try(kind, bytes, dice));
      if (this.cases % GOOD_EVERY === 0) await this.#goodCall();
    } catch (error) {
      const path = join(CORPUS, `${Date.now()}-${kind}.hex`);
      writeFileSync(path, `${bytes.toString('hex')}\n`);
      throw new Error(`case ${this.cases}, kept as ${path}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }

  #try(kind: Kind, bytes: Buffer, dice: Dice): Promise<string> {
    if (kind === 'single') return this.#single(bytes);
    if (kind === 'cut') return this.#cut(bytes, dice);
    return this.#stream(framesIn(bytes), dice, kind === 'valid-stream');
  }

  /** Behind each case goes a ping: the case's own reply comes before the ping's, and there is one at most. */
  async #single(frame: Buffer): Promise<string> {
    let caller = this.#caller;
    if (caller === undefined || caller.closed) caller = this.#caller = await Caller.open(this.#address);
    const first = await caller.send(frame).reply();
    if (first === undefined) return 'closed';
    const ping = call('binary', 'ping', new types.PingRequest({} as never), SEQUENCE);
    const second = await caller.send(ping).reply();
    if (second === undefined) throw new Error('the connection was closed behind a reply');
    if (outcomeOf(second).header.sequenceId !== SEQUENCE) throw new Error('two replies to one message');
    return told(first);
  }

  /** All in one stream, cut into writes anywhere, and the sending side closed behind it. */
  async #stream(frames: readonly Buffer[], dice: Dice, valid: boolean): Promise<string> {
    const caller = await Caller.open(this.#address);
    try {
      const bytes = Buffer.concat(frames);
      for (let at = 0, end = 0; at < bytes.length; at = end) {
        end = dice.below(3) === 0 ? bytes.length : Math.min(bytes.length, at + 1 + dice.below(bytes.length));
        caller.send(bytes.subarray(at, end));
        await setImmediate();
      }
      caller.socket.end();
      const replies = await caller.ended();
      if (replies.length > frames.length) throw new Error(`${replies.length} replies to ${frames.length} messages`);
      if (valid && replies.length < frames.length)
        throw new Error(`${replies.length} replies to ${frames.length} valid calls in one stream`);
      for (const reply of replies) told(reply);
      return valid ? 'valid stream' : 'stream';
    } finally {
      caller.close();
    }
  }

  /** Ends the connection, in order or not, in the middle of a frame. */
  async #cut(bytes: Buffer, dice: Dice): Promise<string> {
    const caller = await Caller.open(this.#address);
    caller.send(bytes);
    if (dice.below(2) === 0) {
      caller.socket.resetAndDestroy();
      return 'cut';
    }
    caller.socket.end();
    const replies = await caller.ended();
    caller.close();
    if (replies.length > 0) throw new Error('a reply to half a frame');
    return 'cut';
  }

  async #goodCall(): Promise<void> {
    if (this.#good === undefined || this.#good.closed) this.#good = await Caller.open(this.#address);
    const reply = await this.#good.send(callOf('compact', 'Penguins:identify', [1, penguin()])).reply();
    if (reply === undefined || outcomeOf(reply).kind !== 'answer') throw new Error('a good call was not answered');
  }
}

/** @throws Error for what must not be the answer to bad input */
function told(reply: Buffer): string {
  const { kind, code } = outcomeOf(reply);
  if (kind === 'error' && code === ERROR_CODES.INTERNAL.number) throw new Error('INTERNAL is the answer to bad input');
  return kind === 'answer' ? kind : `${kind} ${code}`;
}
