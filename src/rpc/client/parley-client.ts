/** A server's generic services, in the port's terms: what the CLI talks to with `--server`. */
import operations from '../../../gen/Operations.js';
import prediction from '../../../gen/Prediction.js';
import types from '../../../gen/parley_types.js';
import registry from '../../../gen/Registry.js';
import type { ContractChange } from '../../contract/change.js';
import type { Contract, ContractService } from '../../contract/contract.js';
import { type ContractSource, parseContract } from '../../contract/parse.js';
import { notFound, ParleyError, shuttingDown } from '../../errors.js';
import type {
  ChosenProposal,
  ContractProposal,
  Described,
  HistoryQuery,
  Hold,
  Page,
  Promote,
  Prune,
  Publish,
  PublishContract,
  PublishedContract,
  RegistryPort,
  Retire,
  Rollback,
} from '../../model/registry-port.js';
import type { AliasState, LedgerEntry, ModelVersion, Verdict, Version } from '../../model/version.js';
import { differencesFromWire, proposalFromWire, publishedFromWire } from '../contract-mapping.js';
import {
  aliasFromWire,
  entryFromWire,
  present,
  specsFromWire,
  texts,
  verdictFromWire,
  versionFromWire,
  type Wire,
  wireInt,
} from '../registry-mapping.js';
import { type Address, ClientConnection } from './connection.js';
import { callTyped, type PlainAnswer, type PlainRow } from './typed.js';

/** Acceptance and publication rehearse the model, which takes as long as the model does. */
const SLOW_TIMEOUT_MS = 300_000;
const PART_TIMEOUT_MS = 30_000;

export class ParleyClient implements RegistryPort {
  readonly #address: Address;
  readonly #token: string | undefined;
  #connection: ClientConnection;
  /** Where the token has been shown. */
  #introduced: ClientConnection | undefined;
  #reopening: Promise<ClientConnection> | undefined;
  #closed = false;

  private constructor(address: Address, connection: ClientConnection, token: string | undefined) {
    this.#address = address;
    this.#connection = connection;
    this.#token = token;
  }

  static async connect(address: Address, token?: string): Promise<ParleyClient> {
    return new ParleyClient(address, await ClientConnection.open(address), token);
  }

  close(): void {
    this.#closed = true;
    this.#connection.close();
  }

  /** A connection that has ended is opened again by the next call; the calls that were on it have failed. */
  async #connected(): Promise<ClientConnection> {
    if (this.#closed) throw shuttingDown('this client of a Parley server has been closed');
    if (!this.#connection.ended) return this.#connection;
    this.#reopening ??= ClientConnection.open(this.#address).finally(() => {
      this.#reopening = undefined;
    });
    const connection = await this.#reopening;
    if (this.#closed) connection.close();
    this.#connection = connection;
    return connection;
  }

  // ------------------------------------------------------------------ predict

  /** Answers of a model's typed service, one per row. */
  async predict(
    model: string,
    rows: readonly PlainRow[],
    options: { many: boolean; timeoutMs?: number },
  ): Promise<readonly PlainAnswer[]> {
    const service = await this.#serviceOf(model),
      connection = await this.#connected(),
      token = this.#token;
    if (token === undefined) return callTyped(connection, service, rows, options);
    await this.#introduce(connection);
    return callTyped(connection, service, rows, { ...options, token });
  }

  /** Shows the token once on a connection, for typed methods that take no context. */
  async #introduce(connection: ClientConnection): Promise<void> {
    if (this.#introduced === connection) return;
    await connection.call(operations.Client as never, 'ping', new types.PingRequest(this.#request({})));
    this.#introduced = connection;
  }

  async #serviceOf(model: string): Promise<ContractService> {
    const service = await this.contractService(model);
    if (service !== undefined) return service;
    throw notFound(
      `model "${model}" has no contract, so it has no typed service; call Prediction.predict with tensors`,
    );
  }

  /** The typed service that a model answers; undefined where it has no contract. */
  async contractService(model: string): Promise<ContractService | undefined> {
    const described = await this.#call<Wire<types.DescribeResponse>>(
      prediction.Client,
      'describe',
      new types.DescribeRequest(this.#request({ model })),
    );
    const name = described.contract_service;
    if (!name) return undefined;
    const contract = await this.contract(name);
    return contract.services.find((service) => service.name === name)!;
  }

  /** The server tells it of a model that has a version in production. */
  async contractInForce(model: string): Promise<Contract | undefined> {
    const service = await this.contractService(model);
    return service === undefined ? undefined : this.contract(service.name);
  }

  /** The contract that a typed service keeps. */
  async contract(service: string): Promise<Contract> {
    const response = await this.#call<Wire<types.ContractResponse>>(
      operations.Client,
      'contract',
      new types.ContractRequest(this.#request({ service_name: service })),
    );
    return parseContract({
      file: `${service}.thrift`,
      idl: response.idl ?? '',
      includes: (response.includes ?? {}) as Record<string, string>,
    });
  }

  /**
   * Whether a caller that was compiled with this contract can talk to the server.
   *
   * @param service the only one that is asked about; absent: all that the contract has
   */
  async negotiate(
    { idl, includes }: Pick<ContractSource, 'idl' | 'includes'>,
    service?: string,
  ): Promise<{ compatible: boolean; fingerprint: string | undefined; differences: readonly ContractChange[] }> {
    const response = await this.#call<Wire<types.ContractResponse>>(
      operations.Client,
      'contract',
      new types.ContractRequest(this.#request({ idl, includes, service_name: service })),
    );
    return {
      compatible: response.compatible === true,
      fingerprint: response.fingerprint ?? undefined,
      differences: differencesFromWire(response.differences),
    };
  }

  async ping(): Promise<{
    serverVersion: string;
    ready: boolean;
    storeConnected: boolean;
    storeHeardSecondsAgo: number | undefined;
    laggingModels: readonly string[];
    services: readonly string[];
  }> {
    const response = await this.#call<Wire<types.PingResponse>>(
      operations.Client,
      'ping',
      new types.PingRequest(this.#request({})),
    );
    return {
      serverVersion: response.server_version ?? '',
      ready: response.ready === true,
      storeConnected: response.store_connected === true,
      storeHeardSecondsAgo: response.store_heard_seconds_ago ?? undefined,
      laggingModels: [...(response.lagging_models ?? [])],
      services: [...(response.services ?? [])],
    };
  }

  // ------------------------------------------------------------------ registry

  async publishContract(request: PublishContract): Promise<PublishedContract> {
    const response = await this.#registry<Wire<types.PublishContractResponse>>(
      'publish_contract',
      types.PublishContractRequest,
      {
        idl: request.idl,
        includes: request.includes,
        fixtures_upload_id: request.fixturesUploadId,
        fixtures_format: request.fixturesFormat,
        checks_yaml: request.checks,
        allow_breaking: request.allowBreaking,
        propose: request.propose,
        reason: request.reason,
      },
    );
    return publishedFromWire(response);
  }

  async agreeContract(request: ChosenProposal): Promise<PublishedContract> {
    const { fixtureFingerprint: fixture_fingerprint, ...chosen } = request;
    return publishedFromWire(
      await this.#registry('agree_contract', types.AgreeContractRequest, present({ ...chosen, fixture_fingerprint })),
    );
  }

  async withdrawContract(request: ChosenProposal): Promise<LedgerEntry> {
    return this.#entry('withdraw_contract', types.WithdrawContractRequest, { ...request });
  }

  async contractProposals(model?: string): Promise<readonly ContractProposal[]> {
    const response = await this.#registry<Wire<types.ProposalsResponse>>('contract_proposals', types.ProposalsRequest, {
      model,
    });
    return (response.proposals ?? []).map((proposal) => proposalFromWire(proposal));
  }

  async beginUpload(model: string, sizeBytes: number): Promise<{ uploadId: string; partBytes: number }> {
    const response = await this.#registry<Wire<types.BeginUploadResponse>>('begin_upload', types.BeginUploadRequest, {
      model,
      size_bytes: wireInt(sizeBytes),
    });
    return { uploadId: response.upload_id ?? '', partBytes: response.part_bytes ?? 0 };
  }

  async uploadPart(uploadId: string, offset: number, data: Uint8Array): Promise<number> {
    const connection = await this.#connected();
    const request = new types.UploadPartRequest(
      this.#request({
        upload_id: uploadId,
        offset: wireInt(offset),
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      }),
    );
    try {
      const response = await connection.call<Wire<types.UploadPartResponse>>(
        registry.Client as never,
        'upload_part',
        request,
        PART_TIMEOUT_MS,
      );
      return Number(response.received_bytes ?? 0);
    } catch (error) {
      // The server may be gone without a word: the next try takes another connection.
      if (error instanceof ParleyError && error.code === 'DEADLINE_EXCEEDED') connection.close();
      throw error;
    }
  }

  async publish(request: Publish): Promise<ModelVersion> {
    const response = await this.#registry<Wire<types.PublishResponse>>('publish', types.PublishRequest, {
      model: request.model,
      upload_id: request.uploadId,
      model_type: request.modelType,
      metadata_json: request.metadata && JSON.stringify(request.metadata),
      contract_service: request.contractService,
      run_id: request.runId,
      run_configuration_json: request.runConfigurationJson,
      expected_upload_id: request.expectedUploadId,
      metrics: request.metrics,
      description: request.description,
    });
    return versionFromWire((response.version ?? {}) as Wire<types.ModelVersion>);
  }

  async describe(model: string, version: Version): Promise<Described> {
    const request = new types.DescribeRequest(this.#request({ model, reference: version }));
    const described = await this.#call<Wire<types.DescribeResponse>>(prediction.Client, 'describe', request);
    return {
      version: described.version ?? version,
      modelType: described.model_type ?? '',
      signature: { inputs: specsFromWire(described.inputs), outputs: specsFromWire(described.outputs) },
      typeFields: texts(described.type_fields) ?? {},
    };
  }

  async listVersions(query: { model?: string; limit?: number; pageToken?: string }): Promise<Page<ModelVersion>> {
    const response = await this.#registry<Wire<types.VersionsResponse>>('list_versions', types.VersionsRequest, {
      model: query.model,
      limit: query.limit,
      page_token: query.pageToken,
    });
    return present({
      items: (response.versions ?? []).map((version) => versionFromWire(version)),
      nextPageToken: response.next_page_token ?? undefined,
    }) as Page<ModelVersion>;
  }

  async accept(model: string, version: Version): Promise<Verdict> {
    return verdictFromWire(
      await this.#registry<Wire<types.AcceptResponse>>('accept', types.AcceptRequest, { model, version }),
    );
  }

  async promote(request: Promote): Promise<LedgerEntry> {
    return this.#entry('promote', types.PromoteRequest, {
      model: request.model,
      version: request.version,
      alias_name: request.aliasName,
      expected_version: request.expectedVersion,
      reason: request.reason,
      canary_weight: request.canaryWeight,
    });
  }

  async rollback(request: Rollback): Promise<LedgerEntry> {
    return this.#entry('rollback', types.RollbackRequest, {
      model: request.model,
      alias_name: request.aliasName,
      to_version: request.toVersion,
      reason: request.reason,
    });
  }

  async hold(request: Hold): Promise<LedgerEntry> {
    return this.#entry('hold', types.HoldRequest, holdToWire(request));
  }

  async release(request: Hold): Promise<LedgerEntry> {
    return this.#entry('release', types.HoldRequest, holdToWire(request));
  }

  async retire({ model, version, reason }: Retire): Promise<LedgerEntry> {
    return this.#entry('retire', types.RetireRequest, { model, version, reason });
  }

  async prune(request: Prune): Promise<readonly ModelVersion[]> {
    const response = await this.#registry<Wire<types.PruneResponse>>('prune', types.PruneRequest, {
      model: request.model,
      keep: request.keep,
      dry_run: request.dryRun,
      reason: request.reason,
    });
    return (response.removed ?? []).map((version) => versionFromWire(version));
  }

  async history(query: HistoryQuery): Promise<readonly LedgerEntry[]> {
    const response = await this.#registry<Wire<types.HistoryResponse>>('history', types.HistoryRequest, {
      model: query.model,
      alias_name: query.aliasName,
      at: query.at === undefined ? undefined : wireInt(query.at),
      limit: query.limit,
    });
    return (response.entries ?? []).map((entry) => entryFromWire(entry));
  }

  async aliases(model: string): Promise<readonly AliasState[]> {
    const response = await this.#registry<Wire<types.AliasesResponse>>('aliases', types.AliasesRequest, { model });
    return (response.aliases ?? []).map((alias) => aliasFromWire(alias));
  }

  async #entry(method: string, Request: new (fields: never) => object, fields: object): Promise<LedgerEntry> {
    const response = await this.#registry<Wire<types.AliasResponse>>(method, Request, fields);
    return entryFromWire(response.entry as Wire<types.LedgerEntry> | null | undefined);
  }

  #registry<Response>(method: string, Request: new (fields: never) => object, fields: object): Promise<Response> {
    return this.#call<Response>(registry.Client, method, new Request(this.#request(fields) as never));
  }

  #request(fields: object): never {
    const context =
      this.#token === undefined ? undefined : new types.RequestContext({ auth_token: this.#token } as never);
    return present({ context, ...fields }) as never;
  }

  async #call<Response>(
    Client: unknown,
    method: string,
    request: unknown,
    timeoutMs = SLOW_TIMEOUT_MS,
  ): Promise<Response> {
    return (await this.#connected()).call<Response>(Client as never, method, request, timeoutMs);
  }
}

const holdToWire = ({ model, aliasName, reason }: Hold): object => ({ model, alias_name: aliasName, reason });
