/** A thread of the child that ends it, and removes its folder, when the process that asked is gone. */
import { rmSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const EVERY_MS = 250;

const { parent, folder } = workerData as { readonly parent: number; readonly folder: string };

setInterval(() => {
  if (process.ppid === parent) return;
  rmSync(folder, { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
}, EVERY_MS);
