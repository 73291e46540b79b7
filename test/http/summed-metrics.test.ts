/** The sum of several processes' metrics, where one of them has ended and two ask at once. */
import { expect } from 'chai';
import { SummedMetrics } from '#parley/http/summed-metrics.js';
import { noRefusals } from '#parley/security/grant.js';

const CALLS = [
  { name: 'calls_total', help: 'Calls', type: 'counter', aggregator: 'sum', values: [{ labels: {}, value: 7 }] },
];

/** The lines of one metric. */
const linesOf = (text: string, name: string): string[] => text.split('\n').filter((line) => line.startsWith(name));

describe('metrics of several processes', () => {
  it('have what an ended one had counted for everybody who asks', async () => {
    let ended: unknown[] = [CALLS];
    const summed = new SummedMetrics({
      ready: [],
      crashes: 1,
      ask: async () => [],
      lastOfEnded: () => ended.splice(0),
    });
    const texts = await Promise.all([summed.text(), summed.text()]);
    ended = [CALLS];
    texts.push(await summed.text());
    expect(texts.map((text) => linesOf(text, 'calls_total'))).to.deep.equal([
      ['calls_total 7'],
      ['calls_total 7'],
      ['calls_total 14'],
    ]);
  });

  it('have the refusals of the port where they are asked for', async () => {
    const refusals = { ...noRefusals(), unknown: 2 };
    const metrics = [{ labels: { reason: 'unknown' }, value: 3 }];
    const served = [
      { name: 'parley_access_refused_total', help: 'x', type: 'counter', aggregator: 'sum', values: metrics },
    ];
    const parts = { ready: [], crashes: 0, ask: async () => [served], lastOfEnded: () => [] };
    expect(linesOf(await new SummedMetrics(parts, refusals).text(), 'parley_access_refused_total')).to.include(
      'parley_access_refused_total{reason="unknown"} 5',
    );
  });
});
