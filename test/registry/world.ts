/** A registry on the test's store, and short ways through it. */
import { readdirSync, readFileSync } from 'node:fs';
import { streamOf } from '#parley/model/byte-stream.js';
import type { Publish, PublishContract, PublishedContract } from '#parley/model/registry-port.js';
import type { Tensor } from '#parley/model/tensor.js';
import type { ModelVersion } from '#parley/model/version.js';
import { encodeExpected } from '#parley/registry/expected.js';
import { type Rehearsed, rehearse } from '#parley/registry/isolated.js';
import { Registry } from '#parley/registry/registry.js';
import { upload } from '#parley/training/publish-run.js';
import { type ContractShape, envelopeOf, FIXTURES, idlOf, type Made, MODEL } from '../serving/models.js';
import { type TestRedis, until } from '../store/redis-server.js';
import { World } from '../store/world.js';

export class RegistryWorld extends World {
  readonly registry: Registry;

  constructor(redis: TestRedis) {
    super(redis);
    this.registry = new Registry(this.store, 'ada');
  }

  async publishContract(
    shape: ContractShape = {},
    fixtures: string | undefined = FIXTURES,
    how: Partial<PublishContract> = {},
  ): Promise<PublishedContract> {
    const idl = idlOf(shape);
    if (fixtures === '') return this.registry.publishContract({ idl, ...how });
    const fixturesUploadId = await upload(this.registry, shape.model ?? MODEL, Buffer.from(fixtures));
    return this.registry.publishContract({ idl, fixturesUploadId, fixturesFormat: 'csv', ...how });
  }

  async publishModel(made: Made | Uint8Array, more: Partial<Publish> = {}): Promise<ModelVersion> {
    const model = more.model ?? MODEL;
    const bytes = made instanceof Uint8Array ? made : envelopeOf(made);
    return this.registry.publish({ model, uploadId: await upload(this.registry, model, bytes), ...more });
  }

  /** A version that is in production. */
  async release(made: Made): Promise<string> {
    const { version } = await this.publishModel(made);
    await this.registry.accept(MODEL, version);
    await this.registry.promote({ model: MODEL, version });
    return version;
  }
}

/** What the child says of an upload that nobody stores. */
export function rehearsed(
  uploaded: Uint8Array,
  expected: Uint8Array | undefined,
  model: Parameters<typeof rehearse>[2],
  timeoutMs?: number,
): Promise<Rehearsed> {
  const bytes = expected === undefined ? undefined : streamOf(expected);
  return rehearse(streamOf(uploaded), bytes, model, async (outcome) => outcome, undefined, timeoutMs);
}

/** What a trainer says of rows of a and b. */
export function expectedOf(a: readonly number[], b: readonly number[], value: readonly number[]): Buffer {
  const output: Tensor = { dataType: 'float32', shape: [value.length, 1], data: Float32Array.from(value) };
  return encodeExpected({
    rows: {
      specs: [
        { name: 'a', kind: 'number' },
        { name: 'b', kind: 'number' },
      ],
      rows: a.length,
      columns: [Float64Array.from(a), Float64Array.from(b)],
    },
    outputs: { value: output },
  });
}

interface Child {
  readonly pid: number;
  readonly folder: string;
}

/** The rehearsing children of a process, with their folders. */
export function childrenOf(parent: number): Child[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const parentId = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const at = words.findIndex((word) => word.endsWith('isolated-main.js'));
        return parentId === parent && at >= 0 ? [{ pid: Number(pid), folder: words[at + 2] }] : [];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

export function isThere(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** More than a child needs before it runs a graph: two and a half seconds of a processor. */
const BUSY_TICKS = 250;

/** The one child of a process, once it computes. */
export async function busyChildOf(parent: number): Promise<Child> {
  const busy = () => childrenOf(parent).find(({ pid }) => ticksOf(pid) > BUSY_TICKS);
  return (await until('a child that computes', busy, 40_000))!;
}

/** Processor time that a process has used, in ticks: a child that computes uses some. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
