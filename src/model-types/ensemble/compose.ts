/**
 * Whether versions can answer together, and how: what an ensemble of them takes and gives, and from where. Pure.
 *
 * Classifiers must have the same classes, in any order; all others the same outputs, all of them numbers. A member may do
 * without some of the inputs that others take.
 */
import { invalidInput } from '../../errors.js';
import type { TensorSpec } from '../../model/tensor.js';
import type { Artifact } from '../../model/trained.js';
import type { Version } from '../../model/version.js';
import { FLOATS, outputOf } from '../graph-checks.js';
import { TENSOR } from '../tensor/runtime.js';
import { ENSEMBLE } from './runtime.js';
import type { EnsembleMetadata } from './schema.js';

export interface Member extends Pick<Artifact, 'modelType' | 'signature' | 'metadata'> {
  readonly version: Version;
}

export interface WeightedMember extends Member {
  readonly weight: number;
}

/** One output of an ensemble, and where each member has what goes into it. */
export interface CombinedOutput {
  readonly spec: TensorSpec;
  /** `label` is decided from the output `probabilities`; the others are numbers that are combined. */
  readonly role: 'label' | 'probabilities' | 'number';
  /** The members' outputs, by name, in the members' order: numbers, or labels that vote. */
  readonly from: readonly string[];
}

export interface Composition {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly CombinedOutput[];
  readonly told: Pick<EnsembleMetadata, 'classes' | 'positive' | 'threshold' | 'target' | 'unit'>;
}

/**
 * @param members in any order
 * @returns the artifact, the same for the same members and weights
 * @throws ParleyError INVALID_INPUT naming the member that does not fit
 */
export function composeEnsemble(members: readonly WeightedMember[], combine: EnsembleMetadata['combine']): Artifact {
  const ordered = [...members].sort((a, b) => (a.version < b.version ? -1 : 1));
  const { inputs, outputs, told } = composition(ordered, combine);
  return {
    modelType: ENSEMBLE,
    graph: new Uint8Array(0),
    signature: { inputs, outputs: outputs.map(({ spec }) => spec) },
    metadata: {
      members: ordered.map(({ version }) => version),
      weights: ordered.map(({ weight }) => weight),
      combine,
      ...told,
    },
  };
}

/** @param members ascending by version, as an ensemble names them */
export function composition(members: readonly Member[], combine: EnsembleMetadata['combine']): Composition {
  const nested = members.find(({ modelType }) => modelType === ENSEMBLE);
  if (nested !== undefined)
    throw invalidInput(`${nameOf(nested)} is an ensemble itself; name its members in its place`);
  const inputs = joinedInputs(members);
  const classifiers = members.filter(({ metadata }) => classesOf(metadata) !== undefined);
  if (classifiers.length === members.length) return ofClasses(members, inputs, combine);
  if (classifiers.length > 0)
    throw invalidInput(
      `${nameOf(classifiers[0]!)} answers classes, and ${nameOf(members.find((each) => !classifiers.includes(each))!)} does not`,
    );
  if (combine === 'vote')
    throw invalidInput(`${nameOf(members[0]!)} answers no classes, so there is nothing to vote on; average instead`);
  return ofNumbers(members, inputs);
}

const nameOf = ({ version, modelType }: Member): string => `member ${version.slice(0, 12)} (${modelType})`;

export function classesOf(metadata: Artifact['metadata']): readonly string[] | undefined {
  return Array.isArray(metadata.classes) ? (metadata.classes as readonly string[]) : undefined;
}

function joinedInputs(members: readonly Member[]): readonly TensorSpec[] {
  const joined = new Map<string, TensorSpec>();
  for (const member of members) {
    if (member.metadata.optional_inputs !== undefined)
      throw invalidInput(`${nameOf(member)} has inputs that a call may leave out, which an ensemble cannot`);
    for (const input of member.signature.inputs) {
      const known = joined.get(input.name);
      joined.set(input.name, known === undefined ? input : agreed(member, 'input', known, input));
    }
  }
  return [...joined.values()];
}

/** What two members say of one input or output; one may leave open what the other fixes. */
function agreed(member: Member, side: 'input' | 'output', known: TensorSpec, found: TensorSpec): TensorSpec {
  const text = ({ dataType, shape }: TensorSpec) => `${dataType} (${shape.join(', ')})`;
  const fits =
    known.dataType === found.dataType &&
    known.shape.length === found.shape.length &&
    known.shape.every((extent, axis) => extent === found.shape[axis] || extent === -1 || found.shape[axis] === -1);
  if (!fits)
    throw invalidInput(
      `${nameOf(member)} has the ${side} "${found.name}" as ${text(found)}, and another member as ${text(known)}`,
    );
  return { ...known, shape: known.shape.map((extent, axis) => Math.max(extent, found.shape[axis]!)) };
}

function ofClasses(
  members: readonly Member[],
  inputs: readonly TensorSpec[],
  combine: EnsembleMetadata['combine'],
): Composition {
  const classes = classesOf(members[0]!.metadata)!;
  for (const member of members) checkSameClasses(member, classes);
  const from = members.map((member) => sourceOf(member, combine));
  const isDouble = combine === 'average' && from.some(({ dataType }) => dataType === 'float64');
  const names = from.map(({ name }) => name);
  return {
    inputs,
    outputs: [
      { role: 'label', spec: { name: 'label', dataType: 'string', shape: [-1] }, from: names },
      {
        role: 'probabilities',
        spec: { name: 'probabilities', dataType: isDouble ? 'float64' : 'float32', shape: [-1, classes.length] },
        from: names,
      },
    ],
    told: {
      classes: [...classes],
      ...shared(members, ['positive']),
      ...(combine === 'average' ? shared(members, ['threshold']) : {}),
    },
  };
}

function checkSameClasses(member: Member, classes: readonly string[]): void {
  const found = classesOf(member.metadata)!;
  if (found.length === classes.length && classes.every((name) => found.includes(name))) return;
  throw invalidInput(
    `${nameOf(member)} answers the classes ${found.join(', ')}, and another member ${classes.join(', ')}`,
  );
}

/** What a classifier's answer is taken from: its probabilities, or the label that it votes for. */
function sourceOf(member: Member, combine: EnsembleMetadata['combine']): TensorSpec {
  if (combine === 'vote') {
    const label = outputOf(member.signature, 'label');
    if (label?.dataType === 'string' || label?.dataType === 'int64') return label;
    throw invalidInput(`${nameOf(member)} answers no label to vote with; average instead`);
  }
  const probabilities = outputOf(member.signature, 'probabilities');
  if (probabilities !== undefined && FLOATS.includes(probabilities.dataType)) return probabilities;
  throw invalidInput(`${nameOf(member)} answers no probabilities to average; let the members vote instead`);
}

function ofNumbers(members: readonly Member[], inputs: readonly TensorSpec[]): Composition {
  const [first] = members as readonly [Member, ...Member[]];
  const outputs = first.signature.outputs.map((output) => {
    const name = meaningOf(first, output);
    const found = members.map((member) => counterpart(member, name));
    const spec = found.reduce((known, each, m) => agreed(members[m]!, 'output', known, { ...each, name: known.name }));
    return { role: 'number' as const, spec: { ...spec, name }, from: found.map((each) => each.name) };
  });
  for (const member of members) {
    const extra = member.signature.outputs.find(
      (each) => !outputs.some(({ spec }) => spec.name === meaningOf(member, each)),
    );
    if (extra !== undefined) throw invalidInput(`${nameOf(member)} alone has the output "${extra.name}"`);
  }
  return { inputs, outputs, told: shared(members, ['target', 'unit']) };
}

/** An ensemble calls a value `value`, whatever its members' exporters call it. */
function meaningOf({ modelType, signature }: Member, output: TensorSpec): string {
  return modelType !== TENSOR && outputOf(signature, 'value') === output ? 'value' : output.name;
}

function counterpart(member: Member, name: string): TensorSpec {
  const found = member.signature.outputs.find((output) => meaningOf(member, output) === name);
  if (found === undefined) throw invalidInput(`${nameOf(member)} has no output "${name}", which another member has`);
  if (FLOATS.includes(found.dataType)) return found;
  throw invalidInput(`${nameOf(member)} has the output "${found.name}" as ${found.dataType}, which has no mean`);
}

/** What all members say alike. */
function shared<Name extends 'positive' | 'threshold' | 'target' | 'unit'>(
  members: readonly Member[],
  names: readonly Name[],
): Partial<Pick<EnsembleMetadata, Name>> {
  const same = names.filter((name) => {
    const said = members[0]!.metadata[name];
    return said !== undefined && members.every(({ metadata }) => metadata[name] === said);
  });
  return Object.fromEntries(same.map((name) => [name, members[0]!.metadata[name]])) as never;
}

/** For each class of the answer, where a member has it. */
export const columnsOf = (member: Member, classes: readonly string[]): readonly number[] => {
  const own = classesOf(member.metadata) ?? [];
  return classes.map((name) => own.indexOf(name));
};
