/** `parley/client`: calls of a Parley server from Node, with generated stubs or from the contract alone. */
import { invalidInput } from '../errors.js';
import type { ContractServices } from './contract-services.js';
import type { ClientOptions, ContractText } from './options.js';
import { Parley } from './parley.js';
import { isStubs, type StubMethods, type Stubs } from './stub-services.js';

export { type ErrorCode, ParleyError, type Problem } from '../errors.js';
export type { DataType, TensorData, TensorSpec } from '../model/tensor.js';
export type {
  Description,
  Label,
  Ping,
  Prediction,
  PredictRequest,
  Provenance,
  RecordedLabels,
} from '../rpc/client/generic-calls.js';
export type { NamedTensor } from '../rpc/client/tensors.js';
export type { PlainAnswer, PlainRow } from '../rpc/client/typed.js';
export type { ClientStats } from './caller.js';
export type { ContractCall, ContractMethods, ContractServices } from './contract-services.js';
export type { CallOptions, ClientOptions, ContractText, RetryOptions, Trace } from './options.js';
export type { StubMethods, Stubs } from './stub-services.js';
export type { Parley };

/** The methods of one service, and the client that makes the calls. */
export type StubClient<Client> = StubMethods<Client> & {
  readonly parley: Parley;
  close(): void;
};

/**
 * Connects to a server.
 *
 * @param address `HOST:PORT`
 * @param stubs what the Thrift compiler wrote for a service: the methods are those of its class
 * @throws ParleyError STORE_UNAVAILABLE when nothing answers there or it cannot be trusted; CONTRACT_MISMATCH where
 *   `negotiate` finds that the two cannot talk; INVALID_INPUT for options
 */
export function connect<Client>(
  address: string,
  stubs: Stubs<Client>,
  options?: ClientOptions,
): Promise<StubClient<Client>>;
/**
 * Connects to a server, with the services of a contract: `client.penguins.identify({ bill_length_mm: 39.1 })`.
 *
 * @typeParam Services what TypeScript knows of them
 */
export function connect<Services = ContractServices>(
  address: string,
  options: ClientOptions & { readonly contract: string | ContractText },
): Promise<Parley & Services>;
/** Connects to a server, for the generic services and for stubs that are named later. */
export function connect(address: string, options?: ClientOptions): Promise<Parley>;
export async function connect(
  address: string,
  second: Stubs<object> | ClientOptions = {},
  third: ClientOptions = {},
): Promise<object> {
  if (!isStubs(second)) return Parley.open(address, second);
  const parley = await Parley.open(address, third);
  try {
    const methods = parley.of(second) as Record<string, unknown>;
    for (const name of ['close', 'parley'])
      if (name in methods)
        throw invalidInput(
          `the service has a method "${name}", which would hide the client's own; write (await connect(address)).of(stubs)`,
        );
    return { ...methods, parley, close: () => parley.close() };
  } catch (error) {
    parley.close();
    throw error;
  }
}
