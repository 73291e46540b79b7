/** A small contract to change one thing in, and what is said about the change. */
import { expect } from 'chai';
import type { Contract } from '#parley/contract/contract.js';
import { parseContract } from '#parley/contract/parse.js';
import { ParleyError, type Problem } from '#parley/errors.js';

/** Line numbers in the tests are those of this text. */
export const PENGUINS = `include "parley.thrift"
namespace js penguins
enum Species {
  UNSPECIFIED = 0
  ADELIE = 1 (label = "Adelie")
  GENTOO = 2 (label = "Gentoo", positive = "true")
}
struct Penguin {
  1: optional double bill_length_mm (min = "20", max = "80")
  2: optional i32 year
  3: optional string island (values = "Biscoe,Dream")
  4: optional bool tagged (missing = "allowed")
}
struct Identified {
  1: optional Species species (role = "label")
  2: optional double confidence (role = "confidence")
  3: optional map<Species, double> probability (role = "probability")
 15: optional parley.Provenance provenance
}
service Penguins {
  Identified identify(1: Penguin penguin, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
  list<Identified> identify_many(1: list<Penguin> penguins, 2: parley.RequestContext context) throws (1: parley.ParleyError error)
} (
  model = "penguins",
  accept.recall = ">= 0.95",
  accept.baseline = "majority"
)
`;

/** The text with replacements; each must find its place. */
export function changed(...replacements: readonly (readonly [string, string])[]): string {
  return replacements.reduce((text, [from, to]) => {
    expect(text).to.include(from);
    return text.replace(from, () => to);
  }, PENGUINS);
}

export function parse(idl: string, includes: Record<string, string> = {}): Contract {
  return parseContract({ file: 'penguins.thrift', idl, includes });
}

/** The ParleyError that `act` throws. */
export function errorOf(act: () => unknown): ParleyError {
  try {
    act();
  } catch (error) {
    if (error instanceof ParleyError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** What is wrong with a contract: each problem as `line:column message`. */
export function complaints(idl: string, includes: Record<string, string> = {}): string[] {
  const error = errorOf(() => parse(idl, includes));
  expect(error.code).to.equal('INVALID_INPUT');
  return error.problems.map((problem: Problem) => `${problem.path} ${problem.message}`.replace('penguins.thrift:', ''));
}

/** The regression twin: the same question about a number. */
export function estimating(): string {
  return changed(
    ['1: optional Species species (role = "label")', '1: optional double mass_g (role = "value")'],
    ['  2: optional double confidence (role = "confidence")\n', ''],
    ['  3: optional map<Species, double> probability (role = "probability")\n', ''],
    ['accept.recall = ">= 0.95"', 'accept.r2 = ">= 0.5"'],
    ['"majority"', '"mean"'],
  );
}
