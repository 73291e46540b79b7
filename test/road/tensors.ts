/** `Prediction.predict` with tensors, through the generated client. */
import prediction from '#gen/Prediction.js';
import types from '#gen/parley_types.js';
import { DATA_TYPES, type DataType } from '#parley/model/tensor.js';
import { ClientConnection } from '#parley/rpc/client/connection.js';
import { wireInt } from '#parley/rpc/registry-mapping.js';
import type { Address } from './client.js';
import { PENGUIN } from './trained.js';

export interface GenericAnswer {
  readonly provenance?: { readonly version: string; readonly alias_name?: string };
}

/** One penguin, one row, one tensor a feature. */
export async function predictGenerically(
  address: Address,
  { model = 'penguins', reference }: { model?: string; reference?: string },
): Promise<GenericAnswer> {
  const connection = await ClientConnection.open(address);
  try {
    return await connection.call<GenericAnswer>(
      prediction.Client as never,
      'predict',
      new types.PredictRequest({
        model,
        ...(reference === undefined ? {} : { reference }),
        inputs: Object.entries(PENGUIN).map(([name, value]) => tensorOf(name, value)),
      } as never),
    );
  } finally {
    connection.close();
  }
}

function tensorOf(name: string, value: number | string): types.Tensor {
  const dataType: DataType = typeof value === 'string' ? 'string' : 'float64';
  return new types.Tensor({
    name,
    data_type: DATA_TYPES[dataType].number,
    shape: [wireInt(1), wireInt(1)],
    ...(typeof value === 'string' ? { strings: [value] } : { data: Buffer.from(Float64Array.of(value).buffer) }),
  } as never);
}
