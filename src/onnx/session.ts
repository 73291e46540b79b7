/**
 * A loaded graph, ready to run. The only place that touches onnxruntime-node.
 *
 * A run blocks the thread and cannot be cancelled. The runtime's public `run` adds a promise and a turn of the event
 * loop to each; its native binding, two files below, runs at once. That path is not documented: the runtime's
 * version is pinned, and where the binding lacks a method that is called here, the public `run` serves.
 */
import { createRequire } from 'node:module';
import type { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-common';
import { modelBroken, ParleyError } from '../errors.js';
import type { DataType, Signature, TensorData, TensorSpec } from '../model/tensor.js';

const require = createRequire(import.meta.url);

/** What the native binding's session can do. */
interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: InferenceSession.SessionOptions): void;
  readonly inputMetadata: readonly NativeMetadata[];
  readonly outputMetadata: readonly NativeMetadata[];
  run(feeds: Feeds, fetches: Fetches, options: object): Results;
  dispose(): void;
}

interface NativeMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  readonly shape: readonly number[];
}

export type Feeds = Record<string, RuntimeTensor>;

/** Without a prototype: a graph may call a value `constructor`, or `__proto__`. */
export const feedsOf = (entries: Iterable<readonly [string, RuntimeTensor]>): Feeds =>
  Object.setPrototypeOf(Object.fromEntries(entries), null) as Feeds;

/** Output names to null: the runtime allocates. */
export type Fetches = Record<string, null>;
export type Results = Record<string, RuntimeTensor>;

/** The runtime's element type numbers (onnx.TensorProto.DataType), as far as a tensor of ours can hold them. */
const ELEMENT_TYPES: Readonly<Record<number, DataType>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  4: 'uint16',
  5: 'int16',
  6: 'int32',
  7: 'int64',
  8: 'string',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  12: 'uint32',
  13: 'uint64',
};

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  logSeverityLevel: 3,
};
/** What a run has against its inputs is in its error; a caller's mistake is no line of ours on stderr. */
const RUN_OPTIONS = { logSeverityLevel: 4 } as const;

interface Runtime {
  readonly Tensor: new (type: DataType, data: TensorData, shape: readonly number[]) => RuntimeTensor;
  readonly createNative: (() => NativeSession) | undefined;
  readonly createPublic: (graph: Uint8Array) => Promise<InferenceSession>;
}

let runtime: Runtime | undefined;

/** Loads the runtime's library on first use, so that commands that run no model do not pay for it. */
function loadRuntime(): Runtime {
  if (runtime !== undefined) return runtime;
  const common = require('onnxruntime-common') as { Tensor: Runtime['Tensor']; env: { logLevel: string } };
  common.env.logLevel = 'error';
  runtime = {
    Tensor: common.Tensor,
    createNative: nativeFactory(),
    createPublic: (graph) =>
      (require('onnxruntime-node') as typeof import('onnxruntime-node')).InferenceSession.create(
        graph,
        SESSION_OPTIONS,
      ),
  };
  return runtime;
}

/** Loads it ahead, while there is nothing else to do; what is wrong with it is told by the first graph's loading. */
export function loadRuntimeAhead(): void {
  try {
    loadRuntime();
  } catch {}
}

function nativeFactory(): (() => NativeSession) | undefined {
  try {
    const native = require('onnxruntime-node/dist/binding.js') as {
      initOrt(): void;
      binding: { InferenceSession: new () => NativeSession };
    };
    native.initOrt();
    const probe = new native.binding.InferenceSession();
    const usable =
      typeof probe.loadModel === 'function' && typeof probe.run === 'function' && typeof probe.dispose === 'function';
    return usable ? () => new native.binding.InferenceSession() : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') throw missingLibrary(error);
    return undefined;
  }
}

function missingLibrary(cause: Error): Error {
  return modelBroken(
    `the runtime's library does not load on this machine (${cause.message.split('\n')[0]}); run "parley doctor"`,
    { cause },
  );
}

/** What can be run as a loaded graph can: one, or several as one. */
export type RunnableSession = Pick<Session, 'signature' | 'synchronous' | 'run' | 'runOnce' | 'release'>;

/** A tensor for `run`. `data` is used in place while a run lasts. */
export function runtimeTensor(dataType: DataType, data: TensorData, shape: readonly number[]): RuntimeTensor {
  return new (loadRuntime().Tensor)(dataType, data, shape);
}

export class Session {
  readonly signature: Signature;
  /** Whether `run` answers before it returns. */
  readonly synchronous: boolean;
  readonly #native: NativeSession | undefined;
  readonly #public: InferenceSession | undefined;
  #released = false;

  private constructor(signature: Signature, native: NativeSession | undefined, open: InferenceSession | undefined) {
    this.signature = signature;
    this.synchronous = native !== undefined;
    this.#native = native;
    this.#public = open;
  }

  /**
   * Loads a serialized ONNX graph; blocks while the runtime does.
   *
   * @param road `public`: through the runtime's documented interface also where its native binding would do
   * @throws ParleyError MODEL_BROKEN when the runtime refuses it
   */
  static async load(graph: Uint8Array, road: 'native' | 'public' = 'native'): Promise<Session> {
    const { createNative: available, createPublic } = loadRuntime();
    const createNative = road === 'native' ? available : undefined;
    try {
      if (createNative === undefined) {
        const session = await createPublic(graph);
        const inputs = session.inputMetadata.map(specOfPublic);
        return new Session({ inputs, outputs: session.outputMetadata.map(specOfPublic) }, undefined, session);
      }
      const native = createNative();
      native.loadModel(graph.buffer, graph.byteOffset, graph.byteLength, SESSION_OPTIONS);
      try {
        const signature = {
          inputs: native.inputMetadata.map(specOfNative),
          outputs: native.outputMetadata.map(specOfNative),
        };
        return new Session(signature, native, undefined);
      } catch (error) {
        native.dispose();
        throw error;
      }
    } catch (cause) {
      throw modelBroken(`the runtime refuses the graph: ${oneLine(cause)}`, { cause });
    }
  }

  /**
   * Runs the graph and calls `done` exactly once: before `run` returns when the session is synchronous, later otherwise.
   * Feeds must hold every input; the runtime ignores names it does not know.
   */
  run(feeds: Feeds, fetches: Fetches, done: (error: unknown, results: Results | undefined) => void): void {
    if (this.#native === undefined) {
      this.#public!.run(feeds, Object.keys(fetches), RUN_OPTIONS).then(
        (results) => done(undefined, results as unknown as Results),
        (error: unknown) => done(error, undefined),
      );
      return;
    }
    let results: Results;
    try {
      results = this.#native.run(feeds, fetches, RUN_OPTIONS);
    } catch (error) {
      done(error, undefined);
      return;
    }
    done(undefined, results);
  }

  /** `run` as a promise, for what is not on the serving road. */
  runOnce(feeds: Feeds, fetches?: readonly string[]): Promise<Results> {
    return runOnce(this, feeds, fetches);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#native?.dispose();
    void this.#public?.release();
  }
}

/** A run as a promise. @param fetches all outputs unless given @throws ParleyError as {@link brokenRun} tells it */
export function runOnce(
  session: Pick<RunnableSession, 'signature' | 'run'>,
  feeds: Feeds,
  fetches: readonly string[] = session.signature.outputs.map((output) => output.name),
): Promise<Results> {
  const wanted = Object.fromEntries(fetches.map((name) => [name, null]));
  return new Promise((resolve, reject) => {
    session.run(feeds, wanted, (error, results) =>
      results === undefined ? reject(brokenRun(error)) : resolve(results),
    );
  });
}

/** What a failed run is told as. */
export function brokenRun(cause: unknown): ParleyError {
  if (cause instanceof ParleyError) return cause;
  return modelBroken(`the runtime could not run the graph: ${oneLine(cause)}`, { cause });
}

const MOST_REASON = 300,
  REASON_HEAD = 120;

/** The runtime may put the signature of a C++ function before the reason: the end is kept as well as the beginning. */
function oneLine(error: unknown): string {
  const line = (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
  if (line.length <= MOST_REASON) return line;
  return `${line.slice(0, REASON_HEAD)} … ${line.slice(REASON_HEAD - MOST_REASON)}`;
}

function specOfNative(metadata: NativeMetadata): TensorSpec {
  const dataType = metadata.isTensor ? ELEMENT_TYPES[metadata.type] : undefined;
  if (dataType === undefined) throw new Error(`"${metadata.name}" is not a tensor of a supported element type`);
  return { name: metadata.name, dataType, shape: [...metadata.shape] };
}

function specOfPublic(metadata: InferenceSession.ValueMetadata): TensorSpec {
  if (!metadata.isTensor) throw new Error(`"${metadata.name}" is not a tensor of a supported element type`);
  return {
    name: metadata.name,
    dataType: metadata.type as DataType,
    shape: metadata.shape.map((extent) => (typeof extent === 'number' ? extent : -1)),
  };
}
