/**
 * The registry: versions and contracts in, verdicts, promotions, canaries, holds and rollbacks, all on the record.
 *
 * Holds no state of its own: everything is in the store, so any number of processes may do this at once. The same code
 * stands behind the CLI and behind the server's Thrift port.
 */
import type { Contract, ContractService } from '../contract/contract.js';
import { parseContract } from '../contract/parse.js';
import { contractMismatch, invalidInput, notAccepted, notFound, ParleyError } from '../errors.js';
import { type ByteStream, wholeOf } from '../model/byte-stream.js';
import { heldAlias } from '../model/hold.js';
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
} from '../model/registry-port.js';
import type { Change, ContractRecord, Gate, ModelState, ModelStore, VersionRecord } from '../model/store-port.js';
import {
  type AliasPointer,
  type AliasState,
  type Criterion,
  type LedgerEntry,
  MODEL_NAME_PATTERN,
  type ModelVersion,
  PRODUCTION,
  type Verdict,
  type Version,
} from '../model/version.js';
import { readHead } from '../model-types/envelope.js';
import { fieldsOf } from '../model-types/record-fields.js';
import { readChecks } from './acceptance/checks-file.js';
import { comparedVersion } from './acceptance/production.js';
import { suiteBytes } from './acceptance/suite-bytes.js';
import { inForceAt } from './in-force.js';
import { type Rehearsed, rehearse, runAcceptance, UPLOADED } from './isolated.js';
import { Contracts } from './negotiation/contracts.js';
import { openMembers, recordedMembers, uploadedMembers } from './pipeline/ensemble-members.js';
import { bindAll } from './pipeline/read-upload.js';
import { choosePrunable } from './prunable.js';

const LIST_LIMIT = 50,
  MOST_LISTED = 1_000;
const ALIAS_PATTERN = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

export class Registry implements RegistryPort {
  readonly #store: ModelStore;
  readonly #actor: string;
  readonly #contracts: Contracts;
  readonly #requireContract: boolean;
  readonly #checkOwn: (model: string) => void;

  /**
   * @param actor whose name the ledger's lines carry
   * @param rules.requireContract refuses to put a model without a contract in production
   * @param rules.checkModel throws for a model that the actor may not change, where only a contract says which it is
   */
  constructor(
    store: ModelStore,
    actor: string,
    rules: { readonly requireContract?: boolean; readonly checkModel?: (model: string) => void } = {},
  ) {
    this.#store = store;
    this.#actor = actor;
    this.#contracts = new Contracts(store, actor);
    this.#requireContract = rules.requireContract === true;
    this.#checkOwn = rules.checkModel ?? (() => {});
  }

  /** The same registry for somebody else. */
  actingAs(actor: string, checkModel: (model: string) => void): Registry {
    return new Registry(this.#store, actor, { requireContract: this.#requireContract, checkModel });
  }

  // ------------------------------------------------------------------ contracts

  async publishContract(request: PublishContract): Promise<PublishedContract> {
    const contract = parseContract({ file: 'contract.thrift', idl: request.idl, includes: request.includes ?? {} });
    this.#checkOwn(contract.model);
    const fixtures = await this.#suite(request, contract);
    const published = await this.#contracts.publish(contract, fixtures, request);
    await this.#releaseUploads(request.fixturesUploadId);
    return published;
  }

  /** Fixtures with their checks, which are read to see that they can be. */
  async #suite({ fixturesUploadId, checks }: PublishContract, contract: Contract): Promise<Uint8Array | undefined> {
    if (checks !== undefined) {
      readChecks(checks, contract.services[0]!.methods[0]!);
      if (fixturesUploadId === undefined)
        throw invalidInput('checks are published with the fixtures that they are run on; send fixtures_upload_id too');
    }
    return fixturesUploadId === undefined ? undefined : suiteBytes(await this.#wholeUpload(fixturesUploadId), checks);
  }

  async agreeContract(request: ChosenProposal): Promise<PublishedContract> {
    await this.#checkModel(request.model);
    return this.#contracts.agree(request);
  }

  async withdrawContract(request: ChosenProposal): Promise<LedgerEntry> {
    await this.#checkModel(request.model);
    return this.#contracts.withdraw(request);
  }

  async contractProposals(model?: string): Promise<readonly ContractProposal[]> {
    if (model !== undefined) await this.#checkModel(model);
    const models = model === undefined ? await this.#store.models() : [model];
    return (await Promise.all(models.map((each) => this.#contracts.proposals(each)))).flat();
  }

  // ------------------------------------------------------------------ versions

  async beginUpload(model: string, sizeBytes: number): Promise<{ uploadId: string; partBytes: number }> {
    checkModelName(model);
    return { uploadId: await this.#store.beginUpload(model, sizeBytes), partBytes: this.#store.partBytes };
  }

  async uploadPart(uploadId: string, offset: number, data: Uint8Array): Promise<number> {
    this.#checkOwnUpload(uploadId);
    return this.#store.uploadPart(uploadId, offset, data);
  }

  /** An upload's id begins with its model's name. */
  #checkOwnUpload(uploadId: string): void {
    this.#checkOwn(uploadId.slice(0, Math.max(0, uploadId.lastIndexOf('.'))));
  }

  #openUpload(uploadId: string): Promise<ByteStream> {
    this.#checkOwnUpload(uploadId);
    return this.#store.openUpload(uploadId);
  }

  /** What is small: fixtures, and a trainer's answers. */
  async #wholeUpload(uploadId: string): Promise<Buffer> {
    return wholeOf(await this.#openUpload(uploadId));
  }

  /** What was published is published: an upload that cannot be released now expires by itself. */
  async #releaseUploads(...uploadIds: readonly (string | undefined)[]): Promise<void> {
    const used = uploadIds.filter((id) => id !== undefined);
    await Promise.allSettled(used.map((id) => this.#store.releaseUpload(id)));
  }

  /**
   * The post-processing pipeline: inspect, bind, rehearse and compare, store and publish.
   *
   * What needs the whole graph in memory happens in a child process; here its bytes only pass through.
   */
  async publish(request: Publish): Promise<ModelVersion> {
    const { model, uploadId, modelType, metadata, expectedUploadId } = request;
    checkModelName(model);
    const inForce = await this.#contractFor(request);
    const uploaded = await this.#openUpload(uploadId);
    const expected = expectedUploadId === undefined ? undefined : await this.#openUpload(expectedUploadId);
    const members = await uploadedMembers(uploaded);
    const record = await rehearse(
      uploaded,
      expected,
      {
        ...(modelType === undefined ? {} : { modelType }),
        ...(metadata === undefined ? {} : { metadata }),
        ...(inForce === undefined ? {} : { contract: sourceOf(inForce), service: inForce.service.name }),
      },
      (rehearsed, envelope) => this.#storeVersion(request, inForce, { ...rehearsed, members }, envelope),
      await openMembers(this.#store, model, members),
    );
    await this.#releaseUploads(uploadId, expectedUploadId);
    return this.#describe(model, record, await this.#store.contract(model), (await this.#store.state(model)).aliases);
  }

  async #storeVersion(
    request: Publish,
    inForce: InForce | undefined,
    { version, modelType, typeFields, header, file, members }: Rehearsed & { readonly members: readonly Version[] },
    bytes: ByteStream,
  ): Promise<VersionRecord> {
    const { model, uploadId, runId, description, runConfigurationJson, metrics = {} } = request;
    const { record } = await this.#store.publishVersion({
      model,
      bytes,
      ...(file === UPLOADED ? { upload: { uploadId, header } } : {}),
      actor: this.#actor,
      record: {
        version,
        modelType,
        typeFields,
        metrics,
        ...(runId === undefined ? {} : { runId }),
        ...(description === undefined ? {} : { description }),
        ...(inForce === undefined
          ? {}
          : { contractService: inForce.service.name, contractFingerprint: inForce.contract.fingerprint }),
      },
      ...(runConfigurationJson === undefined ? {} : { runConfigurationJson }),
      ...(members.length === 0 ? {} : { members }),
    });
    return record;
  }

  /** The contract that a version is bound to: the one in force; none where the model has none and none is asked for. */
  async #contractFor({
    model,
    contractService,
  }: Pick<Publish, 'model' | 'contractService'>): Promise<InForce | undefined> {
    const record = await this.#store.contract(model);
    if (record === undefined) {
      if (contractService === undefined) return undefined;
      throw notFound(
        `model "${model}" has no contract, so no service "${contractService}"; put one in force with "parley contract publish PROJECT"`,
      );
    }
    const contract = contractOf(model, record);
    const service = contract.services.find(({ name }) => name === (contractService ?? contract.services[0]!.name));
    if (service === undefined)
      throw notFound(
        `the contract of model "${model}" has no service "${contractService}"; it has ${record.services.join(', ')}`,
      );
    return { record, contract, service };
  }

  async describe(model: string, prefix: Version): Promise<Described> {
    await this.#checkModel(model);
    const version = await this.#store.resolveVersion(model, prefix);
    const head = await readHead(await this.#store.openVersion(model, version));
    return { version, modelType: head.modelType, signature: head.signature, typeFields: fieldsOf(head) };
  }

  async listVersions(query: { model?: string; limit?: number; pageToken?: string }): Promise<Page<ModelVersion>> {
    const limit = pageLimit(query.limit),
      after = pagePlace(query.pageToken);
    if (query.model !== undefined) await this.#checkModel(query.model);
    const models = query.model === undefined ? await this.#store.models() : [query.model];
    const listed = await Promise.all(
      models.map(async (model) => (await this.#store.versions(model)).map((record) => ({ ...record, model }))),
    );
    const left = listed
      .flat()
      .sort(inOrder)
      .filter((place) => after === undefined || inOrder(place, after) > 0);
    const page = left.slice(0, limit),
      last = page.at(-1);
    return {
      items: await this.#describeAll(page),
      ...(left.length > limit && last !== undefined ? { nextPageToken: tokenOf(last) } : {}),
    };
  }

  async #describeAll(page: readonly (VersionRecord & { model: string })[]): Promise<ModelVersion[]> {
    const models = [...new Set(page.map(({ model }) => model))];
    const known = new Map(
      await Promise.all(
        models.map(async (model) => {
          const [contract, { aliases }] = await Promise.all([this.#store.contract(model), this.#store.state(model)]);
          return [model, { contract, aliases }] as const;
        }),
      ),
    );
    return Promise.all(
      page.map(({ model, ...record }) => {
        const { contract, aliases } = known.get(model)!;
        return this.#describe(model, record, contract, aliases);
      }),
    );
  }

  async #describe(
    model: string,
    record: VersionRecord,
    contract: ContractRecord | undefined,
    aliases: readonly AliasPointer[],
  ): Promise<ModelVersion> {
    const verdict = await this.#verdict(model, record.version, contract);
    const { contractService: _, promotedAt: __, retiredAt, ...shown } = record;
    const pointing = aliases.filter((alias) => alias.version === record.version);
    return {
      ...shown,
      model,
      accepted: verdict?.accepted === true,
      aliases: pointing.map((alias) => alias.aliasName),
      retired: retiredAt !== undefined,
      canaryAliases: aliases
        .filter((alias) => alias.canary?.version === record.version)
        .map((alias) => alias.aliasName),
      heldAliases: pointing.filter((alias) => alias.holdSequence !== undefined).map((alias) => alias.aliasName),
    };
  }

  /** What counts for the contract in force: given under it, or under an earlier one that was tested as it is. */
  async #verdict(model: string, version: Version, inForce: ContractRecord | undefined): Promise<Verdict | undefined> {
    if (inForce?.fixtureFingerprint === undefined) return undefined;
    const { fingerprint, fixtureFingerprint, testedAs } = inForce;
    return this.#store.verdict(model, version, fingerprint, fixtureFingerprint, testedAs);
  }

  async retire(request: Retire): Promise<LedgerEntry> {
    const { model } = request;
    await this.#checkModel(model);
    const version = await this.#store.resolveVersion(model, request.version);
    return this.#store.retireVersion({ ...this.#change(request), model, version });
  }

  /** One version after the other, each with its own line: what was removed when it fails is on the record. */
  async prune(request: Prune): Promise<readonly ModelVersion[]> {
    const { model, keep } = request;
    if (!Number.isInteger(keep) || keep < 0) throw invalidInput(`keep is ${keep}; it must be 0 or more`);
    await this.#checkModel(model);
    const [records, { aliases }] = await Promise.all([this.#store.versions(model), this.#store.state(model)]);
    const chosen = choosePrunable(records, aliases, keep);
    const described = await this.#describeAll(chosen.map((record) => ({ ...record, model })));
    if (request.dryRun === true) return described;
    const removed: ModelVersion[] = [];
    for (const item of described) {
      // The store looks again: an alias may have been pointed there since.
      const line = await this.#store.pruneVersion({ ...this.#change(request), model, version: item.version, keep });
      if (line !== undefined) removed.push(item);
    }
    return removed;
  }

  // ------------------------------------------------------------------ acceptance

  async accept(model: string, prefix: Version): Promise<Verdict> {
    await this.#checkModel(model);
    const version = await this.#store.resolveVersion(model, prefix);
    const record = await this.#store.contract(model);
    if (record === undefined)
      throw notFound(
        `model "${model}" has no contract to be accepted by; put one in force with "parley contract publish PROJECT"`,
      );
    if (record.fixtureFingerprint === undefined || record.fixturesFormat === undefined) {
      throw notFound(
        `the contract of model "${model}" has no fixtures to be tested on; publish them with "parley contract publish PROJECT"`,
      );
    }
    const contract = contractOf(model, record),
      stored = await this.#store.version(model, version);
    const service = contract.services.find(({ name }) => name === stored?.contractService) ?? contract.services[0]!;
    const [envelope, fixtures] = await Promise.all([
      this.#store.openVersion(model, version),
      this.#store.fixtures(model, record.fixtureFingerprint),
    ]);
    const production = await comparedVersion(this.#store, model, service);
    const { verdict } = await runAcceptance(
      envelope,
      fixtures,
      {
        version,
        contract: sourceOf({ record, contract }),
        service: service.name,
        fixturesFormat: record.fixturesFormat,
        fixtureFingerprint: record.fixtureFingerprint,
      },
      await openMembers(this.#store, model, [
        ...new Set([stored, production?.record].flatMap((each) => (each === undefined ? [] : recordedMembers(each)))),
      ]),
      undefined,
      production,
    );
    await this.#store.recordVerdict({ model, version, verdict, actor: this.#actor });
    return verdict;
  }

  // ------------------------------------------------------------------ aliases

  async promote(request: Promote): Promise<LedgerEntry> {
    const { model, aliasName = PRODUCTION, canaryWeight = 1 } = request;
    checkAliasName(aliasName);
    checkWeight(canaryWeight);
    await this.#checkModel(model);
    const version = await this.#store.resolveVersion(model, request.version);
    const expected =
      request.expectedVersion === undefined
        ? undefined
        : await this.#store.resolveVersion(model, request.expectedVersion);
    const bare = aliasName === PRODUCTION && canaryWeight > 0 && (await this.#store.contract(model)) === undefined;
    if (bare && this.#requireContract) throw contractRequired(model);
    const change = {
      ...this.#change(bare ? { reason: uncontracted(request.reason) } : request),
      model,
      aliasName,
      ...(expected === undefined ? {} : { expected }),
      ...(bare ? { uncontracted: true } : {}),
    };
    if (canaryWeight === 0) return this.#store.setCanary({ ...change, version, weight: 0 });
    if (canaryWeight < 1)
      return this.#gated(model, version, aliasName, (gate) =>
        this.#store.setCanary({ ...change, ...gate, version, weight: canaryWeight }),
      );
    const canary = canaryBeside(await this.#store.state(model), aliasName, version);
    // All calls for the alias's own version: its canary ends.
    if (canary !== undefined) return this.#store.setCanary({ ...change, version: canary, weight: 0 });
    return this.#gated(model, version, aliasName, (gate) =>
      this.#store.moveAlias({ ...change, ...gate, version, action: 'promote' }),
    );
  }

  /** Who changes something, and why. */
  #change({ reason }: { readonly reason?: string }): Change {
    return { actor: this.#actor, ...(reason === undefined ? {} : { reason }) };
  }

  /**
   * Changes an alias behind its gate. The store decides; where it refuses for want of a verdict, the refusal says which
   * criteria failed.
   */
  async #gated(
    model: string,
    version: Version,
    aliasName: string,
    change: (gate: { readonly gate?: Gate }) => Promise<LedgerEntry>,
  ): Promise<LedgerEntry> {
    const gate = await this.#gate(model, aliasName);
    if (gate === undefined) return change({});
    try {
      return await change({ gate });
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'NOT_ACCEPTED') throw error;
      const verdict = await this.#verdict(model, version, await this.#store.contract(model));
      throw verdict?.accepted === true ? error : refusal(model, version, aliasName, verdict);
    }
  }

  /** What must have been passed before the alias may lead to a version; undefined for an alias that nobody guards. */
  async #gate(model: string, aliasName: string): Promise<Gate | undefined> {
    const record = await this.#store.contract(model);
    if (record === undefined) return undefined;
    const contract = contractOf(model, record);
    const guards = new Set([PRODUCTION, ...contract.services.flatMap((service) => service.accept.guards)]);
    if (!guards.has(aliasName)) return undefined;
    const { fingerprint: contractFingerprint, fixtureFingerprint } = record;
    if (fixtureFingerprint === undefined)
      throw notAccepted(
        `"${aliasName}" of model "${model}" is guarded, and its contract has no fixtures to accept a version on; publish them with "parley contract publish PROJECT"`,
      );
    return { contractFingerprint, fixtureFingerprint };
  }

  async hold(request: Hold): Promise<LedgerEntry> {
    return this.#holdOrRelease('hold', request);
  }

  async release(request: Hold): Promise<LedgerEntry> {
    return this.#holdOrRelease('release', request);
  }

  async #holdOrRelease(action: 'hold' | 'release', request: Hold): Promise<LedgerEntry> {
    const { model, aliasName = PRODUCTION } = request;
    checkAliasName(aliasName);
    await this.#checkModel(model);
    return this.#store.holdAlias({ ...this.#change(request), model, aliasName, action });
  }

  async rollback(request: Rollback): Promise<LedgerEntry> {
    const { model, aliasName = PRODUCTION } = request;
    await this.#checkModel(model);
    const alias = (await this.#store.aliases(model)).find((state) => state.aliasName === aliasName);
    if (alias === undefined) throw notFound(`model "${model}" has no alias "${aliasName}" to roll back`);
    // Nothing changes a held alias, so its last change is the line that holds it.
    if (alias.held) throw heldAlias(model, aliasName, alias.lastChange);
    const wanted =
      request.toVersion === undefined ? undefined : await this.#store.resolveVersion(model, request.toVersion);
    const change = { ...this.#change(request), model, aliasName, expected: alias.version };
    // The canary is the latest change: taking it back leaves the alias where it is.
    if (alias.canary !== undefined && (wanted === undefined || wanted === alias.version))
      return this.#store.setCanary({ ...change, version: alias.canary.version, weight: 0 });
    const version = await this.#rollbackTarget(model, aliasName, wanted);
    await this.#checkStillFits(model, version);
    return this.#store.moveAlias({ ...change, version, action: 'rollback' });
  }

  async #rollbackTarget(model: string, aliasName: string, wanted: Version | undefined): Promise<Version> {
    const trail = await this.#store.trail(model, aliasName);
    if (wanted === undefined) return this.#nearestInReach(model, aliasName, trail);
    if (!trail.includes(wanted))
      throw notFound(
        `"${aliasName}" of model "${model}" has not pointed at ${wanted.slice(0, 12)} before; use "parley promote" for a version that is new there`,
      );
    return wanted;
  }

  /** A version that was retired meanwhile is passed over. */
  async #nearestInReach(model: string, aliasName: string, trail: readonly Version[]): Promise<Version> {
    for (const version of trail) {
      if ((await this.#store.version(model, version))?.retiredAt === undefined) return version;
    }
    throw notFound(
      `there is nothing to roll back to: ${
        trail.length === 0
          ? `"${aliasName}" of model "${model}" has pointed at one version only`
          : `all that "${aliasName}" of model "${model}" has pointed at before is retired`
      }`,
    );
  }

  /** A rollback needs no new verdict, but the version must still answer the contract in force. */
  async #checkStillFits(model: string, version: Version): Promise<void> {
    const record = await this.#store.contract(model);
    if (record === undefined) return;
    const head = await readHead(await this.#store.openVersion(model, version));
    try {
      bindAll(contractOf(model, record), head);
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'CONTRACT_MISMATCH') throw error;
      throw contractMismatch(
        `model "${model}" cannot go back to ${version.slice(0, 12)}, which no longer keeps the contract in force; name another version, or publish the earlier contract first: ${error.message}`,
        { problems: error.problems, cause: error },
      );
    }
  }

  async contractInForce(model: string): Promise<Contract | undefined> {
    const record = await this.#store.contract(model);
    return record && parseContract({ file: `${model}.thrift`, idl: record.idl, includes: record.includes });
  }

  async aliases(model: string): Promise<readonly AliasState[]> {
    await this.#checkModel(model);
    return this.#store.aliases(model);
  }

  async history(query: HistoryQuery): Promise<readonly LedgerEntry[]> {
    await this.#checkModel(query.model);
    const lines = await this.#store.ledger(query.model, {
      ...(query.aliasName === undefined ? {} : { aliasName: query.aliasName }),
      ...(query.limit === undefined || query.at !== undefined ? {} : { limit: query.limit }),
    });
    if (query.at === undefined) return lines;
    return inForceAt(lines, query.at);
  }

  async #checkModel(model: string): Promise<void> {
    const models = await this.#store.models();
    if (!models.includes(model))
      throw notFound(
        `there is no model "${model}"; ${models.length === 0 ? 'nothing has been published to this store yet' : `there are ${models.join(', ')}`}`,
      );
  }
}

/** A model's contract, and the service of it that a version answers. */
interface InForce {
  readonly record: ContractRecord;
  readonly contract: Contract;
  readonly service: ContractService;
}

const sourceOf = ({ record, contract }: Pick<InForce, 'record' | 'contract'>) => ({
  file: contract.file,
  idl: record.idl,
  includes: record.includes,
});

const contractOf = (model: string, record: ContractRecord): Contract =>
  parseContract({ file: `${model}.thrift`, idl: record.idl, includes: record.includes });

/** Says in the ledger that nothing was promised, so that nothing was tested. */
const uncontracted = (reason: string | undefined): string =>
  reason === undefined ? 'uncontracted' : `uncontracted: ${reason}`;

const contractRequired = (model: string): ParleyError =>
  notAccepted(
    `model "${model}" has no contract, and nothing without one may be put in production here (--require-contract, PARLEY_REQUIRE_CONTRACT); put one in force with "parley contract publish PROJECT", then accept the version and promote it`,
  );

function refusal(model: string, version: Version, aliasName: string, verdict: Verdict | undefined): ParleyError {
  const short = version.slice(0, 12);
  if (verdict === undefined) {
    return notAccepted(
      `version ${short} of model "${model}" has no verdict for the contract and fixtures in force, and "${aliasName}" is guarded; run "parley accept ${model} ${short}"`,
    );
  }
  const failed = verdict.criteria.filter((criterion) => !criterion.passed);
  return notAccepted(
    `version ${short} of model "${model}" has not passed its contract's acceptance suite: ${failed.map(failedText).join('; ')}`,
    {
      problems: failed.map((criterion) => ({
        path: criterionPath(criterion),
        message: `must be ${criterion.bound}${criterion.note === undefined ? '' : ` (${criterion.note})`}`,
        got: String(criterion.measured),
      })),
    },
  );
}

const criterionPath = ({ name, slice }: Criterion): string => (slice === undefined ? name : `${name}[${slice}]`);

const failedText = (criterion: Criterion): string =>
  `${criterionPath(criterion)} ${criterion.bound}, measured ${Number(criterion.measured.toPrecision(4))}${criterion.note === undefined ? '' : ` (${criterion.note})`}`;

function checkModelName(model: string): void {
  if (!MODEL_NAME_PATTERN.test(model))
    throw invalidInput(
      `"${model.slice(0, 64)}" is not a model's name: letters, digits, "_", "." and "-", beginning with a letter or digit, at most 128`,
    );
}

function checkAliasName(aliasName: string): void {
  if (!ALIAS_PATTERN.test(aliasName))
    throw invalidInput(
      `"${aliasName.slice(0, 64)}" is not an alias: letters, digits, "_" and "-", beginning with a letter, at most 64`,
    );
}

function checkWeight(weight: number): void {
  if (weight >= 0 && weight <= 1) return;
  throw invalidInput(`canary_weight is ${weight}; it must be between 0 and 1`, {
    problems: [{ path: 'canary_weight', message: 'must be between 0 and 1', got: String(weight) }],
  });
}

/** The canary that runs beside `version` where that is what the alias points at. */
function canaryBeside({ aliases }: ModelState, aliasName: string, version: Version): Version | undefined {
  return aliases.find((alias) => alias.aliasName === aliasName && alias.version === version)?.canary?.version;
}

/** A version's place in a listing; a page's token is that of its last item, so that what is published meanwhile moves none. */
type Place = Pick<ModelVersion, 'publishedAt' | 'model' | 'version'>;

const tokenOf = ({ publishedAt, model, version }: Place): string => `${publishedAt}:${model}:${version}`;

/** Newest first; of those of one microsecond by name. */
function inOrder(a: Place, b: Place): number {
  if (a.publishedAt !== b.publishedAt) return b.publishedAt - a.publishedAt;
  const [one, other] = [tokenOf(a), tokenOf(b)];
  return one < other ? -1 : one > other ? 1 : 0;
}

function pagePlace(token: string | undefined): Place | undefined {
  if (token === undefined) return undefined;
  const [, at, model, version] = /^(\d{1,16}):([^:]{1,128}):([0-9a-f]{64})$/.exec(token) ?? [];
  if (at === undefined || model === undefined || version === undefined)
    throw invalidInput(`page_token "${token.slice(0, 32)}" is none that this registry gave out`);
  return { publishedAt: Number(at), model, version };
}

function pageLimit(limit = LIST_LIMIT): number {
  if (!Number.isInteger(limit) || limit < 1) throw invalidInput(`limit is ${limit}; it must be 1 or more`);
  return Math.min(limit, MOST_LISTED);
}
