/** One number field, seen once: how it is filled and scaled. */
import type { InputField } from '../contract/contract.js';
import { invalidInput } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import { numbersOf } from './columns.js';
import { Moments } from './moments.js';
import type { FieldOptions } from './plan.js';
import { scaleOf } from './standardize.js';

export interface FittedNumber {
  readonly field: string;
  /** Of the rows, how many had a number, and how many had none. */
  readonly seen: number;
  readonly missing: number;
  /** What stands for a missing number. */
  readonly fill: number;
  /** What is subtracted and divided by: of the numbers after the missing ones were filled. */
  readonly mean: number;
  readonly scale: number;
}

export class NumberFit {
  private readonly moments = new Moments();
  private missing = 0;

  constructor(
    private readonly field: InputField,
    private readonly options: Pick<FieldOptions, 'impute' | 'scale'>,
  ) {}

  get mayBeMissing(): boolean {
    return this.field.missing.kind === 'allowed';
  }

  observe(batch: ColumnBatch): void {
    const { name } = this.field;
    const values = numbersOf(batch, name);
    for (let row = 0; row < batch.rows; row++) {
      const value = values[row];
      if (Number.isNaN(value)) this.missing += 1;
      else if (Number.isFinite(value)) this.moments.add(value);
      else throw invalidInput(`column "${name}" has an infinite number in row ${this.seen + 1}; leave such rows out`);
    }
  }

  finish(): FittedNumber {
    const fill = this.fill();
    const filled = this.moments.withRepeated(fill, this.missing);
    const standardized = this.options.scale === 'standardize';
    return {
      field: this.field.name,
      seen: this.moments.count,
      missing: this.missing,
      fill,
      mean: standardized ? filled.mean : 0,
      scale: standardized ? scaleOf(filled) : 1,
    };
  }

  private get seen(): number {
    return this.moments.count + this.missing;
  }

  private fill(): number {
    const { missing } = this.field;
    if (missing.kind === 'default') return Number(missing.value);
    return this.options.impute === 'mean' ? this.moments.mean : 0;
  }
}
