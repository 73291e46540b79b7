/** A version loaded for one look at it, outside the serving road: rows in, all outputs out. */
import { bindService, type MethodBinding } from '../contract/bind.js';
import type { Contract } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import type { ColumnBatch } from '../model/row.js';
import type { Tensor, TensorData } from '../model/tensor.js';
import type { Artifact } from '../model/trained.js';
import { type Results, type RunnableSession, runtimeTensor } from '../onnx/session.js';
import { rowsAt } from './acceptance/rows.js';
import { feedsOf } from './feeds.js';
import type { IsolatedModel } from './isolated.js';
import { equallyLong, joinedRows, partsOf } from './row-parts.js';
import { rowValues } from './row-values.js';

type Feeds = Readonly<Record<string, Tensor>>;

export class LoadedVersion {
  private readonly fed = new WeakMap<ColumnBatch, Feeds>();

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

  /** All rows at once, but such as have fields of many values: a few at a time, and as many values in each. */
  async run(rows: ColumnBatch): Promise<Record<string, Tensor>> {
    const hasMany = this.binding?.inputs.some(({ field }) => field.tensor !== undefined) === true;
    if (!hasMany) return this.runFed(feedsOf(rows, this.session.signature, this.binding?.inputs));
    const parts: Record<string, Tensor>[] = [];
    for await (const feeds of this.fedParts(rows)) parts.push(await this.runFed(feeds));
    return joinedRows(parts);
  }

  /** Kept with the rows, so that reading cells is not taken for the model's time when it is asked again. */
  private async *fedParts(rows: ColumnBatch): AsyncGenerator<Feeds> {
    const known = this.fed.get(rows);
    if (known !== undefined) {
      yield known;
      return;
    }
    for (const part of partsOf(rows)) {
      const many = await rowValues(part.rows, this.binding!.inputs, part.before);
      for (const [at, end] of equallyLong(part.rows.rows, many)) {
        const places = Array.from({ length: end - at }, (_, index) => at + index);
        const some = new Map([...many].map(([name, values]) => [name, values.slice(at, end)]));
        const feeds = feedsOf(rowsAt(part.rows, places), this.session.signature, this.binding!.inputs, some);
        if (rows.rows === 1) this.fed.set(rows, feeds);
        yield feeds;
      }
    }
  }

  private async runFed(feeds: Feeds): Promise<Record<string, Tensor>> {
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
