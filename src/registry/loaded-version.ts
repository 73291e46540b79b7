/** A version loaded for one look at it, outside the serving road: rows in, all outputs out. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bindService, type MethodBinding } from '../contract/bind.js';
import type { Contract } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import type { ColumnBatch } from '../model/row.js';
import type { Tensor, TensorData } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import { ENSEMBLE } from '../model-types/ensemble/runtime.js';
import { deserialize } from '../model-types/table.js';
import { type Results, type RunnableSession, runtimeTensor, Session } from '../onnx/session.js';
import { EnsembleSession, type ReadMember } from '../serving/ensemble-session.js';
import { feedsOf } from './feeds.js';
import { ENVELOPE, type IsolatedModel, memberFile } from './isolated.js';

export class LoadedVersion {
  private constructor(
    readonly artifact: Artifact,
    readonly session: RunnableSession,
    readonly contract: Contract | undefined,
    /** Of the contract's first method. */
    readonly binding: MethodBinding | undefined,
    readonly envelope: Uint8Array,
    /** Of the envelope, and of an ensemble's members'. */
    readonly sizeBytes: number,
  ) {}

  static async load(folder: string, { contract: text, service }: IsolatedModel): Promise<LoadedVersion> {
    const envelope = await readFile(join(folder, ENVELOPE));
    const artifact = deserialize(envelope);
    const contract = text === undefined ? undefined : parseContract(text);
    let sizeBytes = envelope.length;
    const session = await loadedSession(artifact, async (version) => {
      const member = await readMember(folder)(version);
      sizeBytes += member.length;
      return member;
    });
    const bindable = { ...artifact, signature: session.signature };
    const binding =
      contract === undefined
        ? undefined
        : bindService(contract, service ?? contract.services[0]!.name, bindable).methods[0];
    return new LoadedVersion(artifact, session, contract, binding, envelope, sizeBytes);
  }

  async run(rows: ColumnBatch): Promise<Record<string, Tensor>> {
    const feeds = feedsOf(rows, this.session.signature, this.binding?.inputs);
    const results: Results = await this.session.runOnce(
      Object.fromEntries(
        Object.entries(feeds).map(([name, { dataType, data, shape }]) => [name, runtimeTensor(dataType, data, shape)]),
      ),
    );
    return Object.fromEntries(
      this.session.signature.outputs.map(({ name, dataType }) => [
        name,
        { dataType, shape: [...results[name]!.dims], data: results[name]!.data as TensorData },
      ]),
    );
  }
}

/** Reads an ensemble's member from the assignment's folder. */
export const readMember =
  (folder: string): ReadMember =>
  (version) =>
    readFile(join(folder, memberFile(version)));

const loadedSession = (artifact: Artifact, read: ReadMember): Promise<RunnableSession> =>
  artifact.modelType === ENSEMBLE ? EnsembleSession.load(artifact, read, Session.load) : Session.load(artifact.graph);
