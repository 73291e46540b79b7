import { expect } from 'chai';

/** A plain script, so that people can run it too. */
interface ReadmeScript {
  claimedOutput(): string;
  runQuickstart(): string;
  normalized(text: string): string;
}

describe('README.md', () => {
  it('shows what scripts/quickstart prints', async function () {
    this.timeout(180_000);
    const script = (await import(new URL('../scripts/readme.mjs', import.meta.url).href)) as ReadmeScript;
    expect(script.normalized(script.claimedOutput())).to.equal(script.normalized(script.runQuickstart()));
  });
});

interface TutorialScript {
  claimed(): string;
  followed(): Promise<string>;
  comparable(text: string): string;
}

describe('docs/tutorial.md', () => {
  it('shows what its commands print', async function () {
    this.timeout(300_000);
    const script = (await import(new URL('../scripts/tutorial.mjs', import.meta.url).href)) as TutorialScript;
    expect(script.comparable(await script.followed())).to.equal(script.comparable(script.claimed()));
  });
});
