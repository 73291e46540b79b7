/** Moving house: models out of a store and into one, whole or as plain graphs. Works on the store itself. */
import { notFound, unsupported } from '../../errors.js';
import type { ArchiveStore } from '../../model/archive-port.js';
import type { Promote } from '../../model/registry-port.js';
import type { ModelState, ModelStore } from '../../model/store-port.js';
import { PRODUCTION, type Version } from '../../model/version.js';
import { ENSEMBLE } from '../../model-types/ensemble/runtime.js';
import { deserialize } from '../../model-types/table.js';
import { Registry } from '../registry.js';
import { type ExportProgress, exportModels } from './export.js';
import { type ImportedModel, type ImportOptions, importModels } from './import.js';

export interface PlainGraph {
  readonly version: Version;
  readonly modelType: string;
  /** An ONNX ModelProto, features and all. */
  readonly graph: Uint8Array;
}

export class Archives {
  /**
   * @param actor whose name the ledger's lines carry
   * @param registry what promotes, by its own rules
   */
  constructor(
    private readonly store: ModelStore & { readonly archive: ArchiveStore },
    private readonly actor: string,
    private readonly registry: Pick<Registry, 'promote'> = new Registry(store, actor),
  ) {}

  models(): Promise<readonly string[]> {
    return this.store.models();
  }

  /** @throws ParleyError NOT_FOUND for a model that is not there, before the first byte */
  async *exportModels(models: readonly string[], progress?: ExportProgress): AsyncGenerator<Uint8Array> {
    for (const model of models) await this.stateOf(model);
    yield* exportModels(this.store.archive, models, progress);
  }

  importModels(
    source: AsyncIterable<Uint8Array>,
    options: Omit<ImportOptions, 'actor'>,
  ): AsyncGenerator<ImportedModel> {
    const target = {
      store: this.store,
      archive: this.store.archive,
      promote: (request: Promote) => this.registry.promote(request),
    };
    return importModels(target, source, { ...options, actor: this.actor });
  }

  /** @param reference a version or the start of one; the version in production when absent */
  async graph(model: string, reference?: string): Promise<PlainGraph> {
    const version =
      reference === undefined ? await this.inProduction(model) : await this.store.resolveVersion(model, reference);
    const { modelType, graph } = deserialize(await this.store.readVersion(model, version));
    if (modelType === ENSEMBLE)
      throw unsupported(
        `version ${version} of model "${model}" is an ensemble, which has no graph of its own; export those of its members, which "parley describe" names`,
      );
    return { version, modelType, graph };
  }

  private async inProduction(model: string): Promise<Version> {
    const { aliases } = await this.stateOf(model);
    const production = aliases.find(({ aliasName }) => aliasName === PRODUCTION);
    if (production !== undefined) return production.version;
    throw notFound(
      `model "${model}" has no version in production; name one with --model-version (see "parley versions ${model}")`,
    );
  }

  private async stateOf(model: string): Promise<ModelState> {
    const state = await this.store.state(model);
    if (state.epoch > 0) return state;
    const known = await this.store.models();
    throw notFound(
      `there is no model "${model}"; ${known.length === 0 ? 'the store is empty' : `the models are ${known.join(', ')}`}`,
    );
  }
}
