/** Versions: published whole, read back verified. */
import { internal, invalidInput, modelBroken, notFound } from '../errors.js';
import type { Change, VersionRecord } from '../model/store-port.js';
import type { Version } from '../model/version.js';
import { replies } from './connection.js';
import { checkModel, checkVersion, type StoreContext } from './context.js';
import { digestOf, lostParts, readParts, withStaging } from './parts.js';
import { type Fields, versionToFields } from './records.js';

const RECORDS_A_PIPELINE = 200;
const PREFIX = /^[0-9a-f]{8,64}$/;

export interface PublishVersion extends Change {
  readonly model: string;
  readonly bytes: Uint8Array;
  readonly record: Omit<VersionRecord, 'publishedAt' | 'sizeBytes'>;
  readonly runConfigurationJson?: string;
  readonly members?: readonly Version[];
}

export class Versions {
  constructor(private readonly context: StoreContext) {}

  async publish(request: PublishVersion): Promise<{ published: boolean; record: VersionRecord }> {
    await checkPublication(request);
    this.checkTypeFields(request);
    const { model, record } = request;
    const { commands, keys } = this.context;
    // Before the version itself: a crash in between leaves a name without a version, which readers pass over.
    await commands.ask((redis) => redis.sadd(keys.models, model));
    const outcome = (await this.isThere(model, record.version))
      ? await this.runScript(request, keys.staging(model, 'none'), 0)
      : await withStaging(this.context, model, request.bytes, (key, parts) => this.runScript(request, key, parts));
    const stored = await this.find(model, record.version);
    if (stored === undefined)
      throw internal(`version ${record.version} of model "${model}" is gone just after its publication`);
    return { published: outcome === 'OK', record: stored };
  }

  async read(model: string, version: Version): Promise<Buffer> {
    const record = await this.find(model, version);
    if (record === undefined) throw noVersion(model, version);
    if (record.retiredAt !== undefined) throw retiredVersion(model, version, record.retiredAt);
    const what = `version ${version} of model "${model}"`;
    const bytes = await readParts(this.context, this.context.keys.blob(model, version), record.sizeBytes, what).catch(
      async (error: unknown) => {
        // It may have been pruned under the reader's hands.
        throw (await this.find(model, version)) === undefined ? noVersion(model, version) : error;
      },
    );
    const digest = await digestOf(bytes);
    if (digest === version) return bytes;
    throw modelBroken(`${what} is damaged: the stored bytes have the digest ${digest}; roll back, or train it again`);
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
      listed.push(
        ...found.map((fields, i) => records.version(keys.version(model, some[i]!), some[i]!, fields as Fields)),
      );
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

  /** Spares sending the bytes again; the script decides. */
  private async isThere(model: string, version: Version): Promise<boolean> {
    const { commands, keys } = this.context;
    const [place, parts] = await commands.ask((redis) =>
      replies(redis.pipeline().zscore(keys.versions(model), version).hlen(keys.blob(model, version))),
    );
    return place !== null && parts !== 0;
  }

  private checkTypeFields({ model, record }: PublishVersion): void {
    try {
      this.context.checkTypeFields(record.modelType, record.typeFields ?? {});
    } catch (cause) {
      throw invalidInput(`model "${model}": version ${record.version}: ${(cause as Error).message}`, { cause });
    }
  }

  private async runScript(request: PublishVersion, stagingKey: string, parts: number): Promise<'OK' | 'THERE'> {
    const { commands, keys, environment } = this.context;
    const { model, record, bytes } = request;
    const { version, ...rest } = record;
    const [outcome, detail, retiredAt] = await commands.ask((redis) =>
      redis.publishVersion(
        stagingKey,
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
        request.members?.join(' ') ?? '',
        record.runId === undefined ? '' : (request.runConfigurationJson ?? ''),
        request.actor,
        request.reason ?? '',
        environment,
        ...versionToFields({ ...rest, sizeBytes: bytes.length }),
      ),
    );
    if (outcome === 'OK' || outcome === 'THERE') return outcome;
    if (outcome === 'NO_MEMBER') throw noVersion(model, String(detail));
    if (outcome === 'MEMBER_RETIRED') throw retiredVersion(model, String(detail), Number(retiredAt));
    throw lostParts(`version ${version} of model "${model}"`, detail ?? 0);
  }
}

export function noVersion(model: string, version: string): Error {
  return notFound(`model "${model}" has no version ${version}; list its versions with \`parley versions ${model}\``);
}

export function retiredVersion(model: string, version: string, retiredAt: number): Error {
  return notFound(
    `version ${version} of model "${model}" is retired since ${new Date(retiredAt / 1000).toISOString()}: it is kept on the ` +
      `record and can be neither promoted nor called; choose another with \`parley versions ${model}\``,
  );
}

async function checkPublication({ model, bytes, record, runConfigurationJson }: PublishVersion): Promise<void> {
  checkModel(model);
  checkVersion(record.version);
  if (bytes.length === 0) throw invalidInput(`model "${model}": an empty envelope cannot be published`);
  if (runConfigurationJson !== undefined && record.runId === undefined) {
    throw invalidInput(`model "${model}": a run's configuration was given without the run's id`);
  }
  const digest = await digestOf(bytes);
  if (digest === record.version) return;
  throw invalidInput(
    `model "${model}": the bytes to publish as version ${record.version} have the digest ${digest}; a version is named by the ` +
      'SHA-256 of its envelope',
  );
}
