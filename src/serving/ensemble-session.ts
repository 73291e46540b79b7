/**
 * An ensemble's members as one session: each runs on what it takes of the inputs, and their answers become one.
 *
 * Hot path: what goes where is decided when it is loaded; a run costs its members' runs and a pass over their answers.
 */
import { invalidInput, modelBroken } from '../errors.js';
import { allocate, type Signature } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import type { Version } from '../model/version.js';
import { type Composition, classesOf, columnsOf, composition, type Member } from '../model-types/ensemble/compose.js';
import { average, decideLabels, ENSEMBLE, type Floats, shareVotes } from '../model-types/ensemble/runtime.js';
import type { EnsembleMetadata } from '../model-types/ensemble/schema.js';
import { digestOf } from '../model-types/envelope.js';
import { deserialize } from '../model-types/table.js';
import {
  type Feeds,
  type Fetches,
  feedsOf,
  type Results,
  type RunnableSession,
  runOnce,
  runtimeTensor,
} from '../onnx/session.js';
import type { LoadSession } from './load-inline.js';

/** Reads a member's envelope. */
export type ReadMember = (version: Version) => Promise<Uint8Array>;

/** What an ensemble is made of; empty for an artifact of any other type. */
export const memberVersions = ({ modelType, metadata }: Artifact): readonly Version[] =>
  modelType === ENSEMBLE ? (metadata as EnsembleMetadata).members : [];

interface LoadedMember extends Member {
  readonly session: RunnableSession;
  readonly inputs: readonly string[];
}

export class EnsembleSession implements RunnableSession {
  readonly signature: Signature;
  readonly synchronous: boolean;
  /** Of its members. */
  readonly memberTypes: ReadonlySet<string>;
  readonly #members: readonly LoadedMember[];
  readonly #metadata: EnsembleMetadata;
  readonly #composition: Composition;
  /** Per member, the class that a label is, by its name and by its index. */
  readonly #votes: readonly ReadonlyMap<string | bigint, number>[];
  /** Per member, its column of each class. */
  readonly #columns: readonly (readonly number[])[];

  private constructor(artifact: Artifact, members: readonly LoadedMember[]) {
    const metadata = artifact.metadata as EnsembleMetadata,
      { classes = [] } = metadata;
    this.signature = artifact.signature;
    this.synchronous = members.every(({ session }) => session.synchronous);
    this.memberTypes = new Set(members.map(({ modelType }) => modelType));
    this.#members = members;
    this.#metadata = metadata;
    this.#composition = composition(members, metadata.combine);
    this.#votes = members.map((member) => votesOf(member, classes));
    this.#columns = members.map((member) => columnsOf(member, classes));
  }

  /**
   * @param artifact of the type `ensemble`
   * @throws ParleyError MODEL_BROKEN where a member's bytes are not what its name says, and what reading and loading throw
   */
  static async load(artifact: Artifact, readMember: ReadMember, loadSession: LoadSession): Promise<EnsembleSession> {
    const members: LoadedMember[] = [];
    try {
      for (const version of (artifact.metadata as EnsembleMetadata).members) {
        const { modelType, metadata, graph } = checkedMember(version, await readMember(version));
        const session = await loadSession(graph, `member ${version.slice(0, 12)}`);
        const { signature } = session;
        members.push({
          version,
          modelType,
          metadata,
          signature,
          session,
          inputs: signature.inputs.map(({ name }) => name),
        });
      }
      return new EnsembleSession(artifact, members);
    } catch (error) {
      for (const { session } of members) session.release();
      throw error;
    }
  }

  run(feeds: Feeds, fetches: Fetches, done: (error: unknown, results: Results | undefined) => void): void {
    const answers = new Array<Results>(this.#members.length);
    const wanted = this.#wanted(fetches);
    let left = this.#members.length,
      failure: unknown;
    this.#members.forEach((member, index) => {
      member.session.run(partOf(feeds, member.inputs), wanted[index]!, (error, results) => {
        if (results === undefined) failure ??= error ?? modelBroken('a member gave no answer');
        else answers[index] = results;
        if (--left > 0) return;
        let combined: Results | undefined;
        if (failure === undefined) {
          try {
            combined = this.#combine(answers, fetches);
          } catch (defect) {
            failure = defect;
          }
        }
        done(failure, combined);
      });
    });
  }

  runOnce(feeds: Feeds, fetches?: readonly string[]): Promise<Results> {
    return runOnce(this, feeds, fetches);
  }

  release(): void {
    for (const { session } of this.#members) session.release();
  }

  /** What each member is asked for. */
  #wanted(fetches: Fetches): readonly Fetches[] {
    const outputs = this.#composition.outputs.filter(({ spec }) => Object.hasOwn(fetches, spec.name));
    return this.#members.map((_, m) => Object.fromEntries(outputs.map(({ from }) => [from[m]!, null])));
  }

  #combine(answers: readonly Results[], fetches: Fetches): Results {
    const combined = feedsOf([]);
    for (const { role, spec, from } of this.#composition.outputs) {
      if (role !== 'number' || !Object.hasOwn(fetches, spec.name)) continue;
      const parts = answers.map((results, m) => results[from[m]!]!);
      combined[spec.name] = this.#mean(spec.dataType as 'float32', parts, parts[0]!.dims);
    }
    if (Object.hasOwn(fetches, 'label') || Object.hasOwn(fetches, 'probabilities'))
      this.#combineClasses(answers, fetches, combined);
    return combined;
  }

  #mean(dataType: 'float32' | 'float64', parts: readonly Results[string][], shape: readonly number[]): Results[string] {
    const answer = allocate(
      dataType,
      shape.reduce((a, b) => a * b, 1),
    ) as Floats;
    for (const { dims } of parts) if (String(dims) !== String(shape)) throw differentShapes(shape, dims);
    average(
      parts.map(({ data }) => ({ data: data as Floats })),
      this.#metadata.weights,
      1,
      answer,
    );
    return runtimeTensor(dataType, answer, shape);
  }

  #combineClasses(answers: readonly Results[], fetches: Fetches, combined: Results): void {
    const output = this.#composition.outputs.find(({ role }) => role === 'probabilities');
    if (output === undefined) return;
    const { spec, from } = output,
      { classes = [], combine, weights } = this.#metadata;
    const parts = answers.map((results, m) => results[from[m]!]!),
      rows = parts[0]!.dims[0] ?? 0;
    const shape = [rows, classes.length];
    const probabilities = allocate(spec.dataType, rows * classes.length) as Floats;
    if (combine === 'vote') {
      const votes = parts.map(({ data }, m) => votesIn(data as string[] | BigInt64Array, this.#votes[m]!));
      for (const { dims } of parts) if (dims[0] !== rows) throw differentShapes([rows], dims);
      shareVotes(votes, weights, classes.length, probabilities);
    } else {
      for (const { dims } of parts) if (String(dims) !== String(shape)) throw differentShapes(shape, dims);
      const numbers = parts.map(({ data }, m) => ({ data: data as Floats, columns: this.#columns[m]! }));
      average(numbers, weights, classes.length, probabilities);
    }
    if (Object.hasOwn(fetches, spec.name)) combined[spec.name] = runtimeTensor(spec.dataType, probabilities, shape);
    if (Object.hasOwn(fetches, 'label'))
      combined.label = runtimeTensor('string', decideLabels(this.#metadata, probabilities), [rows]);
  }
}

function checkedMember(version: Version, envelope: Uint8Array): Artifact {
  const found = digestOf(envelope);
  if (found !== version)
    throw modelBroken(`member ${version} of the ensemble: the stored bytes have the digest ${found}; publish it again`);
  const artifact = deserialize(envelope);
  if (artifact.metadata.optional_inputs === undefined) return artifact;
  throw invalidInput(`member ${version} of the ensemble has inputs that a call may leave out`);
}

const partOf = (feeds: Feeds, names: readonly string[]): Feeds =>
  feedsOf(names.map((name) => [name, feeds[name]!] as const));

/** A label is a class's name, or, from some exporters, its index among the member's classes. */
function votesOf(member: Member, classes: readonly string[]): ReadonlyMap<string | bigint, number> {
  const own = classesOf(member.metadata) ?? [];
  return new Map<string | bigint, number>(
    own.flatMap((name, index) => [
      [name, classes.indexOf(name)],
      [BigInt(index), classes.indexOf(name)],
    ]),
  );
}

function votesIn(labels: string[] | BigInt64Array, votes: ReadonlyMap<string | bigint, number>): Int32Array {
  const indices = new Int32Array(labels.length);
  for (let row = 0; row < labels.length; row++) indices[row] = votes.get(labels[row]!) ?? -1;
  return indices;
}

const differentShapes = (expected: readonly number[], found: readonly number[]): Error =>
  modelBroken(`the ensemble's members answer (${expected.join(', ')}) and (${found.join(', ')}) for the same rows`);
