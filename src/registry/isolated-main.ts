/** The process in which a version is rehearsed or accepted: takes one assignment, answers once, ends. */
import { Worker } from 'node:worker_threads';
import { modelBroken, ParleyError } from '../errors.js';
import { acceptVersion } from './accept-version.js';
import type { Assignment, Outcome } from './isolated.js';
import { rehearseVersion } from './rehearse-version.js';

async function outcomeOf({ task, folder }: Assignment): Promise<Outcome> {
  try {
    return {
      ok: true,
      value: task.kind === 'rehearse' ? await rehearseVersion(task, folder) : await acceptVersion(task, folder),
    };
  } catch (error) {
    const told =
      error instanceof ParleyError
        ? error
        : modelBroken(`the version could not be run: ${error instanceof Error ? error.message : String(error)}`);
    return { ok: false, code: told.code, message: told.message, problems: told.problems };
  }
}

const [parent, folder] = process.argv.slice(2) as [string, string];

// The main thread may be inside a graph that never returns, and hear of nothing.
new Worker(new URL('./parent-watch.js', import.meta.url), { workerData: { parent: Number(parent), folder } }).unref();

// A Ctrl-C reaches parent and child alike: the parent decides, and the watch cleans up behind it.
process.on('SIGINT', () => {});

process.once('message', async (assignment: Assignment) => {
  const outcome = await outcomeOf(assignment);
  process.send!(outcome, () => process.exit(0));
});
