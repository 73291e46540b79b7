/**
 * Which features a contract's fields become, and fitting them in one pass over the rows.
 *
 * By type, where the configuration says nothing else:
 * - numbers (bool as 0 and 1 too): a missing one is the mean, or the contract's default; then standardized as
 *   scikit-learn's SimpleImputer and StandardScaler would. Where the contract allows missing ones, a column says so.
 * - strings with a vocabulary (`values`, or an enum's labels): a column for each value of the contract, seen or not.
 * - other strings: a column for each of the 50 commonest seen.
 */
import type { InputField } from '../contract/contract.js';
import { invalidInput, type Problem } from '../errors.js';
import type { ColumnBatch } from '../model/row.js';
import type { FittedFeatures } from '../model/training-port.js';
import type { FeaturesConfiguration } from './configuration.js';
import { Features } from './fitted.js';
import { Impute } from './impute.js';
import { MissingIndicator } from './missing-indicator.js';
import { NumberFit } from './number-fit.js';
import { Standardize } from './standardize.js';
import { StringFit } from './string-fit.js';

export interface FeatureFitter {
  /** @throws ParleyError INVALID_INPUT where a field's column is not there, of the other kind, or has an infinite number */
  observe(batch: ColumnBatch): void;
  /** @throws ParleyError INVALID_INPUT where no row was observed */
  finish(): FittedFeatures;
}

/**
 * @param fields a request's fields; those whose role is not `feature` are left out
 * @param configuration as {@link featuresConfiguration} parsed it
 * @throws ParleyError INVALID_INPUT where it names a field that is not a feature, gives an option of the other kind, or
 *   drops every field
 */
export function planFeatures(fields: readonly InputField[], configuration: FeaturesConfiguration): FeatureFitter {
  const features = fields.filter((field) => field.role === 'feature');
  const problems = problemsOf(features, configuration);
  if (problems.length > 0) {
    throw invalidInput(`features: ${problems.map(({ path, message }) => `${path} ${message}`).join('; ')}`, {
      problems,
    });
  }
  const kept = features.filter((field) => !configuration.drop.includes(field.name));
  if (kept.length === 0) throw invalidInput('features: no field is left to learn from; drop fewer of them');
  return new Fitter(
    kept.filter(isNumber).map((field) => new NumberFit(field, optionsOf(field, configuration))),
    kept.filter((field) => !isNumber(field)).map((field) => new StringFit(field, optionsOf(field, configuration))),
  );
}

function isNumber(field: InputField): boolean {
  return field.type !== 'string' && field.type !== 'enum';
}

/** What holds for one field: its own options over its type's. */
export interface FieldOptions {
  readonly impute: 'mean' | 'zero';
  readonly scale: 'standardize' | 'none';
  readonly maxCategories: number;
}

function optionsOf(field: InputField, configuration: FeaturesConfiguration): FieldOptions {
  const own = configuration.fields[field.name] ?? {};
  return {
    impute: own.impute ?? configuration.numbers.impute,
    scale: own.scale ?? configuration.numbers.scale,
    maxCategories: own.max_categories ?? configuration.strings.max_categories,
  };
}

function problemsOf(features: readonly InputField[], configuration: FeaturesConfiguration): Problem[] {
  const names = features.map((field) => field.name).join(', ');
  const unknown = `names no feature of the contract; they are ${names}`;
  const problems: Problem[] = [];
  const find = (name: string) => features.find((field) => field.name === name);
  for (const name of configuration.drop) {
    if (find(name) === undefined) problems.push({ path: 'features.drop', message: unknown, got: name });
  }
  for (const [name, options] of Object.entries(configuration.fields)) {
    const path = `features.fields.${name}`;
    const field = find(name);
    if (field === undefined) problems.push({ path, message: unknown });
    else if (isNumber(field) && options.max_categories !== undefined) {
      problems.push({ path: `${path}.max_categories`, message: 'is for strings; the field is a number' });
    } else if (!isNumber(field) && (options.impute ?? options.scale) !== undefined) {
      problems.push({ path, message: 'takes no impute or scale; they are for numbers' });
    }
  }
  return problems;
}

class Fitter implements FeatureFitter {
  private rows = 0;

  constructor(
    private readonly numbers: readonly NumberFit[],
    private readonly strings: readonly StringFit[],
  ) {}

  observe(batch: ColumnBatch): void {
    for (const fit of this.numbers) fit.observe(batch);
    for (const fit of this.strings) fit.observe(batch);
    this.rows += batch.rows;
  }

  finish(): FittedFeatures {
    if (this.rows === 0) throw invalidInput('there are no rows to learn from');
    const numbers = this.numbers.map((fit) => fit.finish());
    const strings = this.strings.map((fit) => fit.finish());
    return new Features(
      {
        fields: numbers.map(({ field }) => field),
        impute: new Impute(Float64Array.from(numbers, ({ fill }) => fill)),
        standardize: new Standardize(
          Float64Array.from(numbers, ({ mean }) => mean),
          Float64Array.from(numbers, ({ scale }) => scale),
        ),
        indicator: new MissingIndicator(this.numbers.flatMap((fit, index) => (fit.mayBeMissing ? [index] : []))),
      },
      strings,
      { rows: this.rows, numbers, strings: this.strings.map((fit) => fit.state()) },
    );
  }
}
