/** Graphs that scikit-learn, LightGBM and XGBoost really export answer as their makers do, bare and behind a contract. */
import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import type { Tensor } from '#parley/model/tensor.js';
import { PRODUCTION } from '#parley/model/version.js';
import { useGraphWorld } from '../graphs/world.js';
import { skip } from '../skip.js';
import { until } from '../store/redis-server.js';

const SCRIPT = resolve('test/exports/export.py');
const PACKAGES = ['scikit-learn', 'skl2onnx', 'lightgbm', 'xgboost', 'onnxmltools', 'packaging'];
const CLASSIFIERS = ['pipeline', 'pipeline_zipmap', 'network', 'lightgbm', 'lightgbm_zipmap', 'xgboost'];
const NUMBERED = 'numbered';
const REGRESSORS = ['ridge', 'lightgbm_regressor', 'xgboost_regressor'];
/** Graphs compute in float32, and so does XGBoost; the others do in float64. */
const TOLERANCE = 1e-5;

const FEATURES = `struct Penguin {
  1: optional double bill_length_mm (min = "10", max = "100")
  2: optional double bill_depth_mm (min = "5", max = "50")
  3: optional double flipper_length_mm (min = "100", max = "300")
  4: optional double body_mass_g (min = "1000", max = "9000")
}`;
const NAMES = ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g'];
const speciesIdl = (model: string, labels: readonly string[]) => `include "parley.thrift"
namespace js species
enum Species { UNSPECIFIED = 0, A = 1 (label = "${labels[0]}"), B = 2 (label = "${labels[1]}"), C = 3 (label = "${labels[2]}") }
${FEATURES}
struct Answer { 1: optional Species species (role = "label"), 2: optional map<Species, double> probability (role = "probability") }
service Of_${model} { list<Answer> identify_${model}(1: list<Penguin> penguins) } (model = "${model}")
`;
const massIdl = (model: string) => `include "parley.thrift"
namespace js mass
${FEATURES}
struct Answer { 1: optional double mass (role = "value") }
service Of_${model} { list<Answer> weigh_${model}(1: list<Penguin> penguins) } (model = "${model}")
`;

interface Answers {
  readonly rows: readonly (readonly number[])[];
  readonly graphs: Readonly<
    Record<
      string,
      {
        readonly labels: readonly string[] | null;
        readonly probabilities: readonly (readonly number[])[] | null;
        readonly values: readonly number[] | null;
      }
    >
  >;
}

/** @returns an interpreter with the packages; a reason where there can be none */
function pythonIn(folder: string): { python: string } | { reason: string } {
  const given = process.env.PARLEY_TEST_EXPORTS_PYTHON;
  if (given !== undefined) return { python: given };
  const made = spawnSync('python3', ['-m', 'venv', folder], { encoding: 'utf8' });
  if (made.status !== 0) return { reason: `python3 makes no virtual environment: ${lastLine(made)}` };
  const python = join(folder, 'bin/python');
  const installed = spawnSync(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], { encoding: 'utf8' });
  return installed.status === 0
    ? { python }
    : { reason: `pip cannot install ${PACKAGES.join(', ')}: ${lastLine(installed)}` };
}

const lastLine = ({ stdout, stderr, error }: SpawnSyncReturns<string>) =>
  error?.message ?? `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').at(-1);

describe('what other tools export', function () {
  this.timeout(20 * 60_000);
  const world = useGraphWorld();
  let folder: string;
  let answers: Answers;

  before(function () {
    folder = mkdtempSync(join(tmpdir(), 'parley-exports-'));
    const found = pythonIn(join(folder, 'venv'));
    if ('reason' in found) skip(this, found.reason);
    execFileSync(found.python, ['-W', 'ignore', SCRIPT, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    answers = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as Answers;
  });
  after(() => {
    if (existsSync(folder)) rmSync(folder, { recursive: true });
  });

  const graphOf = (name: string) => readFileSync(join(folder, `${name}.onnx`));
  const matrix = (): Tensor => ({
    dataType: 'float32',
    shape: [answers.rows.length, NAMES.length],
    data: Float32Array.from(answers.rows.flat()),
  });

  /** Rows to a typed service, behind a contract that is in force. */
  async function typedAnswers(model: string, idl: string, type: string) {
    const { client, world: stored } = world();
    await client.publishContract({ idl });
    const { version, modelType } = await world().publish(model, graphOf(model));
    expect(modelType).to.equal(type);
    await stored.store.moveAlias({ actor: 'ada', model, version, aliasName: PRODUCTION, action: 'promote' });
    await until('the server to follow', () =>
      client.describe(model, PRODUCTION).then(
        () => true,
        () => false,
      ),
    );
    const rows = answers.rows.map((row) => Object.fromEntries(NAMES.map((name, index) => [name, row[index]])));
    return client.predict(model, rows, { many: true });
  }

  for (const name of [...CLASSIFIERS, NUMBERED])
    it(`answers as its maker does, bare: ${name}`, async () => {
      const { labels, probabilities } = answers.graphs[name];
      const { version, modelType } = await world().publish(`bare_${name}`, graphOf(name));
      expect(modelType).to.equal('tensor');
      const [label, matrixOut] = Object.values(await world().predict(`bare_${name}`, version, { X: matrix() }));
      const classes = name.startsWith('lightgbm') || name === 'xgboost' ? ['Adelie', 'Chinstrap', 'Gentoo'] : undefined;
      const told = Array.from(label.data as string[], (value) => classes?.[Number(value)] ?? String(value));
      expect(told).to.deep.equal(labels);
      expectClose(Array.from(matrixOut.data as Float32Array), probabilities!.flat());
    });

  for (const name of REGRESSORS)
    it(`answers as its maker does, bare: ${name}`, async () => {
      const { version } = await world().publish(`bare_${name}`, graphOf(name));
      const { variable } = await world().predict(`bare_${name}`, version, { X: matrix() });
      expectClose(Array.from(variable.data as Float32Array), answers.graphs[name].values!);
    });

  for (const [name, labels] of [
    ...CLASSIFIERS.map((each) => [each, ['Adelie', 'Chinstrap', 'Gentoo']] as const),
    [NUMBERED, ['10', '20', '30']] as const,
  ])
    it(`answers as its maker does, behind a contract: ${name}`, async () => {
      const rows = await typedAnswers(name, speciesIdl(name, labels), 'tabular-classifier');
      expect(rows.map((row) => row.species)).to.deep.equal(answers.graphs[name].labels);
      const told = rows.flatMap((row) => labels.map((label) => (row.probability as Record<string, number>)[label]));
      expectClose(told, answers.graphs[name].probabilities!.flat());
    });

  for (const name of REGRESSORS)
    it(`answers as its maker does, behind a contract: ${name}`, async () => {
      const rows = await typedAnswers(name, massIdl(name), 'tabular-regressor');
      expectClose(
        rows.map((row) => row.mass as number),
        answers.graphs[name].values!,
      );
    });
});

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).to.have.length(expected.length);
  const worst = Math.max(...actual.map((value, index) => Math.abs(value - expected[index])));
  expect(worst).to.be.below(TOLERANCE);
}
