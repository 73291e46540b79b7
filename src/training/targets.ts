/** The truth of spooled rows as numbers: an index of a class, or the value itself. */
import { labelClasses } from '../contract/contract.js';
import { invalidInput } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import type { Project } from './project.js';
import type { TrainingRows } from './read-rows.js';

const MOST_CLASSES = 1000;

/**
 * The classes that targets index: the contract's, or, where its labels are free strings, those in the rows, sorted.
 *
 * @returns none for regression
 * @throws INVALID_INPUT when the rows to learn from hold fewer than two classes, or more than a thousand free ones
 */
export function findClasses(project: Project, rows: TrainingRows): readonly string[] {
  if (project.task === 'regression') return [];
  const learned = seenIn(rows.train.batches(), project);
  if (learned.size < 2)
    throw invalidInput(
      `label: every row to learn from is "${[...learned].join()}" in column "${project.label}"; expected two classes or more. Read more rows, or change split`,
    );
  const declared = labelClasses(project.response);
  if (declared.length > 0) return declared;
  return [...new Set([...learned, ...seenIn(rows.test.batches(), project)])].sort();
}

/** Classes of the contract that no row to learn from has: the model will hardly answer them. */
export function unseenClasses(project: Project, rows: TrainingRows): readonly string[] {
  if (project.task === 'regression') return [];
  const learned = seenIn(rows.train.batches(), project);
  return labelClasses(project.response).filter((name) => !learned.has(name));
}

function seenIn(batches: Iterable<ColumnBatch>, { label }: Project): Set<string> {
  const seen = new Set<string>();
  for (const { columns } of batches) {
    for (const name of columns[columns.length - 1]) seen.add(String(name));
    if (seen.size <= MOST_CLASSES) continue;
    throw invalidInput(
      `label: column "${label}" has more than ${MOST_CLASSES} classes; is it a number? Then give the contract's response a field of role "value"`,
    );
  }
  return seen;
}

/** Targets of a batch whose last column is the truth. */
export class Targets {
  private readonly indices: ReadonlyMap<string, number>;

  constructor(classes: readonly string[]) {
    this.indices = new Map(classes.map((name, index) => [name, index]));
  }

  of({ columns, rows }: ColumnBatch): Float64Array {
    const truth = columns[columns.length - 1];
    if (truth instanceof Float64Array) return truth.subarray(0, rows);
    return Float64Array.from(truth, (name) => this.indices.get(name) ?? Number.NaN);
  }
}
