/** A server in this process on a real Redis, to which graphs are uploaded and published over Thrift. */
import prediction from '#gen/Prediction.js';
import types from '#gen/parley_types.js';
import { allocate, DATA_TYPES, type DataType, type Tensor, type TensorData } from '#parley/model/tensor.js';
import type { ModelVersion } from '#parley/model/version.js';
import { ClientConnection } from '#parley/rpc/client/connection.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { wireInt } from '#parley/rpc/registry-mapping.js';
import { upload } from '#parley/training/publish-run.js';
import { type Served, serve } from '../rpc/served.js';
import { TestRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';

process.env.ORT_DISABLE_TELEMETRY = '1';
const { default: ort } = await import('onnxruntime-node');

export type Tensors = Readonly<Record<string, Tensor>>;

/** Publishes graphs at a server and asks them, over Thrift. */
export class GraphClient {
  private constructor(
    readonly client: ParleyClient,
    private readonly connection: ClientConnection,
  ) {}

  static async open(address: { readonly host: string; readonly port: number }): Promise<GraphClient> {
    return new GraphClient(await ParleyClient.connect(address), await ClientConnection.open(address));
  }

  close(): void {
    this.client.close();
    this.connection.close();
  }

  async publish(
    model: string,
    graph: Uint8Array,
    more: {
      contractService?: string;
      modelType?: string;
      description?: string;
      metadata?: Readonly<Record<string, unknown>>;
    } = {},
  ): Promise<ModelVersion> {
    return this.client.publish({ model, uploadId: await upload(this.client, model, graph), ...more });
  }

  /** What `Prediction.predict` answers, by output. */
  async predict(model: string, reference: string, inputs: Tensors, outputs?: readonly string[]): Promise<Tensors> {
    const request = {
      model,
      reference,
      inputs: Object.entries(inputs).map(([name, tensor]) => wireTensor(name, tensor)),
      ...(outputs === undefined ? {} : { outputs }),
    };
    const response = await this.connection.call<{ outputs: readonly WireTensor[] }>(
      prediction.Client as never,
      'predict',
      new types.PredictRequest(request as never),
    );
    return Object.fromEntries(response.outputs.map(plainTensor));
  }
}

export class GraphWorld {
  readonly publish: GraphClient['publish'];
  readonly predict: GraphClient['predict'];

  private constructor(
    private readonly redis: TestRedis,
    readonly world: World,
    readonly served: Served,
    private readonly graphs: GraphClient,
  ) {
    this.publish = graphs.publish.bind(graphs);
    this.predict = graphs.predict.bind(graphs);
  }

  get client(): ParleyClient {
    return this.graphs.client;
  }

  static async open(): Promise<GraphWorld> {
    const redis = await new TestRedis().start();
    const world = new World(redis);
    const served = await serve(world.store);
    return new GraphWorld(redis, world, served, await GraphClient.open(served));
  }

  async close(): Promise<void> {
    this.graphs.close();
    await this.served.close();
    await this.world.close();
    await this.redis.stop();
  }
}

/** A world for the tests of a file. */
export function useGraphWorld(): () => GraphWorld {
  let world: GraphWorld;
  before(async () => {
    world = await GraphWorld.open();
  });
  after(() => world.close());
  return () => world;
}

interface WireTensor {
  readonly name: string;
  readonly data_type: number;
  readonly shape: readonly unknown[];
  readonly strings?: readonly string[] | null;
  readonly data?: Buffer | null;
}

function wireTensor(name: string, { dataType, shape, data }: Tensor): types.Tensor {
  return new types.Tensor({
    name,
    data_type: DATA_TYPES[dataType].number,
    shape: shape.map(wireInt),
    ...(Array.isArray(data) ? { strings: data } : { data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) }),
  } as never);
}

function plainTensor(wire: WireTensor): [string, Tensor] {
  const dataType = (Object.keys(DATA_TYPES) as DataType[]).find((type) => DATA_TYPES[type].number === wire.data_type)!;
  const shape = wire.shape.map(Number);
  if (dataType === 'string') return [wire.name, { dataType, shape, data: [...(wire.strings ?? [])] }];
  const bytes = wire.data!,
    data = allocate(dataType, bytes.length / DATA_TYPES[dataType].bytes) as Uint8Array;
  new Uint8Array(data.buffer).set(bytes);
  return [wire.name, { dataType, shape, data }];
}

/** The runtime's own answer. @throws what the runtime throws */
export async function runDirectly(graph: Uint8Array, inputs: Tensors): Promise<Tensors> {
  const session = await ort.InferenceSession.create(graph, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  try {
    const feeds = Object.entries(inputs).map(
      ([name, { dataType, data, shape }]) =>
        [name, new ort.Tensor(dataType as 'float32', data as Float32Array, shape)] as const,
    );
    const results = await session.run(Object.fromEntries(feeds), { logSeverityLevel: 4 });
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        { dataType: type as DataType, shape: [...dims], data: data as TensorData },
      ]),
    );
  } finally {
    await session.release();
  }
}

/** Tensors to the bit, so that they can be compared. */
export function bitsOf(tensors: Tensors): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dataType, shape, data }]) => [
      name,
      {
        dataType,
        shape: [...shape],
        values: Array.isArray(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex'),
      },
    ]),
  );
}

/** Values of a type: small, different, and none of them zero. */
export function someValues(dataType: DataType, shape: readonly number[]): Tensor {
  const length = shape.reduce((a, b) => a * b, 1),
    data = allocate(dataType, length);
  for (let i = 0; i < length; i++) {
    if (Array.isArray(data)) data[i] = `Käse ${i}`;
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(i + 1);
    else if (dataType === 'bool') data[i] = (i + 1) % 2;
    else if (dataType === 'float16') data[i] = 0x3c00 + i;
    else data[i] = i + 1;
  }
  return { dataType, shape, data };
}
