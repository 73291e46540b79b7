/** The version that stands for every version of a contract's model before there is one. */
import { bindService } from '../../contract/bind.js';
import { type Contract, type InputField, labelClasses, type OutputField } from '../../contract/contract.js';
import { unsupported } from '../../errors.js';
import type { DataType, Signature, TensorSpec } from '../../model/tensor.js';
import type { Artifact } from '../../model/trained.js';
import { MOCK_OUTPUTS, MockSession } from './session.js';

export const MOCK = 'mock';
/** No model's digest. */
export const MOCK_VERSION = '0'.repeat(64);

/** Of labels that are words or numbers of no closed vocabulary. */
const WORDS = ['first', 'second', 'third'],
  NUMBERS = ['0', '1'];

export interface MockVersion {
  readonly artifact: Artifact;
  readonly session: MockSession;
}

/** @throws ParleyError CONTRACT_MISMATCH where no one graph could answer all of the contract's methods */
export function mockVersion(contract: Contract, seed: number): MockVersion {
  const classes = classesOf(contract);
  const signature: Signature = { inputs: inputsOf(contract), outputs: outputsOf(contract, classes) };
  const metadata = classes.length === 0 ? {} : { classes };
  for (const { name } of contract.services) bindService(contract, name, { modelType: MOCK, signature, metadata });
  return {
    artifact: { modelType: MOCK, graph: new Uint8Array(), signature, metadata },
    session: new MockSession(signature, classes, seed),
  };
}

const methodsOf = ({ services }: Contract) => services.flatMap(({ methods }) => methods);

/** What every method feeds: a graph's inputs are fed by each of them. Lists of any length are checked and fed to nothing. */
function inputsOf(contract: Contract): readonly TensorSpec[] {
  const requests = methodsOf(contract).map(({ request }) => request.fields.filter(isFed));
  const shared = requests[0]!.filter(({ name }) =>
    requests.every((fields) => fields.some((field) => field.name === name)),
  );
  if (shared.length > 0) return shared.map(specOf);
  throw unsupported(
    `${contract.file}: its methods have no field in common that has a fixed size and is fed to a model, so nothing can be answered from; a mock needs one`,
  );
}

const isFed = ({ role, tensor }: InputField): boolean => role === 'feature' && tensor?.shape.includes(-1) !== true;

const specOf = ({ name, type, tensor }: InputField): TensorSpec => ({
  name,
  dataType: elementOf(type, tensor),
  shape: [-1, ...(tensor?.shape ?? [1])],
});

function elementOf(type: InputField['type'], tensor: InputField['tensor']): DataType {
  if (tensor?.encodings !== undefined) return 'uint8';
  if (tensor?.dataType !== undefined) return tensor.dataType;
  return type === 'string' || type === 'enum' ? 'string' : 'float64';
}

function classesOf(contract: Contract): readonly string[] {
  for (const { response } of methodsOf(contract)) {
    const labels = labelClasses(response);
    if (labels.length > 0) return labels;
    const choices = response.fields.find((field) => field.enum !== undefined)?.enum;
    if (choices !== undefined) return choices.members.filter(({ value }) => value !== 0).map(({ label }) => label);
  }
  const label = methodsOf(contract)
    .flatMap(({ response }) => response.fields)
    .find(({ role }) => CLASSIFYING.includes(role));
  if (label === undefined) return [];
  return label.role === 'label' && label.type !== 'string' ? NUMBERS : WORDS;
}

const CLASSIFYING: readonly OutputField['role'][] = ['label', 'probability', 'probability_of_positive', 'confidence'];

function outputsOf(contract: Contract, classes: readonly string[]): readonly TensorSpec[] {
  const { label, probabilities, value, interval_low, interval_high } = MOCK_OUTPUTS;
  if (classes.length > 0)
    return [
      { name: label, dataType: 'string', shape: [-1] },
      { name: probabilities, dataType: 'float64', shape: [-1, classes.length] },
    ];
  const [first] = methodsOf(contract)
    .flatMap(({ response }) => response.fields)
    .filter(({ role }) => role === 'value');
  const shape = [-1, ...(first?.shape ?? [1])];
  return [value, interval_low, interval_high].map((name) => ({ name, dataType: 'float64', shape }));
}
