/** Random numbers that are the same everywhere for the same seed. */

/**
 * Chris Doty-Humphrey's sfc32, the small generator of PractRand.
 *
 * @param seed a whole number, 0 to 2^32 - 1
 * @returns a function that gives whole numbers, 0 to 2^32 - 1, evenly
 */
export function randomWords(seed: number): () => number {
  let a = 0;
  let b = 0;
  let c = seed >>> 0;
  let counter = 1;
  const next = (): number => {
    const word = (((a + b) >>> 0) + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + word) >>> 0;
    return word;
  };
  for (let warm = 0; warm < 12; warm++) next();
  return next;
}

/** Evenly in [0, 1). */
export const randomShare = (next: () => number): number => next() / 2 ** 32;
