/** Metrics of predictions that come in batches, in memory that does not grow with the rows. */

import { highest } from './expected.js';
import type { Project } from './project.js';

/** What a probability of 0 counts as, so that one row does not make the loss infinite. */
const LEAST_PROBABILITY = 1e-15;

/** Precision, recall and f1 are those of the contract's positive class, or the mean over the classes that occur. */
export class ClassScores {
  /** Rows by truth and answer, shape (classes, classes). */
  private readonly confusion: Float64Array;
  private readonly size: number;
  private readonly positive: number;
  private rows = 0;
  private loss = 0;
  private brier = 0;

  constructor({ answer }: Project, classes: readonly string[]) {
    this.size = classes.length;
    this.confusion = new Float64Array(classes.length ** 2);
    const positive = answer.enum?.members.find((member) => member.positive)?.label;
    this.positive = positive === undefined ? -1 : classes.indexOf(positive);
  }

  /** @param probabilities shape (rows, classes) */
  add(truth: Float64Array, probabilities: Float32Array): void {
    for (let row = 0; row < truth.length; row++) {
      this.confusion[truth[row] * this.size + highest(probabilities, row, this.size)]++;
      this.loss -= Math.log(Math.max(probabilities[row * this.size + truth[row]], LEAST_PROBABILITY));
      for (let index = 0; index < this.size; index++)
        this.brier += (probabilities[row * this.size + index] - Number(index === truth[row])) ** 2;
    }
    this.rows += truth.length;
  }

  metrics(): Record<string, number> {
    const right = this.classIndices().reduce((sum, index) => sum + this.confusion[index * this.size + index], 0);
    const each = this.classIndices().map((index) => this.scoresOf(index));
    const counted = this.positive >= 0 ? [each[this.positive]] : each.filter((scores) => scores.occurs);
    const mean = (name: 'precision' | 'recall' | 'f1') =>
      counted.reduce((sum, scores) => sum + scores[name], 0) / counted.length;
    return {
      accuracy: right / this.rows,
      precision: mean('precision'),
      recall: mean('recall'),
      f1: mean('f1'),
      log_loss: this.loss / this.rows,
      brier: this.brier / this.rows,
    };
  }

  private scoresOf(index: number) {
    const hits = this.confusion[index * this.size + index];
    const truth = this.classIndices().reduce((sum, other) => sum + this.confusion[index * this.size + other], 0);
    const answered = this.classIndices().reduce((sum, other) => sum + this.confusion[other * this.size + index], 0);
    const share = (of: number) => (of === 0 ? 0 : hits / of);
    const f1 = truth + answered === 0 ? 0 : (2 * hits) / (truth + answered);
    return { precision: share(answered), recall: share(truth), f1, occurs: truth + answered > 0 };
  }

  private classIndices(): number[] {
    return Array.from({ length: this.size }, (_, index) => index);
  }
}

export class ValueScores {
  private rows = 0;
  private squared = 0;
  private absolute = 0;
  private mean = 0;
  /** Of the truth's squared distances from its mean (Welford 1962). */
  private spread = 0;

  add(truth: Float64Array, values: Float32Array): void {
    for (let row = 0; row < truth.length; row++) {
      const error = values[row] - truth[row];
      this.squared += error * error;
      this.absolute += Math.abs(error);
      this.rows++;
      const from = truth[row] - this.mean;
      this.mean += from / this.rows;
      this.spread += from * (truth[row] - this.mean);
    }
  }

  metrics(): Record<string, number> {
    const explained = this.spread === 0 ? 0 : 1 - this.squared / this.spread;
    return { rmse: Math.sqrt(this.squared / this.rows), mae: this.absolute / this.rows, r2: explained };
  }
}
