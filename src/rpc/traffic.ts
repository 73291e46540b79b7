/** What goes through a port: plain numbers that are read when somebody asks. Hot path. */

/** Why a connection ended, by what `Connection.close` is told; whatever else it is told was wrong with the bytes. */
const REASONS: Readonly<Record<string, string>> = {
  idle: 'idle',
  'a frame that does not end': 'partial_frame',
  'does not take its replies': 'slow_reader',
  'the server stops': 'stopped',
  'it keeps the most of too many bytes': 'flooded',
  'too many calls without a right token': 'unauthenticated',
};

export class Traffic {
  /** Connections; those that were refused were one too many. */
  accepted = 0;
  refused = 0;
  open = 0;
  /** Connections that ended, by a reason of a few. */
  readonly closed = new Map<string, number>([
    ['peer', 0],
    ['malformed', 0],
    ...Object.values(REASONS).map((reason) => [reason, 0] as const),
  ]);
  /** Whole frames and their replies, and bytes of sockets. */
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  bytesOut = 0;

  began(): void {
    this.accepted++;
    this.open++;
  }

  /** @param reason undefined: the caller ended it, or the server when both were done */
  ended(reason: string | undefined): void {
    this.open--;
    const label = reason === undefined ? 'peer' : (REASONS[reason] ?? 'malformed');
    this.closed.set(label, (this.closed.get(label) ?? 0) + 1);
  }
}
