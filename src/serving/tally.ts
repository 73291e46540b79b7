/** What one model has answered in this process: plain numbers that are read when somebody asks. Hot path. */
export class Tally {
  /** Calls. */
  succeeded = 0;
  failed = 0;
  /** Rows of the calls that succeeded. */
  rows = 0;
  /** Runs of the graph, warm-ups among them. */
  runs = 0;
  computeUs = 0;
}
