/** What a suite can ask: a version that is loaded here, or one behind a port. */
import type { ContractMethod } from '../../contract/contract.js';
import type { FixtureAnswers } from '../../evaluation/acceptance.js';
import type { Column, ColumnBatch } from '../../model/row.js';
import type { LoadedVersion } from '../loaded-version.js';
import { answersOf } from './answers-of.js';

export interface Answering {
  readonly method: ContractMethod;
  /** @param truth one per row: a class as the contract spells it, or a number */
  answers(rows: ColumnBatch, truth: Column): Promise<FixtureAnswers>;
}

export const answering = (version: LoadedVersion): Answering => ({
  method: version.binding!.method,
  answers: async (rows, truth) => answersOf(version, await version.run(rows), truth),
});
