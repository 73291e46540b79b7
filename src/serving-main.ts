/** What each of several serving processes runs: one server, told by its supervisor. */
import { type ProcessOptions, serveHere } from './app.js';
import { serveSupervised } from './processes/serving-process.js';

serveSupervised((options) => serveHere(options as ProcessOptions), {
  metrics: async ({ metrics }) => (await metrics()).json(),
  models: ({ models }, only) => ({ pid: process.pid, ...models(only) }),
});
