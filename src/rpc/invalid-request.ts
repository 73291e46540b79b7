/** A request with problems, as its caller is told: the first in the message, all that are kept beside it. */
import { invalidInput, type ParleyError, type Problem } from '../errors.js';

/**
 * @param problems at least one
 * @param count how many there are in all; undefined: those in `problems`
 * @param atLeast whether counting ended before the request did
 */
export function invalidRequest(problems: readonly Problem[], count = problems.length, atLeast = false): ParleyError {
  const [first] = problems,
    more = count - 1;
  const got = first!.got === undefined ? '' : `, got ${first!.got}`;
  const others = more > 0 ? ` (and ${atLeast ? 'at least ' : ''}${more} more problem${more > 1 ? 's' : ''})` : '';
  return invalidInput(`${first!.path} ${first!.message}${got}${others}`, { problems });
}
