/** Contracts, their differences and proposals, and the structs of idl/parley.thrift that carry them, both ways. */
import types from '../../gen/parley_types.js';
import type { Breaks, ContractChange } from '../contract/change.js';
import { present, type Wire } from './registry-mapping.js';

const BREAKS: readonly Breaks[] = ['callers', 'models', 'source'];

export const differenceToWire = (change: ContractChange): types.ContractDifference =>
  new types.ContractDifference({
    path: change.path,
    breaking: change.breaks.includes('callers'),
    message: change.message,
    kind: change.kind,
    why: change.why,
    breaks: [...change.breaks],
    touches_verdict: change.touchesVerdict,
  } as never);

export const differenceFromWire = (wire: Wire<types.ContractDifference>): ContractChange => ({
  path: wire.path ?? '',
  kind: wire.kind ?? '',
  message: wire.message ?? '',
  why: wire.why ?? '',
  breaks:
    wire.breaks == null ? (wire.breaking ? ['callers'] : []) : BREAKS.filter((each) => wire.breaks!.includes(each)),
  touchesVerdict: wire.touches_verdict === true,
});

export const differencesFromWire = (wire: readonly unknown[] | null | undefined): readonly ContractChange[] =>
  (wire ?? []).map((each) => differenceFromWire(each as Wire<types.ContractDifference>));

export const includesFromWire = (map: unknown): Readonly<Record<string, string>> =>
  present({ ...((map ?? {}) as Record<string, string>) });
