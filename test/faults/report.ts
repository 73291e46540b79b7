/** What the faults came to, as docs/reliability.md has it. */
import type { Outcome } from './run.js';

export function report(outcomes: readonly Outcome[], seconds: number): string {
  return `# Reliability

What a running \`parley serve\` and its registry do while their Redis fails. Each row is ${seconds} s of load on one server:
200 predictions a second on three models, and a promotion every 250 ms on one of them, while the fault comes and goes.

${table(outcomes)}

How to read it: loaded models answer from memory, so no prediction may fail, whatever becomes of Redis. A promotion either
succeeds or fails with \`STORE_UNAVAILABLE\`, which may be repeated; *other* counts anything else. *Longest without* is the
longest time between two promotions that succeeded. Afterwards the store is read by a connection of its own: *versions lost*
are those whose bytes no longer have their digest, and the *ledger* is whole when no sequence is missing, every promotion
that was acknowledged is in it, and each alias is where its last line led, in the store and in the server.

What the figures depend on: how soon Sentinels call a primary down (\`down-after-milliseconds\`, here 800 ms) and how soon
the nodes of a cluster do (\`cluster-node-timeout\`, here 1500 ms); Redis's own defaults are 30 s and 15 s. All processes ran
on one machine, and every Redis wrote its log on every change (\`appendfsync always\`); with \`everysec\`, a machine that loses
its power may lose the last second.

Run it again with \`scripts/faults\` (some minutes; it needs redis-server and writes this page), or one row of it with
\`scripts/faults --only killed --seconds 10\`.
`;
}

export function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => [
    outcome.fault.title,
    `${outcome.sent} / ${outcome.failed}`,
    `${outcome.succeeded} / ${outcome.unavailable} / ${outcome.other}`,
    `${(outcome.longestGapMs / 1_000).toFixed(1)} s`,
    `${outcome.lost} of ${outcome.versions}`,
    outcome.broken.length === 0 ? `whole, ${outcome.ledgerLines} lines` : outcome.broken.join('; '),
  ]);
  const head = [
    'fault',
    'predictions sent / failed',
    'promotions: succeeded / STORE_UNAVAILABLE / other',
    'longest without',
    'versions lost',
    'ledger',
  ];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
