/**
 * The suite on a running server, as any caller meets it: rows through its typed service, over the wire.
 *
 * What is timed is a call of one row, there and back. What has answered is read from the answers' provenance.
 */
import { token } from '../config.js';
import type { ContractMethod } from '../contract/contract.js';
import { contractMismatch } from '../errors.js';
import { judge } from '../evaluation/acceptance.js';
import { digestOf } from '../model/byte-stream.js';
import type { Column, ColumnBatch } from '../model/row.js';
import type { Answering } from '../registry/acceptance/answering.js';
import { readChecks } from '../registry/acceptance/checks-file.js';
import { bestLatency } from '../registry/acceptance/latency.js';
import { rowsIn } from '../registry/acceptance/rows.js';
import { runChecks } from '../registry/acceptance/run-checks.js';
import { wrongByCriterion } from '../registry/wrong-rows.js';
import { ParleyClient } from '../rpc/client/parley-client.js';
import type { PlainAnswer } from '../rpc/client/typed.js';
import { answersFrom } from './plain-answers.js';
import type { Suite, Tested } from './run.js';
import { addressOf, type ServerSubject } from './subject.js';
import { plainRows } from './wire-rows.js';

/** Rows of one call. */
const ROWS_AT_ONCE = 100;
const CALLS_PER_ROUND = 300;
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

class ServedSuite implements Answering {
  readonly method: ContractMethod;
  private readonly model: string;
  /** Whose digests the answers told. */
  private readonly versions = new Set<string>();

  constructor(
    private readonly suite: Suite,
    private readonly client: ParleyClient,
  ) {
    this.model = suite.project.contract.model;
    this.method = suite.project.service.methods[0]!;
  }

  async run(): Promise<Tested> {
    const { project, fixtures, fixtureFingerprint } = this.suite;
    const { accept } = project.service,
      { rows, truth } = fixtures.table,
      { request } = this.method;
    await this.checkService();
    const answers = await this.answers(rows, truth);
    const { checks } = project;
    const latency = await this.latency(rows);
    const perturbed = checks === undefined ? undefined : await runChecks(readChecks(checks, this.method), this, rows);
    const versions = [...this.versions].sort();
    const verdict = judge({
      acceptance: accept,
      answers,
      cost: { ...latency, sizeBytes: await this.sizeOf(versions) },
      contractFingerprint: project.contract.fingerprint,
      fixtureFingerprint,
      rowsIn: (slice) => rowsIn(rows, request, slice),
      // What a typed service answers with is what is in production.
      production: { version: versions.join(', '), answers },
      ...(perturbed === undefined ? {} : { checks: perturbed, checksFingerprint: digestOf(Buffer.from(checks!)) }),
    });
    const wrong = wrongByCriterion(accept, { table: fixtures.table, request, answers });
    return { verdict, wrong, versions };
  }

  async answers(rows: ColumnBatch, truth: Column) {
    const asked = plainRows(rows, this.method.request);
    const told: PlainAnswer[] = [];
    for (let at = 0; at < asked.length; at += ROWS_AT_ONCE)
      told.push(...(await this.client.predict(this.model, asked.slice(at, at + ROWS_AT_ONCE), { many: true })));
    const provenance = this.method.response.fields.find(({ role }) => role === 'provenance')?.name ?? '';
    for (const answer of told) {
      const { version } = (answer[provenance] ?? {}) as { readonly version?: string };
      if (version !== undefined) this.versions.add(version);
    }
    return answersFrom(told, this.method.response, truth);
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

  private latency(rows: ColumnBatch) {
    const asked = plainRows(rows, this.method.request);
    const call = (index: number) => this.client.predict(this.model, [asked[index % asked.length]!], { many: false });
    return bestLatency(call, CALLS_PER_ROUND);
  }

  /** Of the stored envelopes, the largest; NaN, which passes no bound, where it cannot be told which version answered. */
  private async sizeOf(versions: readonly string[]): Promise<number> {
    if (versions.length === 0) return Number.NaN;
    const sizes = new Map<string, number>();
    let pageToken: string | undefined;
    do {
      const query = { model: this.model, limit: MOST_LISTED, ...(pageToken === undefined ? {} : { pageToken }) };
      const page = await this.client.listVersions(query);
      for (const { version, sizeBytes } of page.items) sizes.set(version, sizeBytes);
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined && !versions.every((version) => sizes.has(version)));
    return Math.max(...versions.map((version) => sizes.get(version) ?? Number.NaN));
  }
}
