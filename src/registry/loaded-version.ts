/** A version loaded for one look at it, outside the serving road: rows in, all outputs out. */
import { bindService, type MethodBinding } from '../contract/bind.js';
import type { Contract } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import type { ColumnBatch } from '../model/row.js';
import type { Tensor, TensorData } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import { type Results, type RunnableSession, runtimeTensor } from '../onnx/session.js';
import { feedsOf } from './feeds.js';
import type { IsolatedModel } from './isolated.js';

export class LoadedVersion {
  private constructor(
    readonly artifact: Artifact,
    readonly session: RunnableSession,
    readonly contract: Contract | undefined,
    /** Of the contract's first method. */
    readonly binding: MethodBinding | undefined,
  ) {}

  /** @param session of the artifact's graph, or of an ensemble's members */
  static of(artifact: Artifact, session: RunnableSession, { contract: text, service }: IsolatedModel): LoadedVersion {
    const contract = text === undefined ? undefined : parseContract(text);
    const bindable = { ...artifact, signature: session.signature };
    const binding =
      contract === undefined
        ? undefined
        : bindService(contract, service ?? contract.services[0]!.name, bindable).methods[0];
    return new LoadedVersion(artifact, session, contract, binding);
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
