/** Every trainer, by the name that `trainer.name` in parley.yaml gives it. */
import type { Trainer } from '../model/training-port.js';
import { logisticRegression } from './logistic-regression/trainer.js';
import { majority } from './majority/trainer.js';
import { mean } from './mean/trainer.js';
import { ridge } from './ridge/trainer.js';

export const trainers: Readonly<Record<string, Trainer>> = {
  [logisticRegression.name]: logisticRegression,
  [ridge.name]: ridge,
  [majority.name]: majority,
  [mean.name]: mean,
};
