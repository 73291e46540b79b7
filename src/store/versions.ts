/** Versions: published whole, read back verified. */
import { createHash } from 'node:crypto';
import { internal, invalidInput, modelBroken, notFound } from '../errors.js';
import { asStream, type ByteStream, inPieces, wholeOf } from '../model/byte-stream.js';
import type { PublishVersion, VersionRecord } from '../model/store-port.js';
import type { Version } from '../model/version.js';
import { replies } from './connection.js';
import { checkModel, checkVersion, type StoreContext } from './context.js';
import { asBuffer, lostParts, PART_BYTES, partCount, readParts, withStaging } from './parts.js';
import { type Fields, versionToFields } from './records.js';
import { RELEASED_SECONDS, type Uploads } from './uploads.js';

const RECORDS_A_PIPELINE = 200;
const PREFIX = /^[0-9a-f]{8,64}$/;
/** The field of a blob for what stands before its parts, where those are an upload's. */
const HEADER = 'header';

type Outcome = 'OK' | 'THERE';
type Publication = PublishVersion & { readonly bytes: ByteStream };

/** What `publishVersion` finds the bytes by. */
interface Staged {
  readonly key: string;
  readonly parts: number;
  /** Of the upload whose parts they are, and what stands before them. */
  readonly upload?: { readonly key: string; readonly header: Uint8Array };
}

export class Versions {
  constructor(
    private readonly context: StoreContext,
    private readonly uploads: Pick<Uploads, 'place'>,
  ) {}

  async publish(publication: PublishVersion): Promise<{ published: boolean; record: VersionRecord }> {
    const checked = this.context.records.checked(publication.model, publication.record);
    const request = { ...publication, record: checked, bytes: asStream(publication.bytes) };
    checkPublication(request);
    const { model, record } = request;
    const outcome =
      (await this.onlyRecord(request)) ?? (await this.adoptUpload(request)) ?? (await this.sendBytes(request));
    const stored = await this.find(model, record.version);
    if (stored === undefined)
      throw internal(`version ${record.version} of model "${model}" is gone just after its publication`);
    return { published: outcome === 'OK', record: stored };
  }

  async read(model: string, version: Version): Promise<Buffer> {
    const { sizeBytes, parts } = await this.open(model, version);
    return wholeOf({ sizeBytes, parts });
  }

  /** @throws while its parts are read: MODEL_BROKEN, after the last one, where they do not match the digest */
  async open(model: string, version: Version): Promise<ByteStream> {
    const record = await this.find(model, version);
    if (record === undefined) throw noVersion(model, version);
    if (record.retiredAt !== undefined) throw retiredVersion(model, version, record.retiredAt);
    return { sizeBytes: record.sizeBytes, parts: () => this.verifiedParts(model, version, record.sizeBytes) };
  }

  /** As {@link open}, of a retired version too; in parts of 1 MiB, however it is stored. */
  async *bytes(model: string, version: Version): AsyncGenerator<Uint8Array> {
    const record = await this.find(model, version);
    if (record === undefined) throw noVersion(model, version);
    yield* inPieces(this.verifiedParts(model, version, record.sizeBytes), PART_BYTES);
  }

  private async *verifiedParts(model: string, version: Version, sizeBytes: number): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    try {
      for await (const part of this.storedParts(model, version, sizeBytes)) {
        hash.update(part);
        yield part;
      }
    } catch (error) {
      // It may have been pruned under the reader's hands.
      throw (await this.find(model, version)) === undefined ? noVersion(model, version) : error;
    }
    const digest = hash.digest('hex');
    if (digest === version) return;
    throw modelBroken(
      `${named(model, version)} is damaged: the stored bytes have the digest ${digest}; roll back, or train it again`,
    );
  }

  private async *storedParts(model: string, version: Version, sizeBytes: number): AsyncGenerator<Uint8Array> {
    const key = this.context.keys.blob(model, version);
    const header = await this.context.commands.ask((redis) => redis.hgetBuffer(key, HEADER));
    if (header !== null) yield header;
    yield* readParts(this.context, key, sizeBytes - (header?.length ?? 0), named(model, version));
  }

  async find(model: string, version: Version): Promise<VersionRecord | undefined> {
    checkModel(model);
    checkVersion(version);
    const key = this.context.keys.version(model, version);
    const fields: Fields = await this.context.commands.ask((redis) => redis.hgetallBuffer(key));
    return Object.keys(fields).length === 0 ? undefined : this.context.records.version(key, version, fields);
  }

  /** Newest first. */
  async list(model: string): Promise<readonly VersionRecord[]> {
    const { commands, keys, records } = this.context;
    const names = await this.names(model);
    const listed: VersionRecord[] = [];
    for (let at = 0; at < names.length; at += RECORDS_A_PIPELINE) {
      const some = names.slice(at, at + RECORDS_A_PIPELINE);
      const found = await commands.ask((redis) => {
        const pipeline = redis.pipeline();
        for (const version of some) pipeline.hgetallBuffer(keys.version(model, version));
        return replies(pipeline);
      });
      for (const [i, version] of some.entries()) {
        const fields = found[i] as Fields;
        // Without a record it was pruned after the names were read.
        if (Object.keys(fields).length > 0) listed.push(records.version(keys.version(model, version), version, fields));
      }
    }
    return listed;
  }

  async resolve(model: string, prefix: string): Promise<Version> {
    const wanted = prefix.toLowerCase();
    if (!PREFIX.test(wanted)) {
      throw invalidInput(`"${prefix.slice(0, 80)}" does not start a version: expected 8 to 64 hex characters`);
    }
    const found = (await this.names(model)).filter((version) => version.startsWith(wanted));
    if (found.length === 0) throw noVersion(model, prefix);
    if (found.length === 1) return found[0]!;
    throw invalidInput(
      `"${prefix}" starts ${found.length} versions of model "${model}": ${found.slice(0, 5).join(', ')}; give more characters`,
    );
  }

  async runConfiguration(model: string, runId: string): Promise<string | undefined> {
    checkModel(model);
    const stored = await this.context.commands.ask((redis) => redis.get(this.context.keys.run(model, runId)));
    return stored ?? undefined;
  }

  private names(model: string): Promise<string[]> {
    checkModel(model);
    return this.context.commands.ask((redis) => redis.zrevrange(this.context.keys.versions(model), 0, -1));
  }

  /** Whether the version has its place and its bytes. */
  async isWhole(model: string, version: Version): Promise<boolean> {
    checkModel(model);
    const { commands, keys } = this.context;
    const [place, parts] = await commands.ask((redis) =>
      replies(redis.pipeline().zscore(keys.versions(model), version).hlen(keys.blob(model, version))),
    );
    return place !== null && parts !== 0;
  }

  /** Where the version's bytes are there already; the script decides. */
  private async onlyRecord(request: Publication): Promise<Outcome | undefined> {
    const { keys } = this.context;
    const { model, record } = request;
    if (!(await this.isWhole(model, record.version))) return undefined;
    return this.runScript(request, { key: keys.staging(model, 'none'), parts: 0 });
  }

  /** Takes the sealed upload's parts over as they are; undefined where they are not there, or another model's. */
  private async adoptUpload(request: Publication): Promise<Outcome | undefined> {
    const { model, bytes, upload } = request;
    if (upload === undefined) return undefined;
    const place = this.uploads.place(upload.uploadId);
    if (place.model !== model) return undefined;
    await this.nameModel(model);
    const parts = partCount(bytes.sizeBytes - upload.header.length);
    const staged = { key: place.sealedKey, parts, upload: { key: place.key, header: upload.header } };
    const [outcome] = await this.askScript(request, staged);
    return outcome === 'OK' || outcome === 'THERE' ? outcome : undefined;
  }

  private sendBytes(request: Publication): Promise<Outcome> {
    const { model, record, bytes } = request;
    return withStaging(this.context, model, bytes, async (key, digest) => {
      if (digest !== record.version) throw otherDigest(request, digest);
      await this.nameModel(model);
      return this.runScript(request, { key, parts: partCount(bytes.sizeBytes) });
    });
  }

  /** Before the version itself: a crash in between leaves a name without a version, which readers pass over. */
  private async nameModel(model: string): Promise<void> {
    const { changes, keys } = this.context;
    await changes.ask((redis) => redis.sadd(keys.models, model), { change: keys.modelsMark });
  }

  private async runScript(request: Publication, staged: Staged): Promise<Outcome> {
    const [outcome, detail, retiredAt] = await this.askScript(request, staged);
    if (outcome === 'OK' || outcome === 'THERE') return outcome;
    if (outcome === 'NO_MEMBER') throw noVersion(request.model, String(detail));
    if (outcome === 'MEMBER_RETIRED') throw retiredVersion(request.model, String(detail), Number(retiredAt));
    throw lostParts(named(request.model, request.record.version), detail ?? 0);
  }

  private askScript(request: Publication, { key, parts, upload }: Staged): Promise<(string | number)[]> {
    const { changes, keys, environment } = this.context;
    const { model, record, bytes } = request;
    const { version, ...rest } = record;
    return changes.ask(
      (redis) =>
        redis.publishVersion(
          key,
          upload?.key ?? keys.upload(model, 'none'),
          keys.blob(model, version),
          keys.version(model, version),
          keys.versions(model),
          keys.ensembles(model),
          keys.run(model, record.runId ?? ''),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          version,
          parts,
          upload === undefined ? '' : RELEASED_SECONDS,
          upload === undefined ? '' : asBuffer(upload.header),
          request.members?.join(' ') ?? '',
          record.runId === undefined ? '' : (request.runConfigurationJson ?? ''),
          request.actor,
          request.reason ?? '',
          environment,
          ...versionToFields({ ...rest, sizeBytes: bytes.sizeBytes }),
        ),
      { change: keys.mark(model) },
    );
  }
}

const named = (model: string, version: Version): string => `version ${version} of model "${model}"`;

export function noVersion(model: string, version: string): Error {
  return notFound(`model "${model}" has no version ${version}; list its versions with \`parley versions ${model}\``);
}

export function retiredVersion(model: string, version: string, retiredAt: number): Error {
  return notFound(
    `version ${version} of model "${model}" is retired since ${new Date(retiredAt / 1000).toISOString()}: it is kept on the ` +
      `record and can be neither promoted nor called; choose another with \`parley versions ${model}\``,
  );
}

function checkPublication({ model, bytes, record, runConfigurationJson }: Publication): void {
  checkModel(model);
  checkVersion(record.version);
  if (bytes.sizeBytes === 0) throw invalidInput(`model "${model}": an empty envelope cannot be published`);
  if (runConfigurationJson !== undefined && record.runId === undefined) {
    throw invalidInput(`model "${model}": a run's configuration was given without the run's id`);
  }
}

function otherDigest({ model, record }: PublishVersion, digest: string): Error {
  return invalidInput(
    `model "${model}": the bytes to publish as version ${record.version} have the digest ${digest}; a version is named by the ` +
      'SHA-256 of its envelope',
  );
}
