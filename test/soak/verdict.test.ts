import { expect } from 'chai';
import type { Sample } from './samples.js';
import { judge, type Outcome } from './verdict.js';

const sample = (i: number, change: Partial<Sample> = {}): Sample => ({
  second: i * 5,
  callsPerSecond: 1_000,
  p99Ms: 1,
  rssBytes: 100e6,
  fileDescriptors: 60,
  processes: 1,
  ...change,
});
const taken = { rssBytes: 90e6, fileDescriptors: 25, processes: 1 };

/** Five minutes in which all went well. */
const GOOD: Outcome = {
  sent: 10,
  answered: 10,
  wrongCount: 0,
  wrong: [],
  failedCount: 0,
  failed: [],
  heldBack: 0,
  versionsSeen: 2,
  promotions: { acknowledged: 30, unavailable: 1, others: [] },
  promotionsSinceRestart: 9,
  restarts: 2,
  samples: Array.from({ length: 60 }, (_, i) => sample(i)),
  before: taken,
  after: taken,
  interrupted: false,
};

const breachesOf = (change: Partial<Outcome>): string => judge({ ...GOOD, ...change }).breaches.join('; ');
const samplesWith = (change: (i: number) => Partial<Sample>) =>
  Array.from({ length: 60 }, (_, i) => sample(i, change(i)));

describe("a soak's verdict", () => {
  it('finds nothing where all went well', () => {
    expect(judge(GOOD)).to.deep.equal({ breaches: [], remarks: [], rssGrowth: 0 });
  });

  const broken: readonly [what: string, change: Partial<Outcome>, told: RegExp][] = [
    ['one wrong answer', { wrongCount: 1, wrong: ['a'] }, /^1 wrong answers, the first: a$/],
    ['one failed call', { failedCount: 1, failed: ['b'] }, /^1 valid calls failed, the first: b$/],
    ['silence', { answered: 0 }, /^nothing was answered$/],
    ['a promotion that failed otherwise', { promotions: { ...GOOD.promotions, others: ['c'] } }, /otherwise: c$/],
    ['a Redis that was not restarted', { restarts: 1 }, /restarted 1 times/],
    ['a registry that did not come back', { promotionsSinceRestart: 0 }, /no promotion succeeded after/],
    ['promotions that nobody saw', { versionsSeen: 1 }, /answers of 1 versions/],
    ['descriptors that are left', { after: { ...taken, fileDescriptors: 36 } }, /^36 file descriptors are left/],
    [
      'descriptors that grow',
      { samples: samplesWith((i) => ({ fileDescriptors: i < 40 ? 60 : 71 })) },
      /^file descriptors grew from 60 to 71$/,
    ],
    [
      'memory that grows by more than 5 %',
      { samples: samplesWith((i) => ({ rssBytes: i < 40 ? 100e6 : 106e6 })) },
      /^memory grew by 6\.0 %/,
    ],
  ];
  for (const [what, change, told] of broken) {
    it(`finds ${what}`, () => {
      expect(breachesOf(change)).to.match(told);
    });
  }

  it('forgives memory that is given back, or grows while all warms up', () => {
    expect(breachesOf({ samples: samplesWith((i) => ({ rssBytes: i < 20 ? 50e6 : 100e6 - i })) })).to.equal('');
  });

  it('does not judge the memory of a few minutes', () => {
    const { breaches, remarks, rssGrowth } = judge({
      ...GOOD,
      samples: samplesWith((i) => ({ rssBytes: i * 1e6 })).slice(0, 50),
    });
    expect(breaches).to.deep.equal([]);
    expect(remarks.join()).to.include('too short to judge memory');
    expect(rssGrowth).to.equal(undefined);
  });

  it('tells what was seen of one that was interrupted, and does not miss what was still to come', () => {
    const { breaches, remarks } = judge({
      ...GOOD,
      interrupted: true,
      restarts: 0,
      versionsSeen: 1,
      promotionsSinceRestart: 0,
    });
    expect(breaches).to.deep.equal([]);
    expect(remarks.join()).to.include('interrupted');
    expect(breachesOf({ interrupted: true, wrongCount: 1, wrong: ['a'] })).to.include('wrong');
  });
});
