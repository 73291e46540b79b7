/** What numbers on a command line must be. */

/** @param refuse takes what is wrong with it, and does not return */
export function positive(option, value, refuse) {
  const number = Number(value);
  if (!(number > 0) || !Number.isFinite(number)) refuse(`${option}: "${value}" is not a number above 0`);
  return number;
}

export function whole(option, value, refuse) {
  const number = positive(option, value, refuse);
  if (!Number.isInteger(number)) refuse(`${option}: "${value}" is not a whole number`);
  return number;
}
