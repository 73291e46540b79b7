/**
 * The load generator: a process of its own that keeps one request in flight on each connection.
 *
 * Hot path: a request is a frame made beforehand into which a sequence id and two bytes of noise are written; of a reply
 * are checked its length, that it is a reply, and the sequence id. The first reply of each connection, or each where the case
 * says so, is decoded and compared with the right answer. Reads go into one buffer that all sockets share.
 *
 * Told over IPC: { name, host, port, pid, connections, warmUpMs, windowMs }; answers one result, or { error }.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { CASES } from './cases.mjs';
import { REPLY, sequenceAt } from './wire.mjs';

/** Latencies are counted by the microsecond; what took longer counts as this. */
const MOST_US = 1 << 20;
const shared = Buffer.allocUnsafeSlow(256 << 10);

class Lane {
  constructor(asked, load) {
    this.load = load;
    this.asked = asked;
    this.frame = Buffer.from(asked.frame);
    this.sequenceAt = sequenceAt(asked.method);
    this.noiseAt = asked.noiseAt;
    this.sequence = 0;
    this.sentMs = 0;
    this.rest = undefined;
  }

  /** Resolves when the first answer was the right one. */
  open(host, port) {
    return new Promise((resolve, reject) => {
      this.ready = resolve;
      this.fail = reject;
      const callback = (size) => {
        this.read(shared.subarray(0, size));
        return true;
      };
      this.socket = net.connect({ host, port, noDelay: true, onread: { buffer: shared, callback } });
      this.socket.on('error', reject);
      this.socket.on('close', () => this.load.failed(new Error('the server closed a connection')));
      this.socket.on('connect', () => this.send());
    });
  }

  send() {
    this.sentMs = performance.now();
    this.socket.write(this.frame);
  }

  read(bytes) {
    if (this.rest !== undefined) bytes = Buffer.concat([this.rest, bytes]);
    if (bytes.length < 4 || bytes.length < bytes.readInt32BE(0) + 4) {
      this.rest = Buffer.from(bytes);
      return;
    }
    this.rest = undefined;
    try {
      this.answered(bytes);
    } catch (error) {
      this.fail(error);
      this.load.failed(error);
    }
  }

  answered(reply) {
    const { frame, sequence, load } = this;
    const size = reply.readInt32BE(0) + 4;
    if (reply.length !== size) throw new Error(`${reply.length} bytes arrived where a reply of ${size} was due`);
    if (reply.readInt32BE(4) !== REPLY) throw new Error(`not a reply: ${reply.toString('latin1', 4)}`);
    const answeredSequence = reply.readInt32BE(this.sequenceAt);
    if (answeredSequence !== sequence) throw new Error(`the reply to ${answeredSequence}, ${sequence} was asked`);
    const tookMs = performance.now() - this.sentMs;
    if (this.ready !== undefined || this.asked.checksAll) this.answeredBy(this.asked.check(reply, frame), tookMs);
    if (this.ready !== undefined) {
      this.ready();
      this.ready = undefined;
    } else load.count(tookMs);
    if (!load.running) return;
    this.sequence = (sequence + 1) & 0x7fffffff;
    frame.writeInt32BE(this.sequence, this.sequenceAt);
    frame.writeUInt16LE(this.sequence & 0xffff, this.noiseAt);
    this.send();
  }

  /** Counts the first answer of each version that takes over. */
  answeredBy(version, tookMs) {
    if (version !== this.version && this.load.measuring) this.load.firstsUs.push(Math.round(tookMs * 1000));
    this.version = version;
  }
}

class Load {
  firstsUs = [];
  running = false;
  measuring = false;
  error = undefined;
  answers = 0;
  latencies = new Uint32Array(MOST_US);

  count(ms) {
    if (!this.measuring) return;
    this.answers++;
    this.latencies[Math.min(MOST_US - 1, (ms * 1000) | 0)]++;
  }

  failed(error) {
    if (this.running) this.error ??= error;
    this.running = false;
  }

  percentileUs(share) {
    let left = Math.ceil(this.answers * share);
    for (let us = 0; us < MOST_US; us++) if ((left -= this.latencies[us]) <= 0) return us;
    return MOST_US;
  }
}

async function measure({ name, host, port, pid, connections, warmUpMs, windowMs }) {
  const load = new Load();
  const lanes = Array.from({ length: connections }, () => new Lane(CASES[name], load));
  try {
    await Promise.all(lanes.map((lane) => lane.open(host, port)));
    load.running = true;
    for (const lane of lanes) lane.send();
    await setTimeout(warmUpMs);
    const before = snapshot(pid);
    load.measuring = true;
    await setTimeout(windowMs);
    load.measuring = false;
    const after = snapshot(pid);
    if (load.error !== undefined) throw load.error;
    const wallMs = after.ms - before.ms;
    return {
      requests: load.answers,
      perSecond: (load.answers / wallMs) * 1000,
      cpuUs: (after.serverUs - before.serverUs) / load.answers,
      p50Us: load.percentileUs(0.5),
      p99Us: load.percentileUs(0.99),
      firstsUs: load.firstsUs.sort((a, b) => a - b),
      serverBusy: (after.serverUs - before.serverUs) / 1000 / wallMs,
      generatorBusy: (after.ownUs - before.ownUs) / 1000 / wallMs,
    };
  } finally {
    load.running = false;
    for (const { socket } of lanes) socket?.destroy();
  }
}

function snapshot(pid) {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), ownUs: user + system, serverUs: cpuTimeUs(pid) };
}

/** Kernel ticks of /proc are hundredths of a second on every Linux that Node runs on. */
function cpuTimeUs(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    const [seconds, minutes, rest = 0] = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/[-:]/)
      .reverse()
      .map(Number);
    return (seconds + minutes * 60 + rest * 3600) * 1e6;
  }
}

process.on('disconnect', () => process.exit());
// Ctrl-C is the parent's to handle.
process.on('SIGINT', () => {});
process.on('message', async (order) => {
  try {
    process.send({ result: await measure(order) });
  } catch (error) {
    process.send({ error: error.message });
  }
});
