/** One string field, seen once: its categories. */
import type { InputField } from '../contract/contract.js';
import type { ColumnBatch } from '../model/row.js';
import { stringsOf } from './columns.js';
import type { StringFeature } from './fitted.js';
import { FrequentStrings } from './frequent.js';
import { OneHot } from './one-hot.js';
import type { FieldOptions } from './plan.js';

/** Different strings that are counted exactly, for each category wanted; 50 categories make 10 000. */
const COUNTED_PER_CATEGORY = 200;

export class StringFit {
  private readonly frequent: FrequentStrings;
  /** The contract's values, or undefined where the rows decide. */
  private readonly vocabulary: readonly string[] | undefined;
  private readonly fallback: string | undefined;
  private seen = 0;
  private missing = 0;

  constructor(
    private readonly field: InputField,
    private readonly options: Pick<FieldOptions, 'maxCategories'>,
  ) {
    this.frequent = new FrequentStrings(options.maxCategories * COUNTED_PER_CATEGORY);
    this.vocabulary = vocabularyOf(field);
    this.fallback = fallbackOf(field);
  }

  observe(batch: ColumnBatch): void {
    const values = stringsOf(batch, this.field.name);
    for (let row = 0; row < batch.rows; row++) {
      if (values[row] === '') this.missing += 1;
      else this.seen += 1;
      const value = values[row] === '' ? this.fallback : values[row];
      if (this.vocabulary === undefined && value !== undefined) this.frequent.add(value);
    }
  }

  finish(): StringFeature {
    return { field: this.field.name, oneHot: new OneHot(this.categories(), this.fallback) };
  }

  /** For the run's record. `dropped`: counts given up to stay within the memory allowed; 0 means exact. */
  state(): unknown {
    return {
      field: this.field.name,
      seen: this.seen,
      missing: this.missing,
      dropped: this.frequent.dropped,
      categories: this.categories(),
      ...(this.fallback === undefined ? {} : { fallback: this.fallback }),
    };
  }

  private categories(): readonly string[] {
    return this.vocabulary ?? this.frequent.top(this.options.maxCategories);
  }
}

function vocabularyOf(field: InputField): readonly string[] | undefined {
  const labels = field.enum?.members.filter((member) => member.value !== 0).map((member) => member.label);
  const values = labels ?? field.values;
  return values === undefined ? undefined : [...new Set(values)].filter((value) => value !== '');
}

/** The contract's default as the rows spell it: an enum's by its label. */
function fallbackOf(field: InputField): string | undefined {
  if (field.missing.kind !== 'default') return undefined;
  const { value } = field.missing;
  const member = field.enum?.members.find((each) => each.value === value || each.name === value);
  return member?.label ?? String(value);
}
