/**
 * A lane's process: loads graphs and runs them, one after the other, in the order of the frames on its socket.
 *
 * It gives way to the serving process (nice), and ends when the socket does.
 */
import { readFileSync, writeSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ERROR_CODES, modelBroken, ParleyError } from '../../errors.js';
import type { DataType, TensorData } from '../../model/tensor.js';
import { divideSafely } from '../../onnx/division.js';
import { type Feeds, type Fetches, feedsOf, type Results, runtimeTensor, Session } from '../../onnx/session.js';
import { BlockingFrames } from './frame-readers.js';
import { answerFrame, type Frame, KIND, type Piece, Reader, textFrame } from './frames.js';
import { textOf } from './replies.js';

const SOCKET = 3;

const [parent, folder, nice] = process.argv.slice(2) as [string, string, string];

// The main thread may be inside a graph that never returns, and hear of nothing.
new Worker(new URL('../../registry/parent-watch.js', import.meta.url), {
  workerData: { parent: Number(parent), folder },
}).unref();
// After the watch has started, which is not to wait for a core.
setPriority(Math.min(getPriority() + Number(nice), constants.priority.PRIORITY_LOW));

// They reach all of a terminal's or a service's processes: the server decides when its lanes end.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const sessions = new Map<number, Session>();

async function load(frame: Frame, cpu: Cpu): Promise<Buffer> {
  const { session: id } = frame;
  const session = await Session.load(await divideSafely(readFileSync(textOf(frame).text)));
  sessions.get(id)?.release();
  sessions.set(id, session);
  return textFrame(KIND.loaded, id, JSON.stringify(session.signature), cpu.spentMs());
}

async function run(frame: Frame, cpu: Cpu): Promise<Buffer> {
  const session = sessions.get(frame.session);
  if (session === undefined) throw modelBroken('the graph could not be loaded');
  const reader = new Reader(frame);
  const [feedCount, fetchCount] = [reader.word(), reader.word()];
  const { inputs, outputs } = session.signature;
  const fetched = reader.words(fetchCount);
  const feeds = feedsOf(
    reader
      .pieces(feedCount)
      .map(({ slot, dataType, data, shape }) => [inputs[slot]!.name, runtimeTensor(dataType, data, shape)] as const),
  );
  const results = await resultsOf(
    session,
    feeds,
    Object.fromEntries(fetched.map((slot) => [outputs[slot]!.name, null])),
  );
  const spentMs = cpu.spentMs();
  return answerFrame(
    frame.session,
    spentMs,
    fetched.map((slot) => pieceOf(slot, results[outputs[slot]!.name]!)),
  );
}

const resultsOf = (session: Session, feeds: Feeds, fetches: Fetches): Promise<Results> =>
  new Promise((resolve, reject) => {
    session.run(feeds, fetches, (error, results) => (results === undefined ? reject(error) : resolve(results)));
  });

const pieceOf = (slot: number, { type, dims, data }: Results[string]): Piece => ({
  slot,
  dataType: type as DataType,
  shape: dims,
  data: data as TensorData,
});

/** What a job costs. */
class Cpu {
  readonly #before = process.cpuUsage();

  spentMs(): number {
    const { user, system } = process.cpuUsage(this.#before);
    return (user + system) / 1000;
  }
}

async function replyTo(frame: Frame): Promise<Buffer | undefined> {
  const cpu = new Cpu();
  try {
    if (frame.kind === KIND.load) return await load(frame, cpu);
    if (frame.kind === KIND.run) return await run(frame, cpu);
    sessions.get(frame.session)?.release();
    sessions.delete(frame.session);
    return undefined;
  } catch (error) {
    const code = error instanceof ParleyError ? ERROR_CODES[error.code].number : 0;
    const message = error instanceof Error ? error.message : String(error);
    return textFrame(KIND.failed, frame.session, message, cpu.spentMs(), code);
  }
}

/** The socket blocks. @returns whether the server is still there */
function send(bytes: Buffer): boolean {
  try {
    for (let sent = 0; sent < bytes.length; ) sent += writeSync(SOCKET, bytes, sent);
    return true;
  } catch {
    return false;
  }
}

const frames = new BlockingFrames(SOCKET);
let connected = send(textFrame(KIND.ready, 0, ''));
while (connected) {
  const frame = frames.next();
  if (frame === undefined) break;
  const reply = await replyTo(frame);
  if (reply !== undefined) connected = send(reply);
}
process.exit(0);
