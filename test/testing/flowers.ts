/** A project whose model says rose of what is tall, and fixtures in which that is not always so. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadProject } from '#parley/training/project.js';
import { train } from '#parley/training/train.js';
import { FLOWERS_IDL, flowerFolder, type ProjectFolder } from '../unit/training/projects.js';

const BOUNDS = `
  accept.accuracy = ">= 0.9",
  accept.1 = "recall(rose)[color=yellow] >= 0.9",
  accept.2 = "precision(tulip) >= 0.5",
  accept.latency_p99_ms = "<= 2000",
  accept.baseline = "majority"`;

export const ACCEPTING_IDL =
  `include "parley.thrift"\n${FLOWERS_IDL.replace('(role = "confidence")', '(role = "confidence")  3: optional parley.Provenance from')}`.replace(
    'service Flowers { Named name(1: Flower flower) } (model = "flowers")',
    `service Flowers { Named name(1: Flower flower)  list<Named> name_all(1: list<Flower> flowers) } (model = "flowers",${BOUNDS})`,
  );

const HEADER = 'height,color,kind\n';
const rows = (count: number, row: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => row(i)).join('');

/** Ten red roses, ten tulips without a color, and four yellow roses: all as the model says. */
export const FITTING = `${HEADER}${rows(10, (i) => `${155 + i},red,rose\n`)}${rows(10, (i) => `${41 + i},,tulip\n`)}${rows(4, (i) => `${158 + i},yellow,rose\n`)}`;
/** The yellow roses, rows 21 to 24, are as low as tulips. */
export const LOW_ROSES = `${HEADER}${rows(10, (i) => `${155 + i},red,rose\n`)}${rows(10, (i) => `${41 + i},,tulip\n`)}${rows(4, (i) => `${52 + i},yellow,rose\n`)}`;

/** The model is in `flowers.onnx`. */
export async function acceptedProject(fixtures = FITTING): Promise<ProjectFolder> {
  const folder = flowerFolder(
    { fixtures: 'fixtures.csv', features: { drop: ['color'] } },
    { 'flowers.thrift': ACCEPTING_IDL, 'fixtures.csv': FITTING },
  );
  const { artifact } = await train(await loadProject(folder.path));
  writeFileSync(join(folder.path, 'flowers.onnx'), artifact.graph);
  folder.write('fixtures.csv', fixtures);
  return folder;
}

export const TITLES = [
  'accuracy >= 0.9 on 24 fixtures',
  'recall(rose)[color=yellow] >= 0.9 on 4 fixtures',
  'precision(tulip) >= 0.5 on 24 fixtures',
  'latency_p99_ms <= 2000',
  'baseline: better than majority, McNemar p < 0.05 on 24 fixtures',
];

/** By the model on `LOW_ROSES`. */
export const MISSED = [TITLES[0], TITLES[1], TITLES[4]];
