/** What a contract that is to come into force does to callers and verdicts of the one that is. Pure. */
import { breaking, type ContractChange, touchesVerdict } from '../../contract/change.js';
import { compareContracts } from '../../contract/compare.js';
import type { Contract } from '../../contract/contract.js';
import { parseContract } from '../../contract/parse.js';
import { contractMismatch, ParleyError, permissionDenied } from '../../errors.js';
import type { ContractRecord } from '../../model/store-port.js';

export interface Comparison {
  /** Fingerprint of the contract in force; null: there is none. */
  readonly before: string | null;
  readonly differences: readonly ContractChange[];
  /** Whether verdicts under the contract in force say as much of this one. */
  readonly verdictsStand: boolean;
  /** Whether the contract in force, or this one, comes into force by agreement only. */
  readonly byAgreement: boolean;
}

/** A contract in force that this release cannot read may break in everything. */
export function compareWith(model: string, inForce: ContractRecord | undefined, contract: Contract): Comparison {
  if (inForce === undefined)
    return { before: null, differences: [], verdictsStand: false, byAgreement: isByAgreement(contract) };
  const before = readable(model, inForce);
  const differences = before instanceof ParleyError ? [unreadable(model, before)] : compareContracts(before, contract);
  return {
    before: inForce.fingerprint,
    differences,
    verdictsStand: !touchesVerdict(differences),
    byAgreement: isByAgreement(contract) || (!(before instanceof ParleyError) && isByAgreement(before)),
  };
}

const isByAgreement = ({ services }: Contract): boolean => services.some(({ changes }) => changes === 'agreed');

function readable(model: string, { idl, includes }: ContractRecord): Contract | ParleyError {
  try {
    return parseContract({ file: `${model}.thrift`, idl, includes });
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
}

const unreadable = (model: string, error: ParleyError): ContractChange => ({
  path: model,
  kind: 'unreadable',
  message: `the contract in force cannot be read by this release: ${error.message}`,
  why: 'nothing can be said of what its callers rely on',
  breaks: ['callers', 'models', 'source'],
  touchesVerdict: true,
});

/** Differences that a refusal's message says; its problems are all of them. */
const MOST_SAID = 20;

/** @throws ParleyError CONTRACT_MISMATCH with every difference that breaks callers, unless there is a reason for it */
export function checkBreaks(
  contract: Contract,
  { before, differences }: Comparison,
  allowed: string | undefined,
): void {
  const found = breaking(differences, ['callers']);
  if (found.length === 0 || (allowed !== undefined && allowed.trim() !== '')) return;
  const told = found.slice(0, MOST_SAID).map(({ path, message, why }) => `  ${path}: ${message}; ${why}`);
  if (found.length > MOST_SAID) told.push(`  and ${found.length - MOST_SAID} more`);
  throw contractMismatch(
    `this contract breaks callers of the one in force for model "${contract.model}" (${before?.slice(0, 12)}), which was not changed:\n${told.join('\n')}\nKeep what callers rely on, or publish with --allow-breaking REASON, which goes into the ledger`,
    { problems: found.map(({ path, message, why }) => ({ path, message: `${message}; ${why}` })) },
  );
}

/** @throws ParleyError PERMISSION_DENIED where one alone may not change what is in force */
export function checkAgreement({ model }: Contract, { byAgreement }: Comparison): void {
  if (!byAgreement) return;
  throw permissionDenied(
    `the contract of model "${model}" says changes = "agreed": it is proposed by one and agreed to by another. Propose it with "parley contract publish PROJECT --propose"; somebody else then puts it in force with "parley contract agree ${model} FINGERPRINT"`,
  );
}

/** Differences that a ledger's line names; the contracts themselves stay in the store. */
const MOST_TOLD = 100;

/** What the ledger's line says of the comparison. */
export function evidenceOf({ before, differences, verdictsStand }: Comparison): string | undefined {
  if (before === null) return undefined;
  const told = differences
    .slice(0, MOST_TOLD)
    .map(({ path, kind, message, breaks }) => ({ path, kind, message, breaks }));
  return JSON.stringify({ verdicts_stand: verdictsStand, differences: told, count: differences.length });
}
