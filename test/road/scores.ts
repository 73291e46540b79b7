/** Versions of a model that adds two numbers and a constant of its own, so that an answer tells which of them it is of. */
import prediction from '#gen/Prediction.js';
import types from '#gen/parley_types.js';
import { DATA_TYPES } from '#parley/model/tensor.js';
import { digestOf } from '#parley/model-types/envelope.js';
import { ClientConnection } from '#parley/rpc/client/connection.js';
import { wireInt } from '#parley/rpc/registry-mapping.js';
import type { RedisStore } from '#parley/store/redis-store.js';
import { envelopeOf, type Made, MODEL, summing } from '../serving/models.js';
import { BY } from '../store/world.js';
import type { Address } from './client.js';
import type { Server } from './parley.js';

export { MODEL } from '../serving/models.js';

const INPUT = { a: 1, b: 2 };

export interface Score {
  readonly version: string;
  readonly value: number;
}

/** @returns the version, which answers {@link scoreOf} its bias */
export async function publish(
  store: RedisStore,
  bias: number,
  made: Made = summing(['a', 'b'], bias),
): Promise<string> {
  const bytes = envelopeOf(made),
    version = digestOf(bytes);
  const record = { version, modelType: 'tabular-regressor', metrics: {} };
  await store.publishVersion({ ...BY, model: MODEL, bytes, record });
  return version;
}

export const point = (store: RedisStore, version: string, action: 'promote' | 'rollback' = 'promote') =>
  store.moveAlias({ ...BY, model: MODEL, aliasName: 'production', version, action });

/** What the version of this constant answers. */
export const scoreOf = (bias: number): number => INPUT.a + INPUT.b + bias;

/** One caller. */
export class Scorer {
  private constructor(private readonly connection: ClientConnection) {}

  static async open(address: Address): Promise<Scorer> {
    return new Scorer(await ClientConnection.open(address));
  }

  /** @param reference an alias or a version; the version in production when absent */
  async score(reference?: string): Promise<Score> {
    const answer = await this.connection.call<types.PredictResponse>(
      prediction.Client as never,
      'predict',
      new types.PredictRequest({
        model: MODEL,
        ...(reference === undefined ? {} : { reference }),
        outputs: ['value'],
        inputs: Object.entries(INPUT).map(([name, value]) => tensorOf(name, value)),
      } as never),
    );
    const data = answer.outputs![0]!.data as unknown as Buffer;
    return { version: answer.provenance!.version as string, value: data.readFloatLE(0) };
  }

  close(): void {
    this.connection.close();
  }
}

function tensorOf(name: string, value: number): types.Tensor {
  return new types.Tensor({
    name,
    data_type: DATA_TYPES.float64.number,
    shape: [wireInt(1), wireInt(1)],
    data: Buffer.from(Float64Array.of(value).buffer),
  } as never);
}

/** A server's metrics, by name with labels as Prometheus writes them. */
export async function metricsOf({ http }: Server): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://${http!.host}:${http!.port}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** The lines of a server's log that have this text. */
export const logged = ({ stderr }: Server, part: string): string[] =>
  stderr.split('\n').filter((line) => line.includes(part));
