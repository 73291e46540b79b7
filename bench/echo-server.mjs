/** Parley's transport and nothing behind it: each frame comes back as the reply that it would be if its arguments were the answer. */
import { pino } from 'pino';
import { DEFAULT_LIMITS } from '../dist/rpc/limits.js';
import { RpcServer } from '../dist/rpc/server.js';
import { Batcher } from '../dist/serving/batcher.js';

const REPLY = 2;

function onFrame(connection, buffer, start, end) {
  const nameLength = buffer.readInt32BE(start + 4);
  buffer[start + 3] = REPLY;
  // The argument's field, number 1, becomes the result's, number 0.
  buffer.writeInt16BE(0, start + 12 + nameLength + 1);
  connection.reply(buffer.subarray(start - 4, end));
}

const server = new RpcServer(onFrame, new Batcher(), DEFAULT_LIMITS, pino({ level: 'silent' }));
const thrift = await server.listen('127.0.0.1', 0);
console.log(JSON.stringify({ pid: process.pid, thrift }));
