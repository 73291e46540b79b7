/**
 * Protocol buffers field by field, as views of their bytes: what is not looked at is neither copied nor changed.
 *
 * A graph that is rewritten keeps every byte that the change does not concern, weights and unknown fields too.
 */
import { modelBroken } from '../errors.js';

const VARINT = 0,
  FIXED64 = 1,
  LENGTH = 2,
  FIXED32 = 5;

export interface Field {
  readonly number: number;
  /** The whole field, with its tag. */
  readonly bytes: Uint8Array;
  /** What a length-delimited or fixed field holds; empty for a varint. */
  readonly payload: Uint8Array;
  /** Two's complement, as protocol buffers write an int64; 0 where the field is no varint. */
  readonly varint: bigint;
}

/** @throws ParleyError MODEL_BROKEN where the bytes end inside a field or hold a group */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const cursor = { bytes: message, at: 0 };
  while (cursor.at < message.length) {
    const start = cursor.at,
      tag = Number(readVarint(cursor));
    let varint = 0n,
      from = cursor.at;
    switch (tag & 7) {
      case VARINT:
        varint = readVarint(cursor);
        from = cursor.at;
        break;
      case FIXED64:
        cursor.at += 8;
        break;
      case FIXED32:
        cursor.at += 4;
        break;
      case LENGTH: {
        const length = Number(readVarint(cursor));
        from = cursor.at;
        cursor.at += length;
        break;
      }
      default:
        throw cutShort();
    }
    if (cursor.at > message.length) throw cutShort();
    yield {
      number: Math.floor(tag / 8),
      bytes: message.subarray(start, cursor.at),
      payload: message.subarray(from, cursor.at),
      varint: BigInt.asIntN(64, varint),
    };
  }
}

/** A repeated int64, packed or not. */
export function integersOf(message: Uint8Array, number: number): bigint[] {
  const found: bigint[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== number) continue;
    if ((field.bytes[0]! & 7) === VARINT) found.push(field.varint);
    else {
      const cursor = { bytes: field.payload, at: 0 };
      while (cursor.at < field.payload.length) found.push(BigInt.asIntN(64, readVarint(cursor)));
    }
  }
  return found;
}

/** The first field of a number. */
export function fieldOf(message: Uint8Array, number: number): Field | undefined {
  for (const field of fieldsOf(message)) if (field.number === number) return field;
  return undefined;
}

export const payloadsOf = (message: Uint8Array, number: number): Uint8Array[] =>
  [...fieldsOf(message)].filter((field) => field.number === number).map((field) => field.payload);

/** Strings that are not UTF-8 come with replacement characters. */
export const textOf = (bytes: Uint8Array | undefined): string => (bytes === undefined ? '' : decoder.decode(bytes));

export const textsOf = (message: Uint8Array, number: number): string[] => payloadsOf(message, number).map(textOf);

/** A length-delimited field around `payload`. */
export function fieldAround(number: number, payload: Uint8Array): Uint8Array {
  return concatenated([
    Uint8Array.from([...varintBytes(number * 8 + LENGTH), ...varintBytes(payload.length)]),
    payload,
  ]);
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const decoder = new TextDecoder();

function readVarint(cursor: { readonly bytes: Uint8Array; at: number }): bigint {
  let low = 0,
    high = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw cutShort();
    if (i < 4) low += (byte & 127) * 2 ** (7 * i);
    else high |= BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) return high | BigInt(low);
  }
  throw cutShort();
}

function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

const cutShort = () => modelBroken('the ONNX file is cut short: it ends inside a field');
