/** Bytes that come in parts before anything is made of them; an upload that is not continued for an hour is gone, a used one sooner. */
import { invalidInput, notFound } from '../errors.js';
import { replies } from './connection.js';
import { checkModel, randomId, type StoreContext } from './context.js';
import { PART_BYTES, partCount, partLength, readParts } from './parts.js';

const KEPT_SECONDS = 3600;
/** Of one that has been used: long enough for a call that is repeated because its reply was lost. */
const RELEASED_SECONDS = 60;
const MAX_UPLOAD_BYTES = 2 * 1024 ** 3;
/** The model's name, a dot, randomness; a model's name may have dots itself. */
const UPLOAD_ID = /^(.{1,128})\.([0-9a-f]{24})$/;

export class Uploads {
  constructor(private readonly context: StoreContext) {}

  async begin(model: string, sizeBytes: number): Promise<string> {
    checkModel(model);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1 || sizeBytes > MAX_UPLOAD_BYTES) {
      throw invalidInput(`an upload must have 1 to ${MAX_UPLOAD_BYTES} bytes (2 GiB); ${sizeBytes} were announced`);
    }
    const random = randomId();
    const key = this.context.keys.upload(model, random);
    const meta = { sizeBytes, receivedBytes: 0 };
    // One transaction, so that no crash leaves an upload without its expiry.
    await this.context.commands.ask((redis) => replies(redis.multi().hset(key, meta).expire(key, KEPT_SECONDS)));
    return `${model}.${random}`;
  }

  /** @returns bytes received in all */
  async part(uploadId: string, offset: number, data: Uint8Array): Promise<number> {
    const { key, sizeBytes } = await this.find(uploadId);
    checkPart(uploadId, offset, data.length, sizeBytes);
    const [outcome, received] = await this.context.bulk.ask((redis) =>
      redis.uploadPart(key, offset / PART_BYTES, Buffer.from(data.buffer, data.byteOffset, data.length), KEPT_SECONDS),
    );
    if (outcome !== 'OK') throw unknownUpload(uploadId);
    return Number(received);
  }

  async read(uploadId: string): Promise<Buffer> {
    const { key, sizeBytes, receivedBytes } = await this.find(uploadId);
    if (receivedBytes < sizeBytes) throw await this.incomplete(uploadId, key, sizeBytes, receivedBytes);
    return readParts(this.context, key, sizeBytes, `upload "${uploadId}"`);
  }

  async release(uploadId: string): Promise<void> {
    const { key } = await this.find(uploadId);
    await this.context.commands.ask((redis) => redis.expire(key, RELEASED_SECONDS));
  }

  private async find(uploadId: string): Promise<{ key: string; sizeBytes: number; receivedBytes: number }> {
    const [, model, random] = UPLOAD_ID.exec(uploadId) ?? [];
    if (model === undefined || random === undefined) throw unknownUpload(uploadId);
    checkModel(model);
    const key = this.context.keys.upload(model, random);
    const [size, received] = await this.context.commands.ask((redis) => redis.hmget(key, 'sizeBytes', 'receivedBytes'));
    if (size == null) throw unknownUpload(uploadId);
    return { key, sizeBytes: Number(size), receivedBytes: Number(received) };
  }

  private async incomplete(uploadId: string, key: string, sizeBytes: number, receivedBytes: number): Promise<Error> {
    const there = new Set(await this.context.commands.ask((redis) => redis.hkeys(key)));
    const missing = Array.from({ length: partCount(sizeBytes) }, (_, part) => part).filter(
      (part) => !there.has(`${part}`),
    );
    const offsets = missing.slice(0, 5).map((part) => part * PART_BYTES);
    return invalidInput(
      `upload "${uploadId}" is not complete: ${receivedBytes} of ${sizeBytes} bytes are there, ${missing.length} parts are ` +
        `missing, at offsets ${offsets.join(', ')}${missing.length > offsets.length ? ', …' : ''}`,
    );
  }
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

function unknownUpload(uploadId: string): Error {
  const name = uploadId.length > 160 ? `${uploadId.slice(0, 160)}…` : uploadId;
  return notFound(
    `no upload ${JSON.stringify(name)}: it was never begun, or has expired (an hour after its last part); begin again`,
  );
}
