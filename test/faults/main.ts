/** scripts/faults: all faults, or those that are named, one after the other. */
import { writeFileSync } from 'node:fs';
import { FAULTS } from './faults.js';
import { report, table } from './report.js';
import { type Outcome, run } from './run.js';

/**
 * @param only names of faults; empty for all
 * @param page where the report is written; undefined: it is printed alone
 * @returns the exit status: 1 where a promise was broken
 */
export async function faults(seconds: number, only: readonly string[], page: string | undefined): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const fault of FAULTS.filter(({ name }) => only.length === 0 || only.includes(name))) {
    const outcome = await run(fault, seconds);
    outcomes.push(outcome);
    console.error(`${fault.name}: ${outcome.broken.length === 0 ? 'all promises kept' : outcome.broken.join('; ')}`);
  }
  console.log(table(outcomes));
  if (page !== undefined) writeFileSync(page, report(outcomes, seconds));
  return outcomes.some(({ broken }) => broken.length > 0) ? 1 : 0;
}

export const names = (): readonly string[] => FAULTS.map(({ name }) => name);
