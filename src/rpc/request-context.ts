/** RequestContext of idl/parley.thrift, read from a frame without an object for what is not there. */
import { parseTraceParent, type TraceParent } from './spans.js';
import { I32, MAP, STOP, STRING, STRUCT, type WireReader } from './wire/protocol.js';

/** Of a trace's map; two are known. */
const MOST_ENTRIES = 16;

export class ContextFields {
  requestId: string | undefined;
  /** 0: none. */
  timeoutMs = 0;
  trace: TraceParent | undefined;
  /** Where the token stands in the frame; a length of 0: none. It is never made a string. */
  tokenAt = 0;
  tokenLength = 0;

  /** @param traced whether anyone asks for `trace` */
  constructor(private readonly traced = false) {}

  clear(): void {
    this.requestId = this.trace = undefined;
    this.timeoutMs = 0;
    this.tokenLength = 0;
  }

  /** Reads the struct at the reader's position. */
  read(reader: WireReader): void {
    reader.structBegin();
    for (let type = reader.field(); type !== STOP; type = reader.field()) {
      if (reader.fieldId === 1 && type === STRING) {
        const length = reader.span();
        this.requestId = reader.buffer.toString('utf8', reader.spanAt, reader.spanAt + Math.min(length, 256));
      } else if (reader.fieldId === 2 && type === I32) this.timeoutMs = reader.i32();
      else if (reader.fieldId === 3 && type === STRING) {
        this.tokenLength = reader.span();
        this.tokenAt = reader.spanAt;
      } else if (this.traced && reader.fieldId === 4 && type === MAP) this.trace = readTrace(reader);
      else reader.skip(type);
    }
    reader.structEnd();
  }

  /** On performance.now()'s clock. */
  deadline(arrivedMs: number): number {
    return this.timeoutMs > 0 ? arrivedMs + this.timeoutMs : Number.POSITIVE_INFINITY;
  }
}

/** The two entries that are known, of a map of texts; what else is there is passed over. */
function readTrace(reader: WireReader): TraceParent | undefined {
  let parent = '',
    state: string | undefined;
  reader.mapBegin();
  const { size, keyType, elementType } = reader,
    texts = keyType === STRING && elementType === STRING;
  for (let i = 0; i < size; i++) {
    if (!texts || i >= MOST_ENTRIES) {
      reader.skip(keyType);
      reader.skip(elementType);
      continue;
    }
    const key = readText(reader),
      value = readText(reader);
    if (key === 'traceparent') parent = value;
    else if (key === 'tracestate') state = value;
  }
  return parseTraceParent(parent, state);
}

/** Of a longer one only so much that it shows. */
function readText(reader: WireReader): string {
  const length = reader.span();
  return reader.buffer.toString('latin1', reader.spanAt, reader.spanAt + Math.min(length, 1_024));
}

/** Reads the context that stands at a path of field ids in the struct at the reader's position. */
export function readContext(reader: WireReader, context: ContextFields, path: readonly (number | undefined)[]): void {
  const [id, ...rest] = path;
  reader.structBegin();
  for (let type = reader.field(); type !== STOP; type = reader.field()) {
    if (reader.fieldId !== id || type !== STRUCT) reader.skip(type);
    else if (rest.length > 0) readContext(reader, context, rest);
    else context.read(reader);
  }
  reader.structEnd();
}
