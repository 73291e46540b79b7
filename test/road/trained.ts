/** One data folder with trained versions, made once for all files: tests work on copies of it. */
import { loadExample, Place } from './parley.js';

export const PENGUIN = {
  bill_length_mm: 46.5,
  bill_depth_mm: 17.9,
  flipper_length_mm: 192,
  body_mass_g: 3500,
  island: 'Dream',
  sex: 'FEMALE',
};

/** Rows whose species are those of other rows: nothing can be learned from them. */
export const shuffled = (yaml: string): string =>
  yaml.replace(
    'sex, species\n    FROM penguins\n',
    'sex,\n      (SELECT species FROM penguins AS other WHERE other.rowid = penguins.rowid * 103 % 271 + 1) AS species\n    FROM penguins\n',
  );

export interface Trained {
  /** Data folder. */
  readonly folder: string;
  /** Accepted, and in production. */
  readonly good: string;
  /** Accepted too, and promoted before `good`. */
  readonly other: string;
  /** Published, and not accepted. */
  readonly bad: string;
}

interface Outcome {
  readonly version: { readonly version: string };
}

let made: Promise<Trained> | undefined;
let place: Place | undefined;

/** Call it in the body of a `describe`. */
export function useTrained(): () => Trained {
  let trained: Trained;
  before(async function () {
    this.timeout(120_000);
    made ??= make();
    trained = await made;
  });
  return () => trained;
}

async function make(): Promise<Trained> {
  loadExample();
  place = new Place();
  const train = async (project: string, ...options: string[]) =>
    (await place!.json<Outcome>('train', project, ...options)).version.version;
  const project = place.project();
  const other = await train(project, '--promote', '--set', 'trainer.l2=0.5');
  const good = await train(project, '--promote');
  const bad = await train(place.project({ 'parley.yaml': shuffled }));
  return { folder: place.dataFolder, good, other, bad };
}

// Of the whole run: the first file to import this registers it on Mocha's root.
after(() => place?.leave());
