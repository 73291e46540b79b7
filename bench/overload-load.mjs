/**
 * An open loop: calls are due at a steady rate whatever the server does, many in flight on each connection.
 *
 * Latency counts from the moment at which a call was due. Told over IPC: { host, port, pid, frame, noiseAt, rate,
 * connections, timeoutMs, warmUpMs, windowMs }; answers one result, or { error }.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { REPLY, sequenceAt } from './wire.mjs';

const TICK_MS = 1;
/** Calls in flight on one connection whose due times are kept. */
const RING = 1 << 17;
const SEQUENCE_AT = sequenceAt('predict');
/** Behind the sequence id: the result struct's first field, its type and its id. */
const FIELD_ID_AT = SEQUENCE_AT + 4 + 2;
/** In an error: its struct's first field is the code, an i32. */
const CODE_AT = FIELD_ID_AT + 1 + 3;
const OVERLOADED = 5,
  DEADLINE_EXCEEDED = 6;

class Lane {
  constructor(order, count) {
    this.frame = Buffer.from(order.frame, 'base64');
    this.noiseAt = order.noiseAt;
    this.count = count;
    this.sequence = 0;
    this.due = new Float64Array(RING);
    this.rest = Buffer.alloc(0);
  }

  open({ host, port }) {
    return new Promise((resolve, reject) => {
      this.socket = net.connect({ host, port, noDelay: true }, resolve);
      this.socket.on('error', reject);
      this.socket.on('data', (bytes) => this.read(bytes));
    });
  }

  /** Calls that were due between two moments. */
  send(from, to, calls) {
    const { frame } = this,
      bytes = Buffer.allocUnsafe(frame.length * calls);
    for (let i = 0; i < calls; i++) {
      const at = i * frame.length;
      frame.copy(bytes, at);
      this.sequence = (this.sequence + 1) & 0x7fffffff;
      bytes.writeInt32BE(this.sequence, at + SEQUENCE_AT);
      bytes.writeUInt16LE(this.sequence & 0xffff, at + this.noiseAt);
      this.due[this.sequence & (RING - 1)] = from + ((to - from) * i) / calls;
    }
    this.socket.write(bytes);
  }

  read(chunk) {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const now = performance.now();
    let at = 0;
    for (;;) {
      if (bytes.length - at < 4) break;
      const size = bytes.readInt32BE(at) + 4;
      if (bytes.length - at < size) break;
      if (bytes.readInt32BE(at + 4) !== REPLY) throw new Error('not a reply');
      const took = now - this.due[bytes.readInt32BE(at + SEQUENCE_AT) & (RING - 1)];
      const error = bytes[at + FIELD_ID_AT] === 0 ? 0 : bytes.readInt32BE(at + CODE_AT);
      this.count(error, took);
      at += size;
    }
    this.rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  }
}

const cpuMs = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

async function measure(order) {
  const { rate, connections, timeoutMs, warmUpMs, windowMs, pid } = order;
  const counts = { sent: 0, answered: 0, late: 0, overloaded: 0, expired: 0, other: 0 },
    latencies = [];
  let measuring = false;
  const count = (error, took) => {
    if (!measuring) return;
    if (error === 0) {
      counts.answered++;
      if (timeoutMs > 0 && took > timeoutMs) counts.late++;
      latencies.push(took);
    } else if (error === OVERLOADED) counts.overloaded++;
    else if (error === DEADLINE_EXCEEDED) counts.expired++;
    else counts.other++;
  };
  const lanes = Array.from({ length: connections }, () => new Lane(order, count));
  await Promise.all(lanes.map((lane) => lane.open(order)));
  let last = performance.now(),
    owed = 0,
    turn = 0;
  const began = last;
  await new Promise((resolve) => {
    let before = 0,
      startedAt = 0;
    const tick = () => {
      const now = performance.now();
      owed += ((now - last) * rate) / 1000;
      const due = Math.floor(owed);
      owed -= due;
      // A call that is due goes to the next connection; a connection's calls of one tick are one write.
      const each = Math.floor(due / connections),
        more = due - each * connections;
      for (let i = 0; i < connections; i++) {
        const calls = each + (i < more ? 1 : 0);
        if (calls > 0) lanes[(turn + i) % connections].send(last, now, calls);
      }
      turn = (turn + more) % connections;
      if (measuring) counts.sent += due;
      last = now;
      if (!measuring && startedAt === 0 && now - began > warmUpMs) {
        measuring = true;
        startedAt = now;
        before = cpuMs(pid);
      } else if (measuring && now - startedAt > windowMs) {
        measuring = false;
        counts.seconds = (now - startedAt) / 1000;
        counts.cpuSeconds = (cpuMs(pid) - before) / 1000;
        clearInterval(timer);
        resolve();
      }
    };
    const timer = setInterval(tick, TICK_MS);
  });
  for (const lane of lanes) lane.socket.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  return { ...counts, p50Ms: at(0.5), p99Ms: at(0.99) };
}

process.on('message', async (order) => {
  try {
    process.send({ result: await measure(order) });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
