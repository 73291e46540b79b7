/** What one caller may cost the others. */
export interface Limits {
  /** What comes beyond is closed as it comes. */
  readonly connections: number;
  readonly frameBytes: number;
  /** Calls of one connection that are not answered yet; reading pauses there. */
  readonly callsPerConnection: number;
  /** Of all connections together; reading pauses there. */
  readonly calls: number;
  /** Bytes of replies that one connection has not taken, or of its calls that wait; reading pauses there. */
  readonly bufferedBytes: number;
  /** Of all connections together, frames that are not whole included; what keeps the most is closed there. */
  readonly allBufferedBytes: number;
  /** A caller must have done its part of TLS by then. */
  readonly handshakeTimeoutMs: number;
  /** A connection that does not take its replies for this long is closed. */
  readonly writeTimeoutMs: number;
  /** A frame must be whole this long after its first byte. */
  readonly partialFrameTimeoutMs: number;
  /** A connection without calls is closed after this long. */
  readonly idleTimeoutMs: number;
  /** How long accepted calls may take to finish when the server stops. */
  readonly drainMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  connections: 4_096,
  frameBytes: 64 << 20,
  callsPerConnection: 1_024,
  calls: 65_536,
  bufferedBytes: 8 << 20,
  allBufferedBytes: 1 << 30,
  handshakeTimeoutMs: 10_000,
  writeTimeoutMs: 30_000,
  partialFrameTimeoutMs: 30_000,
  idleTimeoutMs: 3_600_000,
  drainMs: 30_000,
};

/** Rows of one call: what a small frame may cost in columns, time and answers stays bounded. */
export const MOST_ROWS = 100_000;
