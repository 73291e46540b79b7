/** What became of an acceptance suite, for people and for test runners: the verdict, and what speaks against it. */
import type { Criterion, Verdict } from '../model/version.js';
import type { WrongRows } from '../registry/wrong-rows.js';
import { explanationOf } from './explanation.js';
import { titleOf } from './title.js';

export interface ReportedCriterion extends Criterion {
  /** `recall[sex=FEMALE] >= 0.9 on 37 fixtures`. */
  readonly title: string;
  /** The fixtures that count against it, the first ten; absent where it is about none. */
  readonly wrong?: WrongRows;
  /** Of one that failed: what was asked for, what was found, and the rows. Several lines. */
  readonly explanation?: string;
}

/** Plain JSON, but for figures that are not numbers. */
export interface SuiteReport extends Verdict {
  readonly model: string;
  /** What was tested: `version 3f2a9c41`, `penguins.onnx`, `127.0.0.1:9090`. */
  readonly subject: string;
  /** What answered, where it is known: one digest, or several while a canary runs. */
  readonly versions: readonly string[];
  readonly criteria: readonly ReportedCriterion[];
  /** For people: what is remarkable about the fixtures. */
  readonly warnings: readonly string[];
}

export interface Reported {
  readonly model: string;
  readonly subject: string;
  readonly versions?: readonly string[];
  readonly verdict: Verdict;
  /** By criterion; absent where only the verdict is known. */
  readonly wrong?: readonly (WrongRows | undefined)[];
  readonly warnings?: readonly string[];
}

export function reportOf({ model, subject, versions = [], verdict, wrong, warnings = [] }: Reported): SuiteReport {
  const criteria = verdict.criteria.map((criterion, index) => {
    const rows = wrong?.[index];
    return {
      ...criterion,
      title: titleOf(criterion),
      ...(rows === undefined ? {} : { wrong: rows }),
      ...(criterion.passed ? {} : { explanation: explanationOf(criterion, rows) }),
    };
  });
  return { ...verdict, model, subject, versions, criteria, warnings };
}
