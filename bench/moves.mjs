/** Moving the production alias of a model between its versions, by promotes and rollbacks in turn, so that each moves it. */
import { setTimeout } from 'node:timers/promises';
import { SWAPPED } from './workloads.mjs';

/** @param before how many moves were made already */
export async function moveAbout(registry, model, { count, rate, before, leadInMs }) {
  await setTimeout(leadInMs);
  const begin = performance.now();
  for (let i = 0; i < count; i++) {
    await setTimeout(Math.max(0, begin + (i / rate) * 1000 - performance.now()));
    const n = before + i;
    if (n % 2 === 1) await registry.rollback({ model });
    else await registry.promote({ model, version: SWAPPED[1 + ((n / 2) % 2)].version });
  }
}
