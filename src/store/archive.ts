/** Models as they leave one store and come to another. */
import type {
  ArchiveStore,
  ImportVersion,
  ModelSnapshot,
  RestoreModel,
  Staged,
  StagedLedger,
} from '../model/archive-port.js';
import { wholeOf } from '../model/byte-stream.js';
import type { LedgerEntry, Version } from '../model/version.js';
import type { Aliases } from './aliases.js';
import type { StoreContext } from './context.js';
import type { Contracts } from './contracts.js';
import { Imports } from './imports.js';
import { readParts } from './parts.js';
import { Snapshots } from './snapshots.js';
import type { Versions } from './versions.js';

export class RedisArchive implements ArchiveStore {
  private readonly snapshots: Snapshots;
  private readonly imports: Imports;

  constructor(
    private readonly context: StoreContext,
    private readonly versions: Versions,
    private readonly contracts: Contracts,
    aliases: Aliases,
  ) {
    this.snapshots = new Snapshots(context, versions, contracts, aliases);
    this.imports = new Imports(context);
  }

  snapshot(model: string): Promise<ModelSnapshot> {
    return this.snapshots.read(model);
  }

  ledgerLines(model: string, last: number): AsyncIterable<readonly LedgerEntry[]> {
    return this.snapshots.ledger(model, last);
  }

  versionBytes(model: string, version: Version): AsyncIterable<Uint8Array> {
    return this.versions.bytes(model, version);
  }

  isWhole(model: string, version: Version): Promise<boolean> {
    return this.versions.isWhole(model, version);
  }

  fixturesBytes(model: string, fingerprint: string): Promise<Uint8Array> {
    return this.contracts.fixtures(model, fingerprint);
  }

  stage(model: string, digest: string, sizeBytes: number, bytes: AsyncIterable<Uint8Array>): Promise<Staged> {
    return this.imports.stage(model, digest, sizeBytes, bytes);
  }

  stagedBytes({ key, sizeBytes }: Staged): Promise<Uint8Array> {
    const parts = () => readParts(this.context, key, sizeBytes, 'what was just imported');
    return wholeOf({ sizeBytes, parts });
  }

  stageLedger(model: string, pages: AsyncIterable<readonly LedgerEntry[]>): Promise<StagedLedger> {
    return this.imports.stageLedger(model, pages);
  }

  discard(staged: readonly { readonly key: string }[]): Promise<void> {
    return this.imports.discard(staged);
  }

  importVersion(request: ImportVersion): Promise<'imported' | 'verdicts' | 'there'> {
    return this.imports.importVersion(request);
  }

  restoreModel(request: RestoreModel): Promise<void> {
    return this.imports.restore(request);
  }
}
