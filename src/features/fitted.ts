/**
 * Fitted features: the same arithmetic in TypeScript and as nodes of a graph.
 *
 * Columns stand in three groups: the numbers, then `<field> is missing` for each number that may be missing, then
 * `<field>=<category>`. Numbers are computed in float64 and rounded to float32 last, on both sides. In the graph all number
 * fields are one matrix, because a node costs about a microsecond however few numbers it works on; of the ways to encode
 * strings, a OneHotEncoder and a Reshape a field were the fastest at 1, 64 and 1024 rows.
 */
import { invalidInput } from '../errors.js';
import type { OnnxGraph } from '../model/onnx-port.js';
import type { ColumnBatch } from '../model/row.js';
import type { FittedFeatures } from '../model/training-port.js';
import { numbersOf, stringsOf } from './columns.js';
import type { Impute } from './impute.js';
import { FLOAT, type MissingIndicator } from './missing-indicator.js';
import type { OneHot } from './one-hot.js';
import type { Standardize } from './standardize.js';

export interface NumberGroup {
  readonly fields: readonly string[];
  readonly impute: Impute;
  readonly standardize: Standardize;
  readonly indicator: MissingIndicator;
}

export interface StringFeature {
  readonly field: string;
  readonly oneHot: OneHot;
}

/** @param state what `state()` answers: everything fitted, as plain JSON */
export class Features implements FittedFeatures {
  readonly width: number;
  readonly names: readonly string[];

  constructor(
    private readonly numbers: NumberGroup,
    private readonly strings: readonly StringFeature[],
    private readonly fittedState: unknown,
  ) {
    const { fields, indicator } = numbers;
    this.names = [
      ...fields,
      ...indicator.columns.map((column) => `${fields[column]} is missing`),
      ...strings.flatMap(({ field, oneHot }) => oneHot.categories.map((category) => `${field}=${category}`)),
    ];
    this.width = this.names.length;
    if (this.width === 0)
      throw invalidInput('no column is left to learn from: no string field has a value in the rows');
  }

  transform(batch: ColumnBatch, out: Float32Array): void {
    if (out.length !== batch.rows * this.width) {
      throw invalidInput(`features of ${batch.rows} rows need ${batch.rows * this.width} values, not ${out.length}`);
    }
    out.fill(0);
    this.transformNumbers(batch, out);
    this.transformIndicators(batch, out);
    this.transformStrings(batch, out);
  }

  write(graph: OnnxGraph): string {
    const parts = [...this.writeNumbers(graph), ...this.writeStrings(graph)];
    return parts.length === 1 ? parts[0] : graph.node('Concat', parts, { axis: 1 });
  }

  state(): unknown {
    return this.fittedState;
  }

  private transformNumbers(batch: ColumnBatch, out: Float32Array): void {
    const { fields, impute, standardize } = this.numbers;
    for (let k = 0; k < fields.length; k++) {
      const values = numbersOf(batch, fields[k]);
      for (let row = 0, at = k; row < batch.rows; row++, at += this.width) {
        out[at] = standardize.apply(k, impute.apply(k, values[row]));
      }
    }
  }

  private transformIndicators(batch: ColumnBatch, out: Float32Array): void {
    const { fields, indicator } = this.numbers;
    for (let i = 0; i < indicator.columns.length; i++) {
      const values = numbersOf(batch, fields[indicator.columns[i]]);
      for (let row = 0, at = fields.length + i; row < batch.rows; row++, at += this.width) {
        out[at] = indicator.apply(values[row]);
      }
    }
  }

  private transformStrings(batch: ColumnBatch, out: Float32Array): void {
    let first = this.numbers.fields.length + this.numbers.indicator.columns.length;
    for (const { field, oneHot } of this.strings) {
      const values = stringsOf(batch, field);
      for (let row = 0, at = first; row < batch.rows; row++, at += this.width) {
        const column = oneHot.column(values[row]);
        if (column >= 0) out[at + column] = 1;
      }
      first += oneHot.categories.length;
    }
  }

  private writeNumbers(graph: OnnxGraph): string[] {
    const { fields, impute, standardize, indicator } = this.numbers;
    if (fields.length === 0) return [];
    const inputs = fields.map((name) => graph.input(name, 'float64', [-1, 1]));
    const matrix = inputs.length === 1 ? inputs[0] : graph.node('Concat', inputs, { axis: 1 });
    const missing = graph.node('IsNaN', [matrix]);
    const standardized = standardize.write(graph, impute.write(graph, matrix, missing));
    const numbers = graph.node('Cast', [standardized], { to: FLOAT });
    return indicator.columns.length === 0 ? [numbers] : [numbers, indicator.write(graph, missing, fields.length)];
  }

  private writeStrings(graph: OnnxGraph): string[] {
    const inputs = this.strings.map(({ field }) => graph.input(field, 'string', [-1, 1]));
    return this.strings.flatMap(({ oneHot }, i) =>
      oneHot.categories.length === 0 ? [] : [oneHot.write(graph, inputs[i])],
    );
  }
}
