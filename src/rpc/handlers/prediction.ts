/** `Prediction.describe`; `predict` has its own road. */
import types from '../../../gen/parley_types.js';
import { invalidInput } from '../../errors.js';
import { DATA_TYPES, type TensorSpec } from '../../model/tensor.js';
import { fieldsOf } from '../../model-types/record-fields.js';
import { MOCK } from '../../serving/mock/version.js';
import type { Router } from '../../serving/router.js';
import type { Handlers } from '../generated.js';
import { present, type Wire, wireInt } from '../registry-mapping.js';
import { guarded } from './registry.js';

export function predictionHandlers(router: Router): Handlers {
  return guarded({
    async describe(request: Wire<types.DescribeRequest>) {
      if (!request.model)
        throw invalidInput('request.model is missing', {
          problems: [{ path: 'request.model', message: 'is required' }],
        });
      const { servable } = await router.resolve(request.model, request.reference ?? undefined);
      const typed = router.serviceOf(servable.model);
      return new types.DescribeResponse(
        present({
          model: servable.model,
          version: servable.version,
          model_type: servable.modelType,
          inputs: servable.signature.inputs.map(specToWire),
          outputs: servable.signature.outputs.map(specToWire),
          contract_service: typed?.service.name,
          contract_fingerprint: typed?.contract.fingerprint,
          type_fields: servable.modelType === MOCK ? undefined : fieldsOf(servable),
        }) as never,
      );
    },
  });
}

const specToWire = ({ name, dataType, shape }: TensorSpec): types.TensorSpec =>
  new types.TensorSpec({ name, data_type: DATA_TYPES[dataType].number, shape: shape.map(wireInt) } as never);
