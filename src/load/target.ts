/** What is asked of a server in a measurement: a model's typed method, or Prediction.predict, with rows made up or of a file. */
import type { ContractMethod, ContractService, InputField } from '../contract/contract.js';
import { didYouMean } from '../contract/nearest.js';
import { invalidInput } from '../errors.js';
import type { Signature } from '../model/tensor.js';
import { PRODUCTION } from '../model/version.js';
import type { ParleyClient } from '../rpc/client/parley-client.js';
import { type Protocol, predictFrame, typedFrame } from './frames.js';
import { chanceOf, madeUpRow, madeUpTensor, shapeOf } from './made-up.js';
import type { ProvenancePlace } from './plan.js';
import { inputRows, tensorOf, typedRows } from './rows-of-file.js';

/** The generic call's name among the typed ones. */
export const PREDICT = 'predict';
/** `PredictResponse.provenance`. */
const GENERIC_PROVENANCE: ProvenancePlace = { fieldId: 1, many: false };

/** Requests that take turns: so many, or as many as this memory holds, and never less than two. */
const MOST_REQUESTS = 256,
  MOST_BYTES = 32 << 20;
const SEED = 20;

export interface TargetOptions {
  readonly protocol: Protocol;
  readonly rows: number;
  /** A method of the typed service, or `predict`; absent: the typed service's where there is one. */
  readonly method?: string;
  /** An alias or a version; only Prediction.predict takes one. */
  readonly reference?: string;
  readonly timeoutMs?: number;
  readonly data?: string;
}

export interface Target {
  /** `Penguins:identify` */
  readonly name: string;
  readonly rows: number;
  readonly requests: readonly Uint8Array[];
  readonly provenance?: ProvenancePlace;
}

/** @throws ParleyError NOT_FOUND for a model that is not there, INVALID_INPUT for what it does not take */
export async function targetOf(client: ParleyClient, model: string, options: TargetOptions): Promise<Target> {
  const described = await client.describe(model, options.reference ?? PRODUCTION);
  const service = await client.contractService(model);
  const method = methodOf(model, service, options);
  if (service === undefined || method === undefined)
    return predictTarget(model, described.signature, service?.methods[0]?.request.fields ?? [], options);
  return typedTarget(service, method, options);
}

function methodOf(
  model: string,
  service: ContractService | undefined,
  { method: wanted, reference, rows, timeoutMs }: TargetOptions,
): ContractMethod | undefined {
  if (wanted === PREDICT || (wanted === undefined && (service === undefined || reference !== undefined)))
    return undefined;
  const methods = service?.methods ?? [],
    names = [...methods.map(({ name }) => name), PREDICT];
  const method =
    wanted === undefined
      ? (methods.find(({ many }) => many === rows > 1) ?? methods[0]!)
      : methods.find(({ name }) => name === wanted);
  if (method === undefined)
    throw invalidInput(
      `--method ${wanted}: model "${model}" has no such method${didYouMean(wanted ?? '', names)}; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`,
    );
  if (reference !== undefined)
    throw invalidInput(
      `--reference: only Prediction.predict takes one, ${method.name} does not; add --method ${PREDICT}`,
    );
  if (rows > 1 && !method.many)
    throw invalidInput(
      `--rows ${rows}: ${service!.name}:${method.name} takes one row a call; a method that takes a list or --method ${PREDICT} takes several`,
    );
  if (timeoutMs !== undefined && method.contextId === undefined)
    throw invalidInput(
      `--timeout-ms: ${service!.name}:${method.name} has no parley.RequestContext argument to carry it; use --method ${PREDICT}`,
    );
  return method;
}

async function typedTarget(service: ContractService, method: ContractMethod, options: TargetOptions): Promise<Target> {
  const { protocol, timeoutMs, rows } = options,
    chance = chanceOf(SEED);
  const file = options.data === undefined ? undefined : await typedRows(options.data, method);
  const row = (index: number) => file?.[index % file.length] ?? madeUpRow(method, chance);
  const requests = requestsOf(rows, file?.length, (from) => {
    const chosen = Array.from({ length: rows }, (_, index) => row(from + index));
    return typedFrame(protocol, { service, method, rows: chosen, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  });
  const provenance = method.response.fields.find(({ role }) => role === 'provenance');
  return {
    name: `${service.name}:${method.name}`,
    rows,
    requests,
    ...(provenance === undefined ? {} : { provenance: { fieldId: provenance.id, many: method.many } }),
  };
}

async function predictTarget(
  model: string,
  { inputs }: Signature,
  fields: readonly InputField[],
  { protocol, rows, reference, timeoutMs, data }: TargetOptions,
): Promise<Target> {
  const chance = chanceOf(SEED);
  const file = data === undefined ? undefined : await inputRows(data, inputs);
  const tensor = (spec: (typeof inputs)[number], from: number) =>
    file === undefined
      ? madeUpTensor(
          spec,
          rows,
          chance,
          fields.find(({ name }) => name === spec.name),
        )
      : tensorOf(spec, file, from, rows);
  const requests = requestsOf(rows, file?.rows, (from) =>
    predictFrame(protocol, {
      model,
      ...(reference === undefined ? {} : { reference }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      inputs: Object.fromEntries(inputs.map((spec) => [spec.name, tensor(spec, from)])),
    }),
  );
  const asked = inputs[0] === undefined ? 1 : (shapeOf(inputs[0], rows)[0] ?? 1);
  return { name: 'Prediction.predict', rows: asked, requests, provenance: GENERIC_PROVENANCE };
}

/** @param rowsThere in the file: no more requests than use each of them once */
function requestsOf(rows: number, rowsThere: number | undefined, make: (from: number) => Buffer): Buffer[] {
  const first = make(0);
  const room = Math.max(2, Math.floor(MOST_BYTES / first.length));
  const count = Math.min(MOST_REQUESTS, room, rowsThere === undefined ? MOST_REQUESTS : Math.ceil(rowsThere / rows));
  return [first, ...Array.from({ length: count - 1 }, (_, index) => make((index + 1) * rows))];
}
