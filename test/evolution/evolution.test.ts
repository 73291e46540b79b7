import { CHANGES } from './changes.js';
import { evolutionMatrix } from './matrix.js';

/** One of each sort; the others are in the full tests. */
const NAMES = [
  'a field that may be missing is added',
  'a range is widened',
  'a field of an answer is renamed',
  'a field is removed',
  'a field that may not be missing is added',
  'a field gets another id',
  'a range is narrowed',
  'a class is added',
  'a method is removed',
  'two classes change numbers',
];

evolutionMatrix(
  ['node'],
  CHANGES.filter(({ name }) => NAMES.includes(name)),
);
