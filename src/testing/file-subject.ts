/** The suite on a file: a plain graph goes through the pipeline that publication has, and nothing is stored. */
import { open } from 'node:fs/promises';
import { hasErrno, invalidInput, notFound } from '../errors.js';
import type { ByteStream } from '../model/byte-stream.js';
import { isArchive, readArchived } from '../registry/archive/read-version.js';
import { type Members, rehearse } from '../registry/isolated.js';
import { fileStream } from '../registry/whole-file.js';
import { acceptEnvelope, modelOf } from './envelope.js';
import type { Suite, Tested } from './run.js';
import type { FileSubject } from './subject.js';

/** @throws ParleyError NOT_FOUND without the file, what publication refuses, INVALID_INPUT for an archive without the version */
export async function acceptFile(suite: Suite, { file, modelType, modelVersion }: FileSubject): Promise<Tested> {
  const beginning = await beginningOf(file);
  const { contract } = suite.project;
  if (isArchive(beginning)) {
    const { version, envelope, members } = await readArchived(file, contract.model, modelVersion);
    return acceptEnvelope(suite, version, envelope, members);
  }
  if (modelVersion !== undefined) throw invalidInput(`${file} is no archive, so it has no versions to choose from`);
  const model = { ...modelOf(suite), ...(modelType === undefined ? {} : { modelType }) };
  const uploaded: ByteStream = await fileStream(file);
  const none: Members = new Map();
  return rehearse(uploaded, undefined, model, ({ version }, envelope) =>
    acceptEnvelope(suite, version, envelope, none),
  );
}

async function beginningOf(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
      if (bytesRead === 0) throw invalidInput(`${file} is empty; give an ONNX graph, or what "parley export" wrote`);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) throw notFound(`there is no file ${file}`, { cause });
    if (hasErrno(cause, 'EISDIR')) throw invalidInput(`${file} is a folder; give a file`, { cause });
    throw cause;
  }
}
