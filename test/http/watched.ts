/** A served server's metrics, joined as app.ts joins them. */
import { Metrics } from '#parley/http/metrics.js';
import { RuntimeWatch } from '#parley/http/process-metrics.js';
import type { Served } from '../rpc/served.js';

export function watch(
  { router, factory, calls, callLog, generated, server }: Served,
  runtime = new RuntimeWatch(),
): { readonly metrics: Metrics; readonly runtime: RuntimeWatch } {
  const metrics = new Metrics({
    serverVersion: 'test',
    router,
    factory,
    runtime,
    traffic: server.traffic,
    errors: calls.errors,
    unknownMethods: () => calls.unknownMethods,
    methods: generated.answered,
    unlogged: callLog.suppressed,
  });
  return { metrics, runtime };
}
