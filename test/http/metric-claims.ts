/** The metrics of the code, and what docs/metrics.md says that they are. */
import { pathToFileURL } from 'node:url';
import type { Metric } from '#parley/http/metric.js';

interface Script {
  metricTable(): readonly Metric[];
  tableText(): string;
  claimedTable(): string;
}

export interface Claims {
  readonly metrics: readonly Metric[];
  /** The table as it is to be, and as it is. */
  readonly table: string;
  readonly claimed: string;
}

export async function claims(): Promise<Claims> {
  const script = (await import(pathToFileURL('scripts/metrics.mjs').href)) as Script;
  return { metrics: script.metricTable(), table: script.tableText(), claimed: script.claimedTable() };
}
