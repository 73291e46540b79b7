/**
 * A server of its own process whose answers are scripted: the real transport, and no model behind it.
 *
 * Given as an argument: { delayMs?, overloadedEvery?, refusedEvery?, closeEvery?, wrongAt? }, counted by call. Says its port over IPC;
 * asked anything, it says how many calls came, the most that one connection had under way, and tokens that were shown.
 */
import { pino } from 'pino';
import type { Connection } from '#parley/rpc/connection.js';
import { DEFAULT_LIMITS } from '#parley/rpc/limits.js';
import { RpcServer } from '#parley/rpc/server.js';
import { BinaryReader } from '#parley/rpc/wire/binary.js';
import { CompactReader } from '#parley/rpc/wire/compact.js';
import { EXCEPTION, I32, REPLY, STRING, STRUCT, type WireWriter } from '#parley/rpc/wire/protocol.js';
import { Batcher } from '#parley/serving/batcher.js';
import type { Script } from './answering.js';

const OVERLOADED = 5;
const VERSION = 'ab'.repeat(32);
const script = JSON.parse(process.argv[2]!) as Script;
const underWay = new Map<Connection, number>();
let calls = 0,
  mostUnderWay = 0,
  pings = 0;

interface Call {
  readonly compact: boolean;
  readonly name: Buffer;
  readonly sequence: number;
  readonly number: number;
}

function onFrame(connection: Connection, buffer: Buffer, start: number, end: number): void {
  const compact = buffer[start] === 0x82,
    reader = compact ? new CompactReader() : new BinaryReader();
  reader.reset(buffer, start, end);
  reader.messageBegin();
  const name = Buffer.from(buffer.subarray(reader.nameAt, reader.nameAt + reader.nameLength));
  const isPing = name.toString() === 'ping';
  if (isPing) pings++;
  const call = { compact, name, sequence: reader.sequenceId, number: isPing ? 0 : ++calls };
  const now = (underWay.get(connection) ?? 0) + 1;
  underWay.set(connection, now);
  mostUnderWay = Math.max(mostUnderWay, now);
  const reply = () => {
    underWay.set(connection, underWay.get(connection)! - 1);
    if (!connection.closed) answer(connection, call);
  };
  if (script.delayMs === undefined || isPing) reply();
  else setTimeout(reply, script.delayMs);
}

const every = (number: number, nth: number | undefined) => nth !== undefined && number > 0 && number % nth === 0;

function answer(connection: Connection, { compact, name, sequence, number }: Call): void {
  if (every(number, script.closeEvery)) {
    connection.close();
    return;
  }
  const writer = connection.begin(compact),
    refused = every(number, script.refusedEvery);
  writer.messageBegin(name, refused ? EXCEPTION : REPLY, sequence + (number === script.wrongAt ? 1 : 0));
  writer.structBegin();
  if (refused) {
    writer.field(STRING, 1);
    writer.text('who is that?');
  } else if (every(number, script.overloadedEvery)) writeOverloaded(writer);
  else writeAnswer(writer);
  writer.structEnd();
  connection.finish(writer);
}

function writeOverloaded(writer: WireWriter): void {
  writer.field(STRUCT, 1);
  writer.structBegin();
  writer.field(I32, 1);
  writer.i32(OVERLOADED);
  writer.field(STRING, 2);
  writer.text('too much');
  writer.structEnd();
}

function writeAnswer(writer: WireWriter): void {
  writer.field(STRUCT, 0);
  writer.structBegin();
  writer.field(STRUCT, 1);
  writer.structBegin();
  writer.field(STRING, 3);
  writer.text(VERSION);
  writer.structEnd();
  writer.structEnd();
}

const server = new RpcServer(onFrame, new Batcher(), DEFAULT_LIMITS, pino({ level: 'silent' }));
const { port } = await server.listen('127.0.0.1', 0);
process.on('message', () => process.send!({ calls, mostUnderWay, pings }));
process.on('disconnect', () => process.exit());
process.send!({ port });
