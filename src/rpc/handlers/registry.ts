/** `Registry` of idl/parley.thrift: requests into the port's terms, answers back. */
import types from '../../../gen/parley_types.js';
import { invalidInput } from '../../errors.js';
import type { ChosenProposal, Hold, RegistryPort } from '../../model/registry-port.js';
import type { Grant } from '../../security/grant.js';
import { proposalToWire, publishedToWire } from '../contract-mapping.js';
import type { Handler, Handlers } from '../generated.js';
import {
  aliasToWire,
  entryToWire,
  numbers,
  present,
  verdictToWire,
  versionToWire,
  type Wire,
  wireInt,
} from '../registry-mapping.js';

function required<T>(value: T | null | undefined, path: string): T {
  if (value === null || value === undefined || value === '')
    throw invalidInput(`request.${path} is missing`, {
      problems: [{ path: `request.${path}`, message: 'is required' }],
    });
  return value;
}

const holdOf = (request: Wire<types.HoldRequest>): Hold =>
  present({
    model: required(request.model, 'model'),
    aliasName: request.alias_name,
    reason: request.reason,
  }) as never;

const proposalOf = (request: Wire<types.AgreeContractRequest>): ChosenProposal =>
  present({
    model: required(request.model, 'model'),
    fingerprint: required(request.fingerprint, 'fingerprint'),
    reason: request.reason,
    fixtureFingerprint: request.fixture_fingerprint,
  }) as never;

function positive(value: number | null | undefined, path: string): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (value < 1)
    throw invalidInput(`request.${path} is ${value}; it must be 1 or more`, {
      problems: [{ path: `request.${path}`, message: 'must be 1 or more', got: String(value) }],
    });
  return value;
}

/** A contract's text, its includes counted: reading it holds the event loop, a millisecond for each kilobyte or two. */
const MOST_IDL_BYTES = 128 << 10;

function contractText(idl: string, includes: Record<string, string> | undefined): string {
  const bytes = [idl, ...Object.values(includes ?? {})].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= MOST_IDL_BYTES) return idl;
  throw invalidInput(`request.idl has ${bytes} bytes with its includes; a contract has at most ${MOST_IDL_BYTES}`, {
    problems: [{ path: 'request.idl', message: `must be at most ${MOST_IDL_BYTES} bytes`, got: String(bytes) }],
  });
}

function metadataOf(json: string | null | undefined): Record<string, unknown> | undefined {
  if (json === null || json === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Told below, with what else is no object.
  }
  throw invalidInput('request.metadata_json must be a JSON object of fields of the model type', {
    problems: [{ path: 'request.metadata_json', message: 'must be a JSON object', got: json.slice(0, 80) }],
  });
}

const FORMATS = ['csv', 'jsonl', 'parquet'] as const;

function fixturesFormat(format: string | null | undefined): (typeof FORMATS)[number] | undefined {
  if (format === null || format === undefined) return undefined;
  const known = FORMATS.find((name) => name === format);
  if (known === undefined)
    throw invalidInput(`request.fixtures_format is "${format}"; it must be one of ${FORMATS.join(', ')}`);
  return known;
}

/** @param actingAs the registry as a caller's own, whose name its changes carry; absent: all changes are the server's */
export function registryHandlers(registry: RegistryPort, actingAs?: (who: Grant) => RegistryPort): Handlers {
  const shared = handlersOf(registry);
  if (actingAs === undefined) return guarded(shared);
  const own = (name: string): Handler => {
    return (request, who) => (who === undefined ? shared : handlersOf(actingAs(who)))[name]!(request, who);
  };
  return guarded(Object.fromEntries(Object.keys(shared).map((name) => [name, own(name)])));
}

function handlersOf(registry: RegistryPort): Record<string, Handler> {
  return {
    async publish_contract(request: Wire<types.PublishContractRequest>) {
      const includes = (request.includes ?? undefined) as unknown as Record<string, string> | undefined;
      const published = await registry.publishContract(
        present({
          idl: contractText(required(request.idl, 'idl'), includes),
          includes,
          fixturesUploadId: request.fixtures_upload_id,
          fixturesFormat: fixturesFormat(request.fixtures_format),
          checks: request.checks_yaml,
          allowBreaking: request.allow_breaking,
          propose: request.propose,
          reason: request.reason,
        }) as never,
      );
      return publishedToWire(published);
    },

    async agree_contract(request: Wire<types.AgreeContractRequest>) {
      return publishedToWire(await registry.agreeContract(proposalOf(request)));
    },

    async withdraw_contract(request: Wire<types.WithdrawContractRequest>) {
      return new types.AliasResponse({ entry: entryToWire(await registry.withdrawContract(proposalOf(request))) });
    },

    async contract_proposals(request: Wire<types.ProposalsRequest>, who?: Grant) {
      if (!request.model) who?.checkAllModels('name one as request.model');
      const proposals = await registry.contractProposals(request.model || undefined);
      return new types.ProposalsResponse({ proposals: proposals.map(proposalToWire) });
    },

    async begin_upload(request: Wire<types.BeginUploadRequest>) {
      const { uploadId, partBytes } = await registry.beginUpload(
        required(request.model, 'model'),
        Number(required(request.size_bytes, 'size_bytes')),
      );
      return new types.BeginUploadResponse({ upload_id: uploadId, part_bytes: partBytes });
    },

    async upload_part(request: Wire<types.UploadPartRequest>) {
      const data = required(request.data, 'data') as unknown as Buffer;
      const received = await registry.uploadPart(
        required(request.upload_id, 'upload_id'),
        Number(required(request.offset, 'offset')),
        data,
      );
      return new types.UploadPartResponse({ received_bytes: wireInt(received) } as never);
    },

    async publish(request: Wire<types.PublishRequest>) {
      const version = await registry.publish(
        present({
          model: required(request.model, 'model'),
          uploadId: required(request.upload_id, 'upload_id'),
          modelType: request.model_type,
          metadata: metadataOf(request.metadata_json),
          contractService: request.contract_service,
          runId: request.run_id,
          runConfigurationJson: request.run_configuration_json,
          expectedUploadId: request.expected_upload_id,
          metrics: numbers(request.metrics),
          description: request.description,
        }) as never,
      );
      return new types.PublishResponse({ version: versionToWire(version) });
    },

    async list_versions(request: Wire<types.VersionsRequest>, who?: Grant) {
      if (!request.model) who?.checkAllModels('name one as request.model');
      const page = await registry.listVersions(
        present({
          model: request.model,
          limit: positive(request.limit, 'limit'),
          pageToken: request.page_token,
        }) as never,
      );
      return new types.VersionsResponse(
        present({ versions: page.items.map(versionToWire), next_page_token: page.nextPageToken }) as never,
      );
    },

    async accept(request: Wire<types.AcceptRequest>) {
      return verdictToWire(
        await registry.accept(required(request.model, 'model'), required(request.version, 'version')),
      );
    },

    async promote(request: Wire<types.PromoteRequest>) {
      const entry = await registry.promote(
        present({
          model: required(request.model, 'model'),
          version: required(request.version, 'version'),
          aliasName: request.alias_name,
          expectedVersion: request.expected_version,
          reason: request.reason,
          canaryWeight: request.canary_weight,
        }) as never,
      );
      return new types.AliasResponse({ entry: entryToWire(entry) });
    },

    async rollback(request: Wire<types.RollbackRequest>) {
      const entry = await registry.rollback(
        present({
          model: required(request.model, 'model'),
          aliasName: request.alias_name,
          toVersion: request.to_version,
          reason: request.reason,
        }) as never,
      );
      return new types.AliasResponse({ entry: entryToWire(entry) });
    },

    async hold(request: Wire<types.HoldRequest>) {
      return new types.AliasResponse({ entry: entryToWire(await registry.hold(holdOf(request))) });
    },

    async release(request: Wire<types.HoldRequest>) {
      return new types.AliasResponse({ entry: entryToWire(await registry.release(holdOf(request))) });
    },

    async retire(request: Wire<types.RetireRequest>) {
      const entry = await registry.retire(
        present({
          model: required(request.model, 'model'),
          version: required(request.version, 'version'),
          reason: request.reason,
        }) as never,
      );
      return new types.AliasResponse({ entry: entryToWire(entry) });
    },

    async prune(request: Wire<types.PruneRequest>) {
      const removed = await registry.prune(
        present({
          model: required(request.model, 'model'),
          keep: required(request.keep, 'keep'),
          dryRun: request.dry_run,
          reason: request.reason,
        }) as never,
      );
      return new types.PruneResponse({ removed: removed.map(versionToWire) });
    },

    async aliases(request: Wire<types.AliasesRequest>) {
      const aliases = await registry.aliases(required(request.model, 'model'));
      return new types.AliasesResponse({ aliases: aliases.map(aliasToWire) });
    },

    async history(request: Wire<types.HistoryRequest>) {
      const entries = await registry.history(
        present({
          model: required(request.model, 'model'),
          aliasName: request.alias_name,
          at: request.at == null ? undefined : Number(request.at),
          limit: positive(request.limit, 'limit'),
        }) as never,
      );
      return new types.HistoryResponse({ entries: entries.map(entryToWire) });
    },
  };
}

/** A call whose request struct is missing says so. */
export function guarded(handlers: Record<string, Handler>): Handlers {
  return Object.fromEntries(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      async (request: unknown, who?: Grant) => handler(required(request, '') as never, who),
    ]),
  );
}
