/**
 * Reads of all connections into one buffer.
 *
 * By default Node allocates 64 KiB for every read, and the collector has to find out that they are free again: 1.2 to 1.8 µs of
 * CPU a call, and a full collection for every few images. `net.Socket`'s option `onread` reads into a buffer of the user's
 * instead, but a server's sockets are made without options; so what that option sets is set afterwards.
 * These are Node's own fields: where they are not as expected, nothing is done, and `data` events are as good.
 */
import { Socket } from 'node:net';

/** As much as Node reads at a time without it: libuv reads up to 32 times a turn, and the turn's replies are held until its end. */
const BUFFER_BYTES = 64 << 10;

interface Fields {
  readonly buffer: symbol;
  readonly onRead: symbol;
}

interface Handle {
  useUserBuffer?(buffer: Uint8Array): void;
}

const fields = findFields();
const shared = Buffer.allocUnsafeSlow(fields === undefined ? 0 : BUFFER_BYTES);

/**
 * @param onRead is called with the buffer that all connections share: what it does not use at once it must copy. It says whether
 *   to go on reading; false is needed besides `pause`, which Node forgets when it follows a `resume` in the same turn
 * @returns false: nothing was done
 */
export function readIntoShared(socket: Socket, onRead: (buffer: Buffer, length: number) => boolean): boolean {
  const handle = (socket as { _handle?: Handle | null })._handle;
  if (fields === undefined || socket.constructor !== Socket || typeof handle?.useUserBuffer !== 'function')
    return false;
  if (!(fields.buffer in socket) || socket.readableLength > 0) return false;
  Object.assign(socket, {
    [fields.buffer]: shared,
    [fields.onRead]: (length: number) => onRead(shared, length),
  });
  handle.useUserBuffer(shared);
  return true;
}

/** What `onread` sets on a socket of this Node; undefined where that is something else. */
function findFields(): Fields | undefined {
  const buffer = Buffer.alloc(1),
    callback = () => true;
  const socket = new Socket({ onread: { buffer, callback } } as never) as unknown as Record<symbol, unknown>;
  const symbols = Object.getOwnPropertySymbols(socket);
  const [first, ...others] = symbols.filter((symbol) => socket[symbol] === buffer);
  const [onRead, ...more] = symbols.filter((symbol) => socket[symbol] === callback);
  (socket as unknown as Socket).destroy();
  if (first === undefined || onRead === undefined || others.length + more.length > 0) return undefined;
  return { buffer: first, onRead };
}
