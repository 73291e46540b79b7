/** A thread of the child that names the version while the graph is rehearsed beside it. */
import { parentPort, workerData } from 'node:worker_threads';
import { digestOfFile } from './whole-file.js';

const { path, header } = workerData as { readonly path: string; readonly header: Uint8Array };

parentPort!.postMessage(await digestOfFile(path, header));
