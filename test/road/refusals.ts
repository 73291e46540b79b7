/** How a command fails: once, in one message, without a stack. */
import { expect } from 'chai';
import type { Ran } from './parley.js';

/** @param says what the one message must tell: the place, and the way out */
export function expectRefusal(
  { code, stdout, stderr }: Ran,
  code1: string,
  ...says: readonly (string | RegExp)[]
): void {
  const errors = stderr.split('\n').filter((line) => line.startsWith('error '));
  expect(errors, stderr).to.have.length(1);
  expect(errors[0]).to.match(new RegExp(`^error ${code1}: `));
  for (const text of says) {
    if (typeof text === 'string') expect(errors[0]).to.include(text);
    else expect(errors[0]).to.match(text);
  }
  expect(stderr, 'a stack').not.to.match(/^\s+at |node:internal|a defect/m);
  expect(stdout).to.equal('');
  expect(code).to.equal(1);
}
