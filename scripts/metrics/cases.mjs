/** Random answers of models, of every shape that a metric may stumble over; the same for the same seed. */
import { randomWords } from '../../dist/evaluation/random.js';

export function randomCases(seed, count) {
  const random = new Random(seed);
  const shapes = [
    ...[2, 3, 5, 12].map((classes) => ['classes', { classes }]),
    ['ties', { classes: 2, digits: 1 }],
    ['ties', { classes: 4, digits: 1 }],
    ['absent from the answers', { classes: 4, answered: 2 }],
    ['absent from the truth', { classes: 4, known: 2 }],
    ['one class in truth', { classes: 3, known: 1 }],
    ['all right', { classes: 3, right: 1 }],
    ['weights', { classes: 2, weighted: true }],
    ['weights', { classes: 5, weighted: true, digits: 1 }],
    ['certain and wrong', { classes: 3, digits: 0 }],
  ];
  const cases = [];
  for (const [name, options] of shapes)
    for (let turn = 0; turn < count; turn++) cases.push(classification(random, `${name} ${options.classes}`, options));
  for (const options of [{}, { weighted: true }, { offset: 1e6 }, { digits: 0 }, { constant: true }, { zeros: true }])
    for (let turn = 0; turn < count; turn++)
      cases.push(regression(random, `values ${Object.keys(options).join()}`.trim(), options));
  return cases;
}

class Random {
  #next;
  constructor(seed) {
    this.#next = randomWords(seed);
  }
  share() {
    return (this.#next() + this.#next() / 2 ** 32) / 2 ** 32;
  }
  below(count) {
    return Math.floor(this.share() * count);
  }
  /** Box and Muller. */
  normal() {
    return Math.sqrt(-2 * Math.log(1 - this.share())) * Math.cos(2 * Math.PI * this.share());
  }
  column(rows, make) {
    return Array.from({ length: rows }, make);
  }
}

function classification(
  random,
  shape,
  { classes, known = classes, answered = classes, digits, right = 0.6, weighted },
) {
  const rows = 2 + random.below(120);
  const truth = random.column(rows, (_, row) => (row < known && rows > known ? row : random.below(known)));
  const probabilities = [];
  const predicted = truth.map((index) => {
    const likely = random.share() < right ? index : random.below(answered);
    const raw = random.column(classes, (_, at) => Math.exp(random.normal() + (at === likely ? 2 : 0)));
    const sum = raw.reduce((a, b) => a + b, 0);
    let row = raw.map((value) => value / sum);
    if (digits !== undefined) {
      row = row.map((value) => Number(value.toFixed(digits)));
      row[0] = Number((1 - row.slice(1).reduce((a, b) => a + b, 0)).toFixed(digits));
      if (row[0] < 0) row = random.column(classes, (_, at) => Number(at === likely));
    }
    probabilities.push(...row);
    const answer = right === 1 ? likely : row.indexOf(Math.max(...row));
    return answer < answered || right === 1 ? answer : random.below(answered);
  });
  const weights = weighted
    ? { weights: random.column(rows, () => random.below(4)).map((w, i) => (i < classes ? w + 1 : w)) }
    : {};
  return { task: 'classification', shape, classes, truth, predicted, probabilities, ...weights };
}

function regression(random, shape, { weighted, offset = 0, digits, constant, zeros }) {
  const rows = 2 + random.below(200);
  const round = (value) => (digits === undefined ? value : Number(value.toFixed(digits)));
  const truth = random.column(rows, () => (constant ? 7.5 : round(offset + 10 * random.normal())));
  if (zeros) truth.fill(0, 0, Math.ceil(rows / 3));
  const predicted = truth.map((value) => round(value + random.normal()));
  const intervalLow = predicted.map((value) => round(value - random.share()));
  const intervalHigh = predicted.map((value) => round(value + random.share()));
  const weights = weighted ? { weights: random.column(rows, (_, row) => (row < 2 ? 1 : random.below(4))) } : {};
  return { task: 'regression', shape, truth, predicted, intervalLow, intervalHigh, ...weights };
}
