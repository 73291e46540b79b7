/** A served server's metrics, joined as app.ts joins them. */
import { Metrics } from '#parley/http/metrics.js';
import { RuntimeWatch } from '#parley/http/process-metrics.js';
import { Traffic } from '#parley/rpc/traffic.js';
import { noRefusals } from '#parley/security/grant.js';
import type { Served } from '../rpc/served.js';

/** What a server tells beside its models before its first call. */
export const NOTHING_COUNTED = {
  serverVersion: 'test',
  lanes: { running: 0, sessions: 0, runs: 0, restarts: 0 },
  runtime: new RuntimeWatch(),
  transport: { traffic: new Traffic(), failedHandshakes: 0, totals: { calls: 0, bytes: 0 } },
  refusals: noRefusals(),
  errors: new Map<string, number>(),
  unknownMethods: () => 0,
  methods: new Map<string, number>(),
  unlogged: new Map<string, number>(),
} as const;

export function watch(
  { router, factory, calls, callLog, generated, server }: Served,
  runtime = new RuntimeWatch(),
): { readonly metrics: Metrics; readonly runtime: RuntimeWatch } {
  const metrics = new Metrics({
    ...NOTHING_COUNTED,
    router,
    factory,
    runtime,
    transport: server,
    errors: calls.errors,
    unknownMethods: () => calls.unknownMethods,
    methods: generated.answered,
    unlogged: callLog.suppressed,
  });
  return { metrics, runtime };
}
