/**
 * Pipeline step: a graph whose names are its maker's gets those that the contract's binding goes by. What is stored then
 * binds by name, and the contract knows nothing of graphs. Pure.
 */
import { OUTPUT_NAMES } from '../../contract/bind-outputs.js';
import type { ContractService } from '../../contract/contract.js';
import { didYouMean } from '../../contract/nearest.js';
import { invalidInput } from '../../errors.js';
import type { Artifact } from '../../model/trained.js';
import { readGraph } from '../../onnx/reader.js';
import { renameValues } from '../../onnx/rename.js';

type Metadata = Artifact['metadata'];

/** Role of an answer's field -> what the binding calls the output that makes it. */
const ROLES: Readonly<Record<string, string>> = {
  label: OUTPUT_NAMES.label[0],
  probability: OUTPUT_NAMES.probabilities[0],
  value: OUTPUT_NAMES.value[0],
  interval_low: OUTPUT_NAMES.interval_low[0],
  interval_high: OUTPUT_NAMES.interval_high[0],
};

export interface NamedGraph {
  readonly bytes: Uint8Array;
  /** What is left to say of the model. */
  readonly told: Metadata;
  /** What inputs and outputs were called -> what they are called now. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** Whether what is told says what a graph's values are called. */
export const saysNames = ({ map, map_output }: Metadata): boolean => map !== undefined || map_output !== undefined;

/**
 * @param metadata `map`: field -> input, `map_output`: role -> output; the rest is handed on
 * @throws ParleyError INVALID_INPUT for a field, role, input or output that there is not
 */
export function namedByContract(
  bytes: Uint8Array,
  metadata: Metadata,
  service: ContractService | undefined,
): NamedGraph {
  const { map, map_output, ...told } = metadata;
  if (!saysNames(metadata)) return { bytes, told, renamed: new Map() };
  if (service === undefined)
    throw invalidInput('a map of names needs a contract whose names they are; name its service, with --contract');
  const { inputs, outputs } = readGraph(bytes);
  const fields = service.methods.flatMap(({ request }) => request.fields.map(({ name }) => name));
  const renamed = new Map([
    ...renames('map', map, { service, wanted: fields, known: inputs.map(({ name }) => name) }),
    ...renames('map_output', map_output, {
      service,
      wanted: Object.keys(ROLES),
      known: outputs.map(({ name }) => name),
    }).map(([output, role]) => [output, ROLES[role]!] as const),
  ]);
  return { bytes: renameValues(bytes, renamed), told, renamed };
}

interface Sides {
  readonly service: ContractService;
  /** Fields or roles. */
  readonly wanted: readonly string[];
  /** Inputs or outputs of the graph. */
  readonly known: readonly string[];
}

/** Each pair as the graph's name and what it becomes. */
function renames(what: string, map: unknown, { service, wanted, known }: Sides): (readonly [string, string])[] {
  const pairs = pairsOf(map, what).map(([to, from]) => [from, to] as const);
  for (const [index, [from, to]] of pairs.entries()) {
    if (!wanted.includes(to)) throw invalidInput(unknown(`${what}: ${service.name} has no`, to, wanted));
    if (!known.includes(from)) throw invalidInput(unknown(`${what}: the graph has no`, from, known));
    if (pairs.findIndex(([other]) => other === from) < index)
      throw invalidInput(`${what}: "${from}" is mapped twice; map it once`);
  }
  return pairs;
}

const unknown = (what: string, name: string, known: readonly string[]): string =>
  `${what} "${name}"${didYouMean(name, known)}; it has ${[...new Set(known)].join(', ')}`;

function pairsOf(map: unknown, what: string): readonly (readonly [string, string])[] {
  if (map === undefined) return [];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw invalidInput(`${what} must be an object`);
  return Object.entries(map).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'string' || value === '')
      throw invalidInput(`${what}: "${name}" must be mapped to a name of the graph's`);
    return [name, value];
  });
}
