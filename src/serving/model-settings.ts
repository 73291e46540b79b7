/** How a server answers for a model, as its operator wishes. Counts, and times in the units that their names say. */
import { DEFAULT_MAX_QUEUE_MS } from './queue-bound.js';

export interface ModelSettings {
  /** Answers that are kept for each loaded version; 0: none. */
  readonly cache: number;
  /** How long a batch that is not full waits for more rows, at most. */
  readonly maxDelayUs: number;
  /** How much work may wait, as its estimated time. */
  readonly maxQueueMs: number;
}

export const DEFAULT_SETTINGS: ModelSettings = { cache: 0, maxDelayUs: 0, maxQueueMs: DEFAULT_MAX_QUEUE_MS };

/** The settings of a model, by its name. */
export type SettingsOf = (model: string) => ModelSettings;
