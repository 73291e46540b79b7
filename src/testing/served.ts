/**
 * The suite on a running server, as any caller meets it: rows through its typed service, over the wire.
 *
 * What is timed is a call of one row, there and back. What has answered is read from the answers' provenance.
 */
import { performance } from 'node:perf_hooks';
import { token } from '../config.js';
import { type ContractMethod, labelClasses, type OutputField } from '../contract/contract.js';
import { contractMismatch, invalidInput } from '../errors.js';
import { type FixtureAnswers, judge } from '../evaluation/acceptance.js';
import { quantile } from '../evaluation/quantile.js';
import type { ModelVersion } from '../model/version.js';
import { rowsOf, wrongByCriterion } from '../registry/wrong-rows.js';
import { ParleyClient } from '../rpc/client/parley-client.js';
import type { PlainAnswer, PlainRow } from '../rpc/client/typed.js';
import type { Suite, Tested } from './run.js';
import { addressOf, type ServerSubject } from './subject.js';
import { plainRows } from './wire-rows.js';

/** Rows of one call. */
const ROWS_AT_ONCE = 100;
const CALLS = 300;
const ROUNDS = 3;
const ROUND_MS = 5_000;
const MOST_LISTED = 200;

/** @throws ParleyError STORE_UNAVAILABLE where nothing answers, what the server refuses, CONTRACT_MISMATCH for another contract */
export async function acceptServed(
  suite: Suite,
  subject: ServerSubject,
  signal: AbortSignal | undefined,
): Promise<Tested> {
  const client = await ParleyClient.connect(addressOf(subject), token(subject.token));
  const abort = () => client.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await new ServedSuite(suite, client).run();
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    client.close();
  }
}

class ServedSuite {
  private readonly model: string;
  private readonly method: ContractMethod;

  constructor(
    private readonly suite: Suite,
    private readonly client: ParleyClient,
  ) {
    this.model = suite.project.contract.model;
    this.method = suite.project.service.methods[0]!;
  }

  async run(): Promise<Tested> {
    const { project, fixtures, fixtureFingerprint } = this.suite;
    await this.checkService();
    const rows = plainRows(fixtures.table, this.method.request);
    const answers: PlainAnswer[] = [];
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
      answers.push(...(await this.client.predict(this.model, rows.slice(at, at + ROWS_AT_ONCE), { many: true })));
    const classes = this.classesOf(answers);
    const judged = this.fixtureAnswers(answers, classes);
    const versions = versionsOf(answers, this.method);
    const verdict = judge({
      acceptance: project.service.accept,
      answers: judged,
      cost: { ...(await this.latency(rows)), sizeBytes: await this.sizeOf(versions) },
      contractFingerprint: project.contract.fingerprint,
      fixtureFingerprint,
      rowsIn: (slice) => rowsOf(fixtures.table, this.method.request, slice),
    });
    const answered = { table: fixtures.table, request: this.method.request, answers: judged };
    return { verdict, wrong: wrongByCriterion(project.service.accept, answered), versions };
  }

  /** A server that keeps another contract is asked other questions than the suite's. */
  private async checkService(): Promise<void> {
    const { contract, service } = this.suite.project;
    const served = await this.client.contract(service.name);
    if (served.fingerprint === contract.fingerprint) return;
    throw contractMismatch(
      `the server keeps the contract ${served.fingerprint.slice(0, 12)} for ${service.name}, and the project's is ${contract.fingerprint.slice(0, 12)}; publish the project's with "parley contract publish", or test with the other one`,
    );
  }

  private classesOf(answers: readonly PlainAnswer[]): readonly string[] {
    const { truth, answer } = this.suite.fixtures.table;
    if (answer.role !== 'label') return [];
    const declared = labelClasses(this.method.response);
    if (declared.length > 0) return declared;
    return [...new Set([...(truth as string[]), ...answers.map((each) => String(each[answer.name]))])].sort();
  }

  private fixtureAnswers(answers: readonly PlainAnswer[], classes: readonly string[]): FixtureAnswers {
    const { truth, answer } = this.suite.fixtures.table;
    if (answer.role !== 'label') {
      const mean = (truth as Float64Array).reduce((sum, value) => sum + value, 0) / truth.length;
      return {
        task: 'regression',
        truth: truth as Float64Array,
        predicted: answers.map((each) => Number(each[answer.name] ?? Number.NaN)),
        baseline: new Float64Array(truth.length).fill(mean),
      };
    }
    const indices = (truth as string[]).map((name) => classes.indexOf(name));
    const positive = answer.enum?.members.find((member) => member.positive)?.label;
    const probabilities = probabilitiesOf(answers, this.method.response.fields, classes);
    return {
      task: 'classification',
      classes: classes.length,
      classNames: classes,
      truth: indices,
      predicted: answers.map((each) => classes.indexOf(String(each[answer.name]))),
      ...(probabilities === undefined ? {} : { probabilities }),
      ...(positive === undefined ? {} : { positive: classes.indexOf(positive) }),
      baseline: new Array<number>(indices.length).fill(commonest(indices, classes.length)),
    };
  }

  private async latency(rows: readonly PlainRow[]): Promise<{ latencyP50Ms: number; latencyP99Ms: number }> {
    let best = { latencyP50Ms: Number.POSITIVE_INFINITY, latencyP99Ms: Number.POSITIVE_INFINITY };
    for (let round = 0; round < ROUNDS; round++) {
      const times: number[] = [],
        end = performance.now() + ROUND_MS;
      for (let call = 0; call < CALLS && performance.now() < end; call++) {
        const begin = performance.now();
        await this.client.predict(this.model, [rows[call % rows.length]!], { many: false });
        times.push(performance.now() - begin);
      }
      const latencyP99Ms = quantile(times, 0.99);
      if (latencyP99Ms < best.latencyP99Ms) best = { latencyP50Ms: quantile(times, 0.5), latencyP99Ms };
    }
    return best;
  }

  /** Of the stored envelopes, the largest; NaN, which passes no bound, where it cannot be told which version answered. */
  private async sizeOf(versions: readonly string[]): Promise<number> {
    const sizes = new Map<string, number>();
    let pageToken: string | undefined;
    do {
      const query = { model: this.model, limit: MOST_LISTED, ...(pageToken === undefined ? {} : { pageToken }) };
      const page = await this.client.listVersions(query);
      for (const { version, sizeBytes } of page.items as ModelVersion[]) sizes.set(version, sizeBytes);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined && !versions.every((version) => sizes.has(version)));
    if (versions.length === 0) return Number.NaN;
    return Math.max(...versions.map((version) => sizes.get(version) ?? Number.NaN));
  }
}

/** Those that the answers say; none where the response has no provenance. */
function versionsOf(answers: readonly PlainAnswer[], { response }: ContractMethod): string[] {
  const name = response.fields.find(({ role }) => role === 'provenance')?.name;
  if (name === undefined) return [];
  return [
    ...new Set(answers.map((answer) => String((answer[name] as { version?: string } | undefined)?.version))),
  ].sort();
}

/** Rows × classes; undefined where the response has no map of probabilities. */
function probabilitiesOf(
  answers: readonly PlainAnswer[],
  fields: readonly OutputField[],
  classes: readonly string[],
): Float64Array | undefined {
  const name = fields.find(({ role }) => role === 'probability')?.name;
  if (name === undefined) return undefined;
  const probabilities = new Float64Array(answers.length * classes.length);
  answers.forEach((answer, row) => {
    const given = answer[name] as Readonly<Record<string, number>> | undefined;
    if (given === undefined) throw invalidInput(`the server's answer ${row + 1} lacks ${name}`);
    classes.forEach((each, index) => {
      probabilities[row * classes.length + index] = given[each] ?? Number.NaN;
    });
  });
  return probabilities;
}

function commonest(indices: readonly number[], classes: number): number {
  const counts = new Array<number>(classes).fill(0);
  for (const index of indices) counts[index]!++;
  return counts.indexOf(Math.max(...counts));
}
