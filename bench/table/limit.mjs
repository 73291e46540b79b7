/** What no server on this road could do better: the same frames through the bare transport, and the graph alone in full batches. */
import { runtimeOf } from './bursts.mjs';
import { inTurn, published, workloadOf } from './sides.mjs';

const CONNECTIONS = 64;

export async function limit(context) {
  const { workplace, cores, options } = context;
  const work = await workloadOf(workplace, 'logistic', 1);
  await workplace.prepare({ logistic: published('logistic') });
  const { provenance: _, expectation: __, ...echoed } = work.predict;
  const measured = await inTurn(context, {
    parley: {
      server: await workplace.parley(cores?.server, options.profile),
      load: work.predict,
      connections: CONNECTIONS,
    },
    echo: { server: await workplace.echo(cores?.server), load: echoed, connections: CONNECTIONS },
    'one row': runtimeOf(workplace, cores?.server, work.graph, 1),
    '64 rows': runtimeOf(workplace, cores?.server, work.graph, CONNECTIONS),
  });
  const { parley, echo, '64 rows': batch } = measured.sides;
  const least = echo.cpuUs + batch.cpuUs / CONNECTIONS;
  const share = (part) => `${((part / parley.cpuUs) * 100).toFixed(0)} %`;
  return {
    ...measured,
    notes: [
      `of ${parley.cpuUs.toFixed(1)} µs a call, the transport's echo is ${echo.cpuUs.toFixed(1)} (${share(echo.cpuUs)}) and its row's part of a run of 64 is ${(batch.cpuUs / CONNECTIONS).toFixed(2)} (${share(batch.cpuUs / CONNECTIONS)}); all else that Parley does ${(parley.cpuUs - least).toFixed(1)} (${share(parley.cpuUs - least)})`,
    ],
  };
}
