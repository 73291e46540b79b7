/** The generator's process: told orders one after the other, over IPC; answers each with a result or an error. */
import { type Expectation, runLoad } from './engine.js';
import type { Message, Order, Reply } from './plan.js';

let stop: AbortController | undefined;

process.on('disconnect', () => process.exit());
// Ctrl-C is the parent's to handle.
process.on('SIGINT', () => {});
process.on('message', (message: Message) => {
  if (message === 'stop') stop?.abort();
  else void answer(message);
});

async function answer({ plan, expectation }: Order): Promise<void> {
  stop = new AbortController();
  let reply: Reply;
  try {
    const expected = expectation && (await load(expectation));
    reply = { result: await runLoad(plan, stop.signal, expected, () => process.send!('measuring' satisfies Reply)) };
  } catch (error) {
    reply = { error: error instanceof Error ? error.message : String(error) };
  }
  process.send!(reply);
}

async function load({ module, options }: NonNullable<Order['expectation']>): Promise<Expectation> {
  const loaded = (await import(module)) as { expectation(options: unknown): Expectation };
  return loaded.expectation(options);
}
