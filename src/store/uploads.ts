/**
 * Bytes that come in parts before anything is made of them; an upload that is not continued for an hour is gone, a used
 * one sooner.
 *
 * Reading an upload *seals* it: its parts move to a key of their own, so that what was read is what is published,
 * whatever part comes late. A publication may take that key over as the version's bytes; the upload then says which
 * version it has become, and is read from there should the publication be repeated.
 */
import { conflict, internal, invalidInput, notFound } from '../errors.js';
import type { ByteStream } from '../model/byte-stream.js';
import { replies } from './connection.js';
import { checkModel, randomId, type StoreContext } from './context.js';
import { asBuffer, PART_BYTES, PART_DEADLINE_MS, partCount, partLength, readParts } from './parts.js';
import { scriptText } from './scripts.js';

const KEPT_SECONDS = 3600;
/** Of one that has been used: long enough for a call that is repeated because its reply was lost. */
export const RELEASED_SECONDS = 60;
const MAX_UPLOAD_BYTES = 2 * 1024 ** 3;
/** Uploads that are under way at once. */
const MOST_SIZES = 256;
/** The model's name, a dot, randomness; a model's name may have dots itself. */
const UPLOAD_ID = /^(.{1,128})\.([0-9a-f]{24})$/;

/** Where an upload is, and where its parts are once it is sealed. */
export interface UploadPlace {
  readonly model: string;
  readonly key: string;
  readonly sealedKey: string;
}

const UPLOAD_PART = scriptText('uploadPart', 2);

export class Uploads {
  /** Announced bytes by upload, which never change: spares asking for them with each part. */
  private readonly sizes = new Map<string, number>();

  constructor(private readonly context: StoreContext) {}

  async begin(model: string, sizeBytes: number): Promise<string> {
    checkModel(model);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1 || sizeBytes > MAX_UPLOAD_BYTES) {
      throw invalidInput(`an upload must have 1 to ${MAX_UPLOAD_BYTES} bytes (2 GiB); ${sizeBytes} were announced`);
    }
    const random = randomId();
    const key = this.context.keys.upload(model, random);
    // One transaction, so that no crash leaves an upload without its expiry.
    await this.context.commands.ask((redis) =>
      replies(redis.multi().hset(key, 'sizeBytes', sizeBytes).expire(key, KEPT_SECONDS)),
    );
    return `${model}.${random}`;
  }

  /**
   * The part's bytes go past the script, in whose language they would be copied twice; the script, in the same
   * transaction, takes them out again where they do not belong.
   *
   * @returns bytes received in all
   */
  async part(uploadId: string, offset: number, data: Uint8Array): Promise<number> {
    const { key, sealedKey } = this.place(uploadId);
    const sizeBytes = await this.sizeOf(uploadId, key);
    checkPart(uploadId, offset, data.length, sizeBytes);
    const part = String(offset / PART_BYTES),
      last = partCount(sizeBytes) - 1;
    const [outcome, received] = await this.context.bulk.ask(
      (redis) => {
        const replies = [
          redis.multi({ pipeline: false }),
          redis.hset(key, part, asBuffer(data)),
          redis.eval(UPLOAD_PART, 2, key, sealedKey, part, last, PART_BYTES, KEPT_SECONDS),
          redis.exec(),
        ] as const;
        return Promise.all(replies).then(([, , , executed]) => outcomeOf(executed));
      },
      { deadlineMs: PART_DEADLINE_MS },
    );
    if (outcome === 'OK') return Number(received);
    if (outcome === 'SEALED') throw sealedUpload(uploadId);
    throw unknownUpload(uploadId);
  }

  private async sizeOf(uploadId: string, key: string): Promise<number> {
    const known = this.sizes.get(uploadId);
    if (known !== undefined) return known;
    const size = await this.context.commands.ask((redis) => redis.hget(key, 'sizeBytes'));
    if (size === null) throw unknownUpload(uploadId);
    if (this.sizes.size >= MOST_SIZES) this.sizes.clear();
    this.sizes.set(uploadId, Number(size));
    return Number(size);
  }

  /** Seals the upload. @returns its bytes, which can be read as often as one likes */
  async open(uploadId: string): Promise<ByteStream> {
    const place = this.place(uploadId);
    const [outcome, detail, version] = await this.context.commands.ask((redis) =>
      redis.sealUpload(place.key, place.sealedKey, PART_BYTES, KEPT_SECONDS),
    );
    const sizeBytes = Number(detail),
      what = `upload "${uploadId}"`;
    const from = (key: string): ByteStream => ({
      sizeBytes,
      parts: () => readParts(this.context, key, sizeBytes, what),
    });
    switch (outcome) {
      case 'OK':
        return from(place.sealedKey);
      case 'PUBLISHED': {
        const blob = this.context.keys.blob(place.model, String(version));
        if ((await this.context.commands.ask((redis) => redis.exists(blob))) === 0) throw unknownUpload(uploadId);
        return from(blob);
      }
      case 'INCOMPLETE':
        throw await this.incomplete(uploadId, place.key, sizeBytes);
      case 'UNKNOWN':
        throw unknownUpload(uploadId);
      default:
        throw internal(`sealUpload answered ${JSON.stringify([outcome, detail, version])}`);
    }
  }

  async release(uploadId: string): Promise<void> {
    const { key, sealedKey } = this.place(uploadId);
    await this.context.commands.ask((redis) =>
      replies(redis.pipeline().expire(key, RELEASED_SECONDS).expire(sealedKey, RELEASED_SECONDS)),
    );
  }

  place(uploadId: string): UploadPlace {
    const [, model, random] = UPLOAD_ID.exec(uploadId) ?? [];
    if (model === undefined || random === undefined) throw unknownUpload(uploadId);
    checkModel(model);
    const { keys } = this.context;
    return { model, key: keys.upload(model, random), sealedKey: keys.staging(model, random) };
  }

  private async incomplete(uploadId: string, key: string, sizeBytes: number): Promise<Error> {
    const there = new Set(await this.context.commands.ask((redis) => redis.hkeys(key)));
    const missing = Array.from({ length: partCount(sizeBytes) }, (_, part) => part).filter(
      (part) => !there.has(`${part}`),
    );
    const offsets = missing.slice(0, 5).map((part) => part * PART_BYTES);
    const missingBytes = missing.reduce((sum, part) => sum + partLength(part, sizeBytes), 0);
    return invalidInput(
      `upload "${uploadId}" is not complete: ${sizeBytes - missingBytes} of ${sizeBytes} bytes are there, ${missing.length} ` +
        `parts are missing, at offsets ${offsets.join(', ')}${missing.length > offsets.length ? ', …' : ''}`,
    );
  }
}

/** Of the script, which is the transaction's last command. */
function outcomeOf(executed: readonly [Error | null | undefined, unknown][] | null): (string | number)[] {
  if (executed === null) throw internal('a transaction without WATCH was abandoned');
  for (const [error] of executed) if (error) throw error;
  return executed.at(-1)![1] as (string | number)[];
}

function checkPart(uploadId: string, offset: number, length: number, sizeBytes: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % PART_BYTES !== 0) {
    throw invalidInput(
      `upload "${uploadId}": the offset ${offset} is not a multiple of ${PART_BYTES} (a part's bytes)`,
    );
  }
  if (offset >= sizeBytes) {
    throw invalidInput(
      `upload "${uploadId}": the offset ${offset} lies beyond the ${sizeBytes} bytes that were announced`,
    );
  }
  const expected = partLength(offset / PART_BYTES, sizeBytes);
  if (length === expected) return;
  throw invalidInput(
    `upload "${uploadId}": the part at offset ${offset} has ${length} bytes, expected ${expected}: ${sizeBytes} bytes were ` +
      `announced, and every part but the last has ${PART_BYTES}`,
  );
}

function sealedUpload(uploadId: string): Error {
  return conflict(
    `upload "${uploadId}" is complete and being published, or has been; begin another one for other bytes`,
  );
}

function unknownUpload(uploadId: string): Error {
  const name = uploadId.length > 160 ? `${uploadId.slice(0, 160)}…` : uploadId;
  return notFound(
    `no upload ${JSON.stringify(name)}: it was never begun, or has expired (an hour after its last part); begin again`,
  );
}
