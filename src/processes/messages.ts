/** What the supervisor and its serving processes tell each other: JSON, by the channel between them. */
import type { ErrorCode } from '../errors.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Of a process that answers calls. */
export interface Ready {
  readonly thrift: Address;
  readonly services: readonly string[];
}

export type ToProcess =
  | { readonly to: 'begin'; readonly options: object }
  /** Answer what was accepted, then end. */
  | { readonly to: 'stop' }
  /** Read files again that are followed. */
  | { readonly to: 'hang-up' }
  /** `about` narrows what is asked. */
  | { readonly to: 'ask'; readonly id: number; readonly what: string; readonly about?: string };

export type FromProcess =
  /** It hears now; what it was told before is lost. */
  | { readonly from: 'waiting' }
  | ({ readonly from: 'ready' } & Ready)
  /** It cannot begin, and ends. */
  | { readonly from: 'refusal'; readonly code: ErrorCode; readonly message: string }
  | { readonly from: 'answer'; readonly id: number; readonly value: unknown };
