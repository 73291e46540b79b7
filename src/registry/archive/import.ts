/**
 * Models from an archive, into any store.
 *
 * A model that the store does not have comes back as it was: versions, verdicts, contract, ledger, aliases. One that it
 * has gets the versions and verdicts that it lacks, and its aliases stay where they are. With `as`, only the version that
 * is in production there comes along, and that alias is pointed at it, behind the same gate as any promotion.
 *
 * Nothing of a model can be seen before the archive has been read and checked to that model's end.
 */
import { conflict, invalidInput } from '../../errors.js';
import type { ArchiveStore, ModelSnapshot, PlacedVersion, Staged } from '../../model/archive-port.js';
import type { Promote } from '../../model/registry-port.js';
import type { ModelStore } from '../../model/store-port.js';
import { type LedgerEntry, PRODUCTION, type Verdict, type Version } from '../../model/version.js';
import { recordedMembers } from '../pipeline/ensemble-members.js';
import { type Frame, readFrames } from './frames.js';
import { checkReferences } from './references.js';
import { expectFrame } from './snapshot-schema.js';

export interface ImportOptions {
  readonly actor: string;
  readonly reason?: string;
  /** The alias to point at the version that is in production in the archive. */
  readonly as?: string;
  /** Told before each version's bytes. */
  onVersion?(model: string, done: number, versions: number): void;
}

export interface ImportedModel {
  readonly model: string;
  /** `restored`: as it was there; `merged`: something was added; `unchanged`: all of it was here already. */
  readonly outcome: 'restored' | 'merged' | 'unchanged';
  readonly imported: readonly Version[];
  /** That were here already; some may have got verdicts. */
  readonly there: readonly Version[];
  /** Retired in the archive, so left out. */
  readonly retired: readonly Version[];
  /** Whether the archive's contract was put in force. */
  readonly contract: boolean;
  /** The move of the alias, with `as`. */
  readonly promoted?: LedgerEntry;
}

type Registered = Pick<ModelStore, 'state' | 'models' | 'contract' | 'version' | 'publishContract'>;

/** What importing changes, beside the archive's own store. */
export interface ImportTarget {
  readonly store: Registered;
  readonly archive: ArchiveStore;
  promote(request: Promote): Promise<LedgerEntry>;
}

/**
 * @yields each model when it is in the store
 * @throws ParleyError INVALID_INPUT for an archive that is damaged or cut short: what was yielded before is in the store,
 *   nothing else is; what `promote` throws, with `as`
 */
export async function* importModels(
  target: ImportTarget,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): AsyncGenerator<ImportedModel> {
  const frames = readFrames(source);
  try {
    yield* modelsOf(target, frames, options);
  } finally {
    await frames.return(undefined);
  }
}

async function* modelsOf(
  target: ImportTarget,
  frames: AsyncGenerator<Frame>,
  options: ImportOptions,
): AsyncGenerator<ImportedModel> {
  const next = async (): Promise<Frame> => (await frames.next()).value as Frame;
  const { models } = expectFrame(await next(), 'archive');
  for (const expected of models) {
    const snapshot = expectFrame(await next(), 'model') as unknown as ModelSnapshot;
    if (snapshot.model !== expected)
      throw invalidInput(`the archive is damaged: it announces model "${expected}" and holds "${snapshot.model}"`);
    checkReferences(snapshot);
    yield await new ModelImport(target, snapshot, options).run(next);
  }
  const end = await next();
  if (expectFrame(end, 'end').sha256 !== end.digestBefore) throw damaged();
  // The reader looks for bytes behind the end.
  await frames.next();
}

class ModelImport {
  readonly #staged = new Map<Version, Staged>();
  readonly #fixtures = new Map<string, Staged>();
  readonly #discarded: { readonly key: string }[] = [];

  constructor(
    private readonly target: ImportTarget,
    private readonly snapshot: ModelSnapshot,
    private readonly options: ImportOptions,
  ) {}

  async run(next: () => Promise<Frame>): Promise<ImportedModel> {
    const { model } = this.snapshot;
    await this.#checkServiceNames();
    const isNew = (await this.target.store.state(model)).epoch === 0;
    try {
      return isNew && this.options.as === undefined ? await this.#restore(next) : await this.#merge(next);
    } finally {
      await this.target.archive.discard(this.#discarded);
    }
  }

  /** A service's name belongs to one model. */
  async #checkServiceNames(): Promise<void> {
    const { model, contracts, contractFingerprint } = this.snapshot;
    const services = contracts.find(({ fingerprint }) => fingerprint === contractFingerprint)?.services ?? [];
    for (const other of await this.target.store.models()) {
      if (other === model) continue;
      const taken = (await this.target.store.contract(other))?.services.find((name) => services.includes(name));
      if (taken !== undefined)
        throw conflict(
          `service "${taken}" of model "${model}" is already answered by model "${other}" in this store; nothing of "${model}" was imported`,
        );
    }
  }

  async #restore(next: () => Promise<Frame>): Promise<ImportedModel> {
    const { archive } = this.target;
    const { model, versions, contractFingerprint } = this.snapshot;
    const rest = await this.#stageBytes(next, () => true);
    const sealed = new LedgerPages(rest, next);
    const ledger = await archive.stageLedger(model, sealed.pages());
    this.#discarded.push(ledger);
    if (ledger.lines !== this.snapshot.epoch)
      throw invalidInput(
        `the archive is damaged: ${this.snapshot.epoch} lines of ledger were announced, ${ledger.lines} came`,
      );
    await archive.restoreModel({
      ...this.#change(),
      snapshot: this.snapshot,
      versions: this.#staged,
      members: new Map(
        versions.map((each) => [each.version, recordedMembers(each)] as const).filter(([, names]) => names.length > 0),
      ),
      fixtures: this.#fixtures,
      ledger,
      evidenceJson: JSON.stringify({ archive: sealed.sha256, lines: ledger.lines }),
    });
    return {
      model,
      outcome: 'restored',
      imported: versions.map(({ version }) => version),
      there: [],
      retired: [],
      contract: contractFingerprint !== undefined,
    };
  }

  async #merge(next: () => Promise<Frame>): Promise<ImportedModel> {
    const { model } = this.snapshot;
    const wanted = this.#wanted();
    const missing = new Set<Version>();
    for (const { version } of wanted) if (!(await this.target.archive.isWhole(model, version))) missing.add(version);
    const rest = await this.#stageBytes(next, (digest) => missing.has(digest));
    const sealed = new LedgerPages(rest, next);
    for await (const _ of sealed.pages());
    const contract = await this.#putContractInForce();
    const imported: Version[] = [],
      there: Version[] = [];
    let changed = contract;
    for (const record of wanted) {
      const outcome = await this.#importVersion(record, sealed.sha256);
      (outcome === 'imported' ? imported : there).push(record.version);
      changed ||= outcome !== 'there';
    }
    const promoted = await this.#promote();
    return {
      model,
      outcome: changed ? 'merged' : 'unchanged',
      imported,
      there,
      retired: this.#retired(),
      contract,
      ...(promoted === undefined ? {} : { promoted }),
    };
  }

  #retired(): readonly Version[] {
    if (this.options.as !== undefined) return [];
    return this.snapshot.versions.flatMap(({ version, retiredAt }) => (retiredAt === undefined ? [] : [version]));
  }

  /** What a merge takes: all that is not retired, or with `as` what is in production, and what that is made of. */
  #wanted(): readonly PlacedVersion[] {
    const { as } = this.options;
    const { versions } = this.snapshot;
    if (as === undefined) return versions.filter(({ retiredAt }) => retiredAt === undefined);
    const production = this.#inProduction();
    const members = versions.filter(({ version }) => version === production).flatMap(recordedMembers);
    return versions.filter(({ version }) => version === production || members.includes(version));
  }

  #inProduction(): Version {
    const { aliases, model } = this.snapshot;
    const production = aliases.find(({ aliasName }) => aliasName === PRODUCTION);
    if (production !== undefined) return production.version;
    throw invalidInput(
      `model "${model}" has no version in production in this archive, so none to import as "${this.options.as}"; promote one there and export again, or import without --as`,
    );
  }

  /** @returns the first frame behind the versions */
  async #stageBytes(next: () => Promise<Frame>, isWanted: (digest: string) => boolean): Promise<Frame> {
    const { model, versions } = this.snapshot;
    const announced = new Map(versions.map(({ version, sizeBytes }) => [version, sizeBytes]));
    for (let done = 0; ; ) {
      const frame = await next();
      if (frame.kind !== 'fixtures' && frame.kind !== 'version') {
        if (announced.size > 0)
          throw invalidInput(`the archive is damaged: it lacks the bytes of version ${[...announced.keys()][0]}`);
        return frame;
      }
      const { digest, sizeBytes } = expectFrame(frame, frame.kind);
      const isVersion = frame.kind === 'version';
      if (isVersion ? announced.get(digest) !== sizeBytes : !this.snapshot.fixtures.includes(digest))
        throw invalidInput(
          `the archive is damaged: it holds ${sizeBytes} bytes of ${digest} without having announced them`,
        );
      announced.delete(digest);
      if (isVersion) this.options.onVersion?.(model, done++, versions.length);
      const bytes = piecesOf(next, sizeBytes);
      if (isVersion && !isWanted(digest)) {
        for await (const _ of bytes);
        continue;
      }
      const staged = await this.target.archive.stage(model, digest, sizeBytes, bytes);
      this.#discarded.push(staged);
      (isVersion ? this.#staged : this.#fixtures).set(digest, staged);
    }
  }

  /** Only where the store has none: what is promised there is not for an import to change. */
  async #putContractInForce(): Promise<boolean> {
    const { store, archive } = this.target;
    const { model, contracts, contractFingerprint } = this.snapshot;
    const contract = contracts.find(({ fingerprint }) => fingerprint === contractFingerprint);
    if (contract === undefined || (await store.contract(model)) !== undefined) return false;
    const staged = contract.fixtureFingerprint && this.#fixtures.get(contract.fixtureFingerprint);
    const fixtures = staged ? await archive.stagedBytes(staged) : undefined;
    await store.publishContract({
      ...this.#change(),
      model,
      contract,
      expected: null,
      ...(fixtures === undefined ? {} : { fixtures }),
    });
    return true;
  }

  #importVersion(placed: PlacedVersion, archiveDigest: string): Promise<'imported' | 'verdicts' | 'there'> {
    const { model, verdicts, runs } = this.snapshot;
    const { sequence, publishedAt, promotedAt: _, retiredAt: __, ...record } = placed;
    const staged = this.#staged.get(record.version),
      members = recordedMembers(record);
    const run = runs.find(({ runId }) => runId === record.runId);
    const own: Verdict[] = verdicts.flatMap(({ version, verdict }) => (version === record.version ? [verdict] : []));
    return this.target.archive.importVersion({
      ...this.#change(),
      model,
      record,
      verdicts: own,
      evidenceJson: JSON.stringify({ archive: archiveDigest, line: sequence, published_at: publishedAt }),
      ...(staged === undefined ? {} : { staged }),
      ...(members.length === 0 ? {} : { members }),
      ...(run === undefined ? {} : { runConfigurationJson: run.configurationJson }),
    });
  }

  async #promote(): Promise<LedgerEntry | undefined> {
    const { as, reason } = this.options;
    if (as === undefined) return undefined;
    const { model } = this.snapshot;
    return this.target.promote({
      model,
      version: this.#inProduction(),
      aliasName: as,
      ...(reason === undefined ? {} : { reason }),
    });
  }

  #change() {
    const { actor, reason } = this.options;
    return { actor, ...(reason === undefined ? {} : { reason }) };
  }
}

/** The ledger's pages up to the model's seal, which is checked. */
class LedgerPages {
  /** Of the archive up to the seal; known once all pages have been read. */
  sha256 = '';

  constructor(
    private readonly first: Frame,
    private readonly next: () => Promise<Frame>,
  ) {}

  async *pages(): AsyncGenerator<readonly LedgerEntry[]> {
    let frame = this.first;
    for (; frame.kind === 'ledger'; frame = await this.next())
      yield expectFrame(frame, 'ledger') as unknown as readonly LedgerEntry[];
    this.sha256 = expectFrame(frame, 'model end').sha256;
    if (this.sha256 !== frame.digestBefore) throw damaged();
  }
}

async function* piecesOf(next: () => Promise<Frame>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let left = sizeBytes; left > 0; ) {
    const piece = expectFrame(await next(), 'bytes');
    left -= piece.length;
    if (left < 0 || piece.length === 0)
      throw invalidInput(`the archive is damaged: a piece of ${piece.length} bytes stands where ${left} were left`);
    yield piece;
  }
}

const damaged = () =>
  invalidInput('the archive is damaged: its bytes do not have the digest that it gives; export it again');
