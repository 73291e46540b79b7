/** A model as one server answers for it, and what its state in the store makes of that. Pure but for the targets' fields. */
import type { Contract } from '../contract/contract.js';
import { notFound, type ParleyError } from '../errors.js';
import type { ModelState } from '../model/store-port.js';
import { type AliasPointer, PRODUCTION, type Version } from '../model/version.js';
import type { RunningCanary } from './canary.js';
import { IMPORTANCE, type Importance } from './memory.js';
import type { Servable } from './servable.js';

/** An alias as this server sees it. */
export interface Target {
  readonly aliasName: string;
  readonly version: Version;
  /** Set while the version is loaded. */
  servable: Servable | undefined;
  /** Whether the version was loaded and let go: another one takes over only once it is loaded, as from a loaded one. */
  hasAnswered?: true;
  /** Set while a canary runs and takes calls. */
  canary: RunningCanary | undefined;
}

export interface RoutedModel {
  readonly name: string;
  /** Of the state that was taken up last. */
  epoch: number;
  /** Whether all of that state is served. */
  behind: boolean;
  readonly targets: Map<string, Target>;
  /** The contract in force and the version in production for which `contract` was chosen. */
  chosenFor: string;
  contract: Contract | undefined;
}

/** What a version is to this server, of those that its model's aliases lead to. */
export function importanceOf(routed: RoutedModel | undefined, version: Version): Importance {
  let found: Importance = IMPORTANCE.none;
  for (const { aliasName, version: own, canary } of routed?.targets.values() ?? []) {
    if (own !== version && canary?.version !== version) continue;
    if (aliasName === PRODUCTION) return IMPORTANCE.production;
    found = IMPORTANCE.alias;
  }
  return found;
}

/** The version is loaded no longer: its next call loads it again. */
export function letGo(routed: RoutedModel | undefined, servable: Servable): void {
  for (const target of routed?.targets.values() ?? []) {
    if (target.servable === servable) {
      target.servable = undefined;
      target.hasAnswered = true;
    }
    if (target.canary?.servable === servable) target.canary.servable = undefined;
  }
}

/** Canaries that were ended, or whose alias leads elsewhere; a change of weight alone ends none. */
export function endCanaries(routed: RoutedModel, { aliases }: ModelState): void {
  for (const { aliasName, version, canary } of aliases) {
    const target = routed.targets.get(aliasName);
    if (target?.canary === undefined) continue;
    if (target.version !== version || target.canary.version !== canary?.version) target.canary = undefined;
  }
}

/** Whether calls of the alias are answered as the store says. */
export function leadsThere({ targets }: RoutedModel, { aliasName, version, canary }: AliasPointer): boolean {
  const target = targets.get(aliasName);
  return (
    target?.version === version &&
    target.canary?.version === canary?.version &&
    target.canary?.weight === canary?.weight
  );
}

/** A model without a line in its ledger: the store was emptied, or is another one. */
export const isGone = ({ epoch, aliases, contractFingerprint }: ModelState): boolean =>
  epoch === 0 && aliases.length === 0 && contractFingerprint === undefined;

/** Callers' names are repeated to them, but not at any length. */
const shortened = (name: string): string => (name.length <= 64 ? name : `${name.slice(0, 63)}…`);

/** Why there is nothing under this name, and what there is. */
export function unknownReference(models: ReadonlyMap<string, RoutedModel>, name: string, alias: string): ParleyError {
  const routed = models.get(name),
    model = shortened(name),
    reference = shortened(alias);
  if (routed === undefined) {
    const known = [...models.keys()];
    return notFound(
      `there is no model "${model}"; ${known.length === 0 ? 'none has been published yet' : `the models are ${known.join(', ')}`}. Train one with "parley train PROJECT --promote"`,
    );
  }
  if (reference === PRODUCTION) {
    return notFound(
      `model "${model}" has no version in production; name one of "parley versions ${model}", or put one there: "parley promote ${model} VERSION", after "parley accept ${model} VERSION" where it has a contract`,
    );
  }
  return notFound(
    `model "${model}" has no alias "${reference}"; it has ${[...routed.targets.keys()].join(', ') || 'none'}; a version is named by 8 or more of its first characters`,
  );
}
