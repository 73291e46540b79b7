/**
 * A loaded version, ready to run: its session, its inputs and outputs as the batcher needs them, and how many rows one
 * run may take. Owned by the factory, which alone releases it.
 */
import { internal, modelBroken, ParleyError } from '../errors.js';
import { allocate, DATA_TYPES, type DataType, type Signature, type TensorData } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import type { Version } from '../model/version.js';
import { ENSEMBLE } from '../model-types/ensemble/runtime.js';
import { TENSOR } from '../model-types/tensor/runtime.js';
import { endedByNothing } from '../onnx/nothing.js';
import { readGraph } from '../onnx/reader.js';
import { type Feeds, feedsOf, type Results, type RunnableSession, runtimeTensor } from '../onnx/session.js';
import type { Batcher } from './batcher.js';
import { EnsembleSession, type ReadMember } from './ensemble-session.js';
import { type LoadSession, loadInline } from './load-inline.js';
import { DEFAULT_SETTINGS, type ModelSettings } from './model-settings.js';
import { Plan } from './plan.js';
import { checkIndependence, tryBlankShapes } from './probe.js';
import { QueueBound } from './queue-bound.js';
import { CacheCounts, CacheKeys, ResultCache } from './result-cache.js';
import { type ServedGraph, servedGraph } from './served-graph.js';
import { Shadowing } from './shadow.js';
import { ShapedPlan } from './shaped-plan.js';
import { Tally } from './tally.js';
import { Users } from './users.js';

/** A run may hold the event loop for about this long; and a lane, where the next batch of another version may wait. */
const RUN_BUDGET_MS = 2,
  LANE_BUDGET_MS = 25;
const LEAST_ROWS = 8,
  MOST_ROWS = 1024,
  PROBE_ROWS = 64;
/** Rows that cost less than this together, of what they cost alone, are worth a batch. */
const GAIN = 0.75;
/** Choices of outputs whose plans are kept. */
const MOST_PLANS = 64;

/** One input or output of the graph: a row of it holds `rowWidth` values of shape `rowShape`. */
export interface Slot {
  readonly name: string;
  readonly dataType: DataType;
  readonly rowShape: readonly number[];
  readonly rowWidth: number;
}

export class Servable {
  readonly model: string;
  readonly version: Version;
  readonly modelType: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly signature: Signature;
  /**
   * Why requests run one by one, each with its own shapes; undefined where rows are batched. Decided when the version
   * was loaded: a tensor model may have any reason, the others lists of any length.
   */
  readonly unbatchable: string | undefined;
  /** Operators that would end the process for an empty tensor of a caller's; none where rows are batched. */
  readonly endedByNothing: readonly string[];
  /** Empty where rows are not batched, as `outputs` are. */
  readonly inputs: readonly Slot[];
  readonly outputs: readonly Slot[];
  /** Rows that one run takes, so that it lasts about two milliseconds; measured when the version was loaded. */
  readonly maxRows: number;
  /** What a row takes in a batch; of strings, which have no fixed size, only their places are counted. */
  readonly rowBytes: number;
  /** What stands for inputs that a call leaves out. */
  readonly defaults: Feeds;
  readonly session: RunnableSession;
  /** Batches and others under whom the session must not be released. */
  readonly users = new Users();
  /** When a run last began, on performance.now()'s clock. */
  usedMs = performance.now();
  /** What it has answered; the factory's when the factory has loaded it. */
  tally = new Tally();
  /** Who answers production's calls beside it; the model's, as the tally is. */
  shadowing = new Shadowing();
  /** What waits for it, and how much may. */
  readonly queue: QueueBound;
  /** How long a batch that is not full waits for more rows. */
  maxDelayMs = 0;
  #cache: ResultCache | undefined;
  #endsSeen = 0;
  readonly #plans = new Map<string, Plan>();
  readonly #shapedPlans = new Map<string, ShapedPlan>();
  readonly #batcher: Batcher;

  private constructor(
    fields: Pick<Servable, 'model' | 'version' | 'modelType' | 'metadata' | 'session' | 'defaults'> & Batching,
    batcher: Batcher,
  ) {
    this.model = fields.model;
    this.version = fields.version;
    this.modelType = fields.modelType;
    this.metadata = fields.metadata;
    this.inputs = fields.inputs;
    this.outputs = fields.outputs;
    this.maxRows = fields.maxRows;
    this.rowBytes = fields.inputs.reduce(
      (sum, slot) => sum + slot.rowWidth * (DATA_TYPES[slot.dataType].bytes || 16),
      0,
    );
    this.queue = new QueueBound((fields.session.synchronous ? RUN_BUDGET_MS : LANE_BUDGET_MS) / fields.maxRows);
    this.unbatchable = fields.unbatchable;
    this.endedByNothing = fields.endedByNothing;
    this.defaults = fields.defaults;
    this.session = fields.session;
    this.signature = fields.session.signature;
    this.#batcher = batcher;
  }

  /**
   * @param artifact of bytes that have been verified against `version`
   * @param readMember reads what an ensemble names
   * @param loadSession how a graph becomes a session
   * @throws ParleyError MODEL_BROKEN
   */
  static async of(
    model: string,
    version: Version,
    artifact: Artifact,
    batcher: Batcher,
    readMember: ReadMember = noMember,
    loadSession: LoadSession = loadInline,
  ): Promise<Servable> {
    const { session, defaults } = await loadArtifact(artifact, readMember, (graph, member) =>
      loadSession(graph, [`version ${version.slice(0, 12)} of model "${model}"`, member].filter(Boolean).join(', ')),
    );
    try {
      const batching = await batchingOf(artifact, session);
      const { modelType, metadata } = artifact;
      const feeds = feedsOf(
        [...defaults].map(([name, { dataType, data, shape }]) => [name, runtimeTensor(dataType, data, shape)] as const),
      );
      return new Servable({ model, version, modelType, metadata, session, defaults: feeds, ...batching }, batcher);
    } catch (error) {
      session.release();
      throw error;
    }
  }

  /** Before its first call. @param counts the model's */
  applySettings({ cache, maxDelayUs, maxQueueMs }: ModelSettings = DEFAULT_SETTINGS, counts = new CacheCounts()): void {
    this.queue.maxMs = maxQueueMs;
    this.maxDelayMs = maxDelayUs / 1000;
    this.#cache = cache > 0 && this.batchable ? new ResultCache(cache, counts) : undefined;
  }

  get batchable(): boolean {
    return this.unbatchable === undefined;
  }

  /** The batch in which rows wait for these outputs (indices into `outputs`). */
  plan(fetches: readonly number[]): Plan {
    const key = fetches.join();
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      plan = new Plan(
        this,
        fetches.map((index) => this.outputs[index]!),
        this.#batcher,
        this.#cache && { results: this.#cache, keys: new CacheKeys(key, this.inputs) },
      );
      // Callers choose the outputs; a plan that is dropped here lives on with whoever holds it.
      if (this.#plans.size >= MOST_PLANS) this.#plans.clear();
      this.#plans.set(key, plan);
    }
    return plan;
  }

  /** Where requests for these outputs (indices into the signature's) wait, when rows are not batched. */
  shapedPlan(fetches: readonly number[]): ShapedPlan {
    const key = fetches.join();
    let plan = this.#shapedPlans.get(key);
    if (plan === undefined) {
      const outputs = fetches.map((index) => this.signature.outputs[index]!);
      plan = new ShapedPlan(this, outputs, this.#batcher);
      if (this.#shapedPlans.size >= MOST_PLANS) this.#shapedPlans.clear();
      this.#shapedPlans.set(key, plan);
    }
    return plan;
  }

  /** Whether a call may join what waits. @param timeoutMs of the call, from its arrival; 0: none */
  admits(timeoutMs: number): boolean {
    if (this.queue.admits(timeoutMs)) return true;
    if (this.#batcher.ends !== this.#endsSeen) {
      this.#endsSeen = this.#batcher.ends;
      for (const plan of this.#plans.values()) plan.purge();
      for (const plan of this.#shapedPlans.values()) plan.purge();
      if (this.queue.admits(timeoutMs)) return true;
    }
    this.queue.refused++;
    this.tally.refused('OVERLOADED');
    return false;
  }

  /** The same version with batches and counts of its own: what runs there is no call of anybody. It is not to be released. */
  aside(): Servable {
    return new Servable(this, this.#batcher);
  }

  /** What ends a process is to end the rehearsal's: runs that loading does without. */
  async rehearse(): Promise<void> {
    if (!this.batchable) await tryBlankShapes(this.session, this.defaults);
  }

  release(): void {
    this.#cache?.clear();
    for (const plan of this.#plans.values()) plan.letGo();
    this.session.release();
  }
}

const noMember: ReadMember = (version) =>
  Promise.reject(internal(`nobody said where member ${version} of the ensemble is`));

/** A graph as it is served, or the members of an ensemble as one. */
async function loadArtifact(
  artifact: Artifact,
  readMember: ReadMember,
  load: LoadSession,
): Promise<{ readonly session: RunnableSession; readonly defaults: ServedGraph['defaults'] }> {
  if (artifact.modelType === ENSEMBLE)
    return { session: await EnsembleSession.load(artifact, readMember, load), defaults: new Map() };
  const { graph, defaults } = servedGraph(artifact);
  return { session: await load(graph, ''), defaults };
}

type Batching = Pick<Servable, 'inputs' | 'outputs' | 'maxRows' | 'unbatchable' | 'endedByNothing'>;

/** @throws ParleyError MODEL_BROKEN where rows must be batched, as typed services do, and cannot */
async function batchingOf({ modelType, metadata, graph }: Artifact, session: RunnableSession): Promise<Batching> {
  try {
    if (modelType === TENSOR) checkMayBatch(session.signature, metadata);
    else if (hasOpenRows(session.signature)) throw modelBroken('its rows hold lists of any length');
    const inputs = session.signature.inputs.map((spec) => slotOf(spec, `input "${spec.name}"`));
    const outputs = await measureOutputs(session, inputs);
    if (modelType === TENSOR || hasTensorMember(session)) await checkIndependence(session, inputs, outputs);
    const maxRows = await measureRows(session, inputs);
    return { inputs, outputs, maxRows, unbatchable: undefined, endedByNothing: [] };
  } catch (error) {
    const mayBeShaped = modelType === TENSOR || hasOpenRows(session.signature);
    if (!mayBeShaped || !(error instanceof ParleyError)) throw error;
    const ended = endedByNothing(readGraph(graph).operators);
    return { inputs: [], outputs: [], maxRows: 1, unbatchable: error.message, endedByNothing: ended };
  }
}

/** Whether a row of an input has an extent that is the caller's, behind rows that are one too. */
const hasOpenRows = ({ inputs }: Signature): boolean =>
  inputs.some(({ shape }) => shape.slice(1).some((extent) => extent < 0)) &&
  inputs.every(({ shape }) => shape[0] === -1);

const hasTensorMember = (session: RunnableSession): boolean =>
  session instanceof EnsembleSession && session.memberTypes.has(TENSOR);

function checkMayBatch({ inputs }: Signature, { optional_inputs }: Artifact['metadata']): void {
  if (inputs.length === 0) throw modelBroken('the graph has no inputs');
  if (optional_inputs !== undefined) throw modelBroken('the graph has inputs that a call may leave out');
}

function slotOf(
  { name, dataType, shape }: { name: string; dataType: DataType; shape: readonly number[] },
  what: string,
): Slot {
  const rowShape = shape.slice(1);
  if (shape.length === 0 || shape[0] !== -1 || rowShape.some((extent) => extent < 0)) {
    throw modelBroken(
      `${what} has the shape (${shape.join(', ')}); rows can be batched only where the first extent is open and the others are fixed`,
    );
  }
  return { name, dataType, rowShape, rowWidth: rowShape.reduce((a, b) => a * b, 1) };
}

function blankRows(inputs: readonly Slot[], rows: number) {
  return Object.fromEntries(
    inputs.map(({ name, dataType, rowShape, rowWidth }) => [
      name,
      runtimeTensor(dataType, allocate(dataType, rows * rowWidth), [rows, ...rowShape]),
    ]),
  );
}

/** One run on two blank rows tells the outputs' real shapes, and that they are batched. */
async function measureOutputs(session: RunnableSession, inputs: readonly Slot[]): Promise<Slot[]> {
  const results: Results = await session.runOnce(blankRows(inputs, 2));
  return session.signature.outputs.map(({ name, dataType }) => {
    const dims = results[name]!.dims;
    if (dims[0] !== 2)
      throw modelBroken(
        `output "${name}" has the shape (${dims.join(', ')}) for two rows; its first extent must be the rows`,
      );
    const rowShape = dims.slice(1);
    return { name, dataType, rowShape, rowWidth: rowShape.reduce((a, b) => a * b, 1) };
  });
}

async function measureRows(session: RunnableSession, inputs: readonly Slot[]): Promise<number> {
  const single = await timeOf(session, inputs, 1, 1);
  if (!session.synchronous && single * LEAST_ROWS > LANE_BUDGET_MS) return laneRows(session, inputs, single);
  if (session.synchronous && single * LEAST_ROWS > RUN_BUDGET_MS) return LEAST_ROWS;
  const budgetMs = session.synchronous ? RUN_BUDGET_MS : LANE_BUDGET_MS,
    perRowMs = (await timeOf(session, inputs, PROBE_ROWS, 3)) / PROBE_ROWS;
  return Math.min(MOST_ROWS, Math.max(LEAST_ROWS, 2 ** Math.floor(Math.log2(budgetMs / perRowMs))));
}

/** Of heavy rows: few at once, so that neighbours in the lane wait less, unless they cost less together (as where weights are read once). */
async function laneRows(session: RunnableSession, inputs: readonly Slot[], singleMs: number): Promise<number> {
  const together = await timeOf(session, inputs, LEAST_ROWS / 2, 1);
  if (together < GAIN * (LEAST_ROWS / 2) * singleMs) return LEAST_ROWS;
  return Math.max(1, Math.floor(LANE_BUDGET_MS / singleMs));
}

async function timeOf(session: RunnableSession, inputs: readonly Slot[], rows: number, runs: number): Promise<number> {
  const feeds = blankRows(inputs, rows);
  await session.runOnce(feeds);
  const begin = performance.now();
  for (let i = 0; i < runs; i++) await session.runOnce(feeds);
  return (performance.now() - begin) / runs;
}

/** The values of one output of a finished run. @throws ParleyError MODEL_BROKEN where it does not answer every row */
export function valuesOf(results: Results, slot: Slot, rows: number): TensorData {
  const values = results[slot.name]!.data as TensorData;
  if (values.length !== rows * slot.rowWidth)
    throw modelBroken(
      `output "${slot.name}" has ${values.length} values for ${rows} rows; it must have ${slot.rowWidth} for each`,
    );
  return values;
}
