/** Calls of the generic services that programs make, in plain values. */
import feedback from '../../../gen/Feedback.js';
import operations from '../../../gen/Operations.js';
import prediction from '../../../gen/Prediction.js';
import type types from '../../../gen/parley_types.js';
import { invalidInput, type Problem } from '../../errors.js';
import type { Signature } from '../../model/tensor.js';
import { present, specsFromWire, type Wire, wireInt } from '../registry-mapping.js';
import { type ClientClass, readStubs, type StubService, stubCall } from './generated-call.js';
import { type NamedTensor, tensorFromWire, tensorToWire } from './tensors.js';
import type { WireCall } from './wire-call.js';

/** Which model answered, by the names of parley.thrift. */
export interface Provenance {
  readonly prediction_id?: string;
  readonly model?: string;
  readonly version?: string;
  readonly alias_name?: string;
  readonly queue_us?: number;
  readonly compute_us?: number;
  readonly cached?: boolean;
}

export interface PredictRequest {
  readonly model: string;
  /** An alias or a version; `production` when absent. */
  readonly reference?: string;
  /** Equal keys meet the same version while a canary is running. */
  readonly routingKey?: string;
  /** Which outputs to return; all when absent. */
  readonly outputs?: readonly string[];
  readonly inputs: Readonly<Record<string, NamedTensor>>;
}

export interface Prediction {
  readonly outputs: Readonly<Record<string, Required<NamedTensor>>>;
  readonly provenance: Provenance;
}

export interface Ping {
  readonly serverVersion: string;
  /** Models are loaded and the store answers. */
  readonly ready: boolean;
  readonly storeConnected: boolean;
  /** Every service on this port, the typed ones included. */
  readonly services: readonly string[];
}

export interface Description extends Signature {
  readonly model: string;
  readonly version: string;
  readonly modelType: string;
  /** The typed service that the model answers. */
  readonly contractService?: string;
}

/** The truth about an answer. */
export interface Label {
  readonly predictionId?: string;
  /** In place of it: the value of the contract's field with the role `id`. */
  readonly key?: string;
  /** A class as the contract spells it, or a number. */
  readonly value: string | number;
  readonly observedAt?: Date;
  readonly annotator?: string;
}

export interface RecordedLabels {
  /** Newly stored. */
  readonly recorded: number;
  readonly rejected: readonly Problem[];
}

/** Whether a caller's contract and the server's can talk. */
export interface ContractAnswer {
  readonly idl: string;
  readonly fingerprint: string;
  /** Undefined: the server does not compare. */
  readonly compatible: boolean | undefined;
  readonly differences: readonly { readonly path: string; readonly message: string; readonly breaking: boolean }[];
}

interface Call {
  readonly Client: unknown;
  readonly service: string;
  readonly method: string;
}

const known = new Map<unknown, StubService>();

function genericCall<Response, T>(
  { Client, service, method }: Call,
  request: object,
  answer: (response: Response) => T,
) {
  let stubs = known.get(Client);
  if (stubs === undefined) known.set(Client, (stubs = readStubs(Client as ClientClass)));
  const found = stubs.methods.find(({ name }) => name === method)!,
    call = stubCall<Response>(stubs, found, [present(request)], { service, idempotent: true });
  return { ...call, decode: (reply: Buffer) => answer(call.decode(reply)) } satisfies WireCall<T>;
}

export const pingCall = (): WireCall<Ping> =>
  genericCall(
    { Client: operations.Client, service: 'Operations', method: 'ping' },
    {},
    (response: Wire<types.PingResponse>) => ({
      serverVersion: response.server_version ?? '',
      ready: response.ready === true,
      storeConnected: response.store_connected === true,
      services: [...(response.services ?? [])],
    }),
  );

/** @throws ParleyError INVALID_INPUT for tensors whose shape and data do not fit */
export function predictCall(request: PredictRequest): WireCall<Prediction> {
  const inputs = Object.entries(request.inputs ?? {});
  if (inputs.length === 0)
    throw invalidInput('predict: there are no inputs; give { inputs: { name: { data, shape } } }');
  return genericCall(
    { Client: prediction.Client, service: 'Prediction', method: 'predict' },
    {
      model: request.model,
      reference: request.reference,
      routing_key: request.routingKey,
      outputs: request.outputs,
      inputs: inputs.map(([name, tensor]) => tensorToWire(name, tensor)),
    },
    (response: Wire<types.PredictResponse>) => ({
      outputs: Object.fromEntries((response.outputs ?? []).map((tensor) => tensorFromWire(tensor))),
      provenance: present({ ...(response.provenance ?? {}) }) as Provenance,
    }),
  );
}

export const describeCall = (model: string, reference: string | undefined): WireCall<Description> =>
  genericCall(
    { Client: prediction.Client, service: 'Prediction', method: 'describe' },
    { model, reference },
    (response: Wire<types.DescribeResponse>) => ({
      model: response.model ?? model,
      version: response.version ?? '',
      modelType: response.model_type ?? '',
      inputs: specsFromWire(response.inputs),
      outputs: specsFromWire(response.outputs),
      ...(response.contract_service ? { contractService: response.contract_service } : {}),
    }),
  );

/** Asks whether a contract can talk to the server. */
export const contractCall = (contract: {
  readonly idl: string;
  readonly includes: Readonly<Record<string, string>>;
}): WireCall<ContractAnswer> =>
  genericCall(
    { Client: operations.Client, service: 'Operations', method: 'contract' },
    { idl: contract.idl, includes: Object.keys(contract.includes).length > 0 ? contract.includes : undefined },
    (response: Wire<types.ContractResponse>) => ({
      idl: response.idl ?? '',
      fingerprint: response.fingerprint ?? '',
      compatible: response.compatible ?? undefined,
      differences: (response.differences ?? []).map(({ path, message, breaking }) => ({
        path: path ?? '',
        message: message ?? '',
        breaking: breaking === true,
      })),
    }),
  );

/** Repeats of a label are not counted twice, so that it may be asked again. */
export const recordLabelsCall = (model: string, labels: readonly Label[]): WireCall<RecordedLabels> =>
  genericCall(
    { Client: feedback.Client, service: 'Feedback', method: 'record_labels' },
    {
      model,
      labels: labels.map(({ predictionId, key, value, observedAt, annotator }) =>
        present({
          prediction_id: predictionId,
          key,
          value: String(value),
          observed_at: observedAt && wireInt(observedAt.getTime() * 1000),
          annotator,
        }),
      ),
    },
    (response: Wire<types.RecordLabelsResponse>) => ({
      recorded: response.recorded ?? 0,
      rejected: (response.rejected ?? []).map((problem) => ({
        path: problem.path ?? '',
        message: problem.message ?? '',
        ...(problem.got ? { got: problem.got } : {}),
      })),
    }),
  );
