/** Numbers of any of the wire's types. */
import { BOOL, BYTE, DOUBLE, I16, I32, type WireReader } from '../wire/protocol.js';

/** The number at the reader's position. @param type of the wire; a bool is 0 or 1 */
export function numberOf(reader: WireReader, type: number): number {
  return type === DOUBLE
    ? reader.double()
    : type === I32
      ? reader.i32()
      : type === I16
        ? reader.i16()
        : type === BYTE
          ? reader.byte()
          : type === BOOL
            ? reader.bool()
              ? 1
              : 0
            : reader.i64();
}
