/** The suite of a contract: what all of its services ask, since one model answers them all. Pure. */
import { isStricter, subjectOf } from '../../contract/compare-acceptance.js';
import type { Acceptance, AcceptBound, Contract } from '../../contract/contract.js';

/**
 * Bounds of all services, of those on the same figure the strictest, and the most confidence and fixtures that any asks for.
 *
 * The version is asked as one service, so that a bound on what that service does not know cannot be judged, and fails the
 * suite.
 */
export function acceptanceOf({ services }: Pick<Contract, 'services'>): Acceptance {
  const all = services.map(({ accept }) => accept);
  const baseline = all.find((accept) => accept.baseline !== undefined)?.baseline;
  const confidence = most(all.map((accept) => accept.confidence));
  const minFixtures = most(all.map((accept) => accept.minFixtures));
  return {
    bounds: strictest(all.flatMap(({ bounds }) => bounds)),
    ...(baseline === undefined ? {} : { baseline }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(minFixtures === undefined ? {} : { minFixtures }),
    guards: [...new Set(all.flatMap(({ guards }) => guards))],
  };
}

/** In the order of their first. */
function strictest(bounds: readonly AcceptBound[]): readonly AcceptBound[] {
  const found = new Map<string, AcceptBound>();
  for (const bound of bounds) {
    const subject = subjectOf(bound);
    const other = found.get(subject);
    if (other === undefined || isStricter(bound, other)) found.set(subject, bound);
  }
  return [...found.values()];
}

function most(numbers: readonly (number | undefined)[]): number | undefined {
  const given = numbers.filter((each) => each !== undefined);
  return given.length === 0 ? undefined : Math.max(...given);
}
