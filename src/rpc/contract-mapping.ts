/** Contracts, their differences and proposals, and the structs of idl/parley.thrift that carry them, both ways. */
import types from '../../gen/parley_types.js';
import { BREAKS, type ContractChange } from '../contract/change.js';
import type { ContractProposal, PublishedContract } from '../model/registry-port.js';
import { present, type Wire, wireInt } from './registry-mapping.js';

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

export const publishedToWire = (published: PublishedContract): types.PublishContractResponse =>
  new types.PublishContractResponse(
    present({
      model: published.model,
      services: [...published.services],
      fingerprint: published.fingerprint,
      fixture_fingerprint: published.fixtureFingerprint,
      differences: published.differences.map(differenceToWire),
      proposed: published.proposed,
      verdicts_stand: published.verdictsStand,
    }) as never,
  );

export const publishedFromWire = (wire: Wire<types.PublishContractResponse>): PublishedContract =>
  present({
    model: wire.model ?? '',
    services: [...(wire.services ?? [])],
    fingerprint: wire.fingerprint ?? '',
    fixtureFingerprint: wire.fixture_fingerprint,
    differences: differencesFromWire(wire.differences),
    proposed: wire.proposed,
    verdictsStand: wire.verdicts_stand,
  }) as PublishedContract;

export const proposalToWire = (proposal: ContractProposal): types.ContractProposal =>
  new types.ContractProposal(
    present({
      model: proposal.model,
      fingerprint: proposal.fingerprint,
      services: [...proposal.services],
      proposed_by: proposal.proposedBy,
      at: wireInt(proposal.at),
      reason: proposal.reason,
      previous_contract_fingerprint: proposal.previousContractFingerprint,
      fixture_fingerprint: proposal.fixtureFingerprint,
      allow_breaking: proposal.allowBreaking,
      differences: proposal.differences.map(differenceToWire),
      idl: proposal.idl,
      includes: proposal.includes,
    }) as never,
  );

export const proposalFromWire = (wire: Wire<types.ContractProposal>): ContractProposal =>
  present({
    model: wire.model ?? '',
    fingerprint: wire.fingerprint ?? '',
    services: [...(wire.services ?? [])],
    proposedBy: wire.proposed_by ?? '',
    at: Number(wire.at ?? 0),
    reason: wire.reason,
    previousContractFingerprint: wire.previous_contract_fingerprint,
    fixtureFingerprint: wire.fixture_fingerprint,
    allowBreaking: wire.allow_breaking,
    differences: differencesFromWire(wire.differences),
    idl: wire.idl ?? '',
    includes: includesFromWire(wire.includes),
  }) as ContractProposal;
