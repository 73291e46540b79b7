/** Runs a project's acceptance suite on what is in a file, in a store, or behind a port. Records nothing. */
import { notFound } from '../errors.js';
import { digestOf } from '../model/byte-stream.js';
import { suiteBytes } from '../registry/acceptance/suite-bytes.js';
import type { Accepted } from '../registry/wrong-rows.js';
import { loadProject, type Project } from '../training/project.js';
import { type ProjectFixtures, readProjectFixtures } from '../training/project-fixtures.js';
import { acceptFile } from './file-subject.js';
import { type ListedCriterion, listCriteria } from './listing.js';
import { reportOf, type SuiteReport } from './report.js';
import { acceptServed } from './served.js';
import { acceptStored } from './stored-subject.js';
import { type Subject, subjectText } from './subject.js';

/** A project whose suite can be run. */
export interface Suite {
  readonly project: Project;
  readonly fixtures: ProjectFixtures;
  /** Fixtures and checks as they are published. */
  readonly bytes: Uint8Array;
  /** SHA-256 of these. */
  readonly fixtureFingerprint: string;
  readonly criteria: readonly ListedCriterion[];
}

/** What a suite's run on a subject comes to. */
export type Tested = Accepted & { readonly versions: readonly string[] };

/**
 * Reads a project's contract and fixtures.
 *
 * @param folder of parley.yaml
 * @throws ParleyError INVALID_INPUT, NOT_FOUND for what is wrong in the project, or where it has no fixtures
 */
export async function openSuite(folder: string, signal?: AbortSignal): Promise<Suite> {
  const project = await loadProject(folder);
  const fixtures = await readProjectFixtures(project, signal);
  if (fixtures === undefined)
    throw notFound('parley.yaml names no fixtures, so nothing can be tested; add "fixtures: fixtures.csv"');
  const criteria = await listCriteria(project, fixtures.table);
  const bytes = suiteBytes(fixtures.bytes, project.checks);
  return { project, fixtures, bytes, fixtureFingerprint: digestOf(bytes), criteria };
}

/** @throws ParleyError what the subject cannot be run for; a bound that is missed is in the report */
export async function runSuite(suite: Suite, subject: Subject, signal?: AbortSignal): Promise<SuiteReport> {
  signal?.throwIfAborted();
  const { verdict, wrong, versions } = await testedBy(suite, subject, signal);
  const { project, fixtures } = suite;
  const { model } = project.contract;
  return reportOf({ model, subject: subjectText(subject), versions, verdict, wrong, warnings: fixtures.warnings });
}

function testedBy(suite: Suite, subject: Subject, signal: AbortSignal | undefined): Promise<Tested> {
  if ('file' in subject) return acceptFile(suite, subject);
  return 'version' in subject ? acceptStored(suite, subject) : acceptServed(suite, subject, signal);
}
