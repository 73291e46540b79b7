/** What a lane's replies say that carry a text. */
import { codeOfNumber, ParleyError } from '../../errors.js';
import { type Frame, Reader } from './frames.js';

export function textOf(frame: Frame): { readonly number: number; readonly text: string } {
  const reader = new Reader(frame);
  reader.spentMs();
  return reader.text();
}

/** What was thrown there: a ParleyError, or what the runtime has against its inputs, as it is told inline. */
export function failureOf(frame: Frame): Error {
  const { number, text } = textOf(frame);
  return number === 0 ? new Error(text) : new ParleyError(codeOfNumber(number), text);
}
