/** What an interrupted training must leave: everything that was stored, and nothing else. */
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import type { Command, Place } from './parley.js';

/** One whose version is new, so that it would show. */
export function newTraining(at: Place, options: { detached?: boolean } = {}): Command {
  return at.start(['train', at.project(), '--promote', '--set', 'trainer.l2=0.7'], options);
}

export async function stored(at: Place) {
  const versions = await at.versions();
  return {
    production: versions.find(({ aliases }) => aliases.includes('production'))?.version,
    versions: versions.map(({ version }) => version),
  };
}

export const leftovers = (at: Place): readonly string[] => readdirSync(at.temporary);

export function expectNothingLeft(at: Place): void {
  expect(leftovers(at)).to.deep.equal([]);
  expect(at.redisPid()).to.equal(undefined);
  expect(readdirSync(at.dataFolder)).to.deep.equal(['redis']);
}

/** A stage's line is printed when it has ended: after the evaluation the version is published, after that it is judged. */
export async function expectInterruptible(at: Place, stage: string): Promise<void> {
  const before = await stored(at);
  const training = newTraining(at);
  await training.says(stage);
  const { code, stdout, stderr } = await training.kill('SIGINT');
  expect(stderr).to.include('interrupted');
  expect(stdout).to.equal('');
  expect(code).to.equal(130);
  expectNothingLeft(at);
  const after = await stored(at);
  expect(after.production).to.equal(before.production);
  // Interrupted while it was judged, the version has been published, whole; nothing points at it.
  expect(stage === 'publish: ' ? after.versions.slice(1) : after.versions).to.deep.equal(before.versions);
}
