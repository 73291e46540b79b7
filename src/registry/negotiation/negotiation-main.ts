/** A thread that reads callers' contracts: a text may take long to read, and whoever is answered meanwhile is not to wait. */
import { parentPort } from 'node:worker_threads';
import { internal, ParleyError } from '../../errors.js';
import type { Outcome } from '../isolated.js';
import { type TalksQuestion, talk } from './talks.js';

function outcomeOf(question: TalksQuestion): Outcome {
  try {
    return { ok: true, value: talk(question) };
  } catch (error) {
    const { code, message, problems } =
      error instanceof ParleyError ? error : internal(`reading a caller's contract failed: ${String(error)}`);
    return { ok: false, code, message, problems };
  }
}

parentPort!.on('message', (question: TalksQuestion) => parentPort!.postMessage(outcomeOf(question)));
