/**
 * A graph without its ZipMaps.
 *
 * scikit-learn's and LightGBM's exporters end a classifier with a ZipMap, which makes a list of maps of its matrix of
 * probabilities. Maps cannot be served, and the matrix says the same: the output keeps its name and becomes the matrix.
 */

import type { Field } from './fields.js';
import {
  type GraphNode,
  graphFields,
  NODE,
  nodeField,
  nodeOf,
  OUTPUT,
  outputField,
  valueName,
  withGraph,
} from './nodes.js';
import { ELEMENT_TYPES } from './proto.js';

export interface Unzipped {
  readonly graph: Uint8Array;
  /** Names of the columns of the matrix that the last ZipMap named; empty where there was none. */
  readonly classes: readonly string[];
}

/** @throws ParleyError MODEL_BROKEN where the bytes are not a model with one graph */
export function dropZipMaps(model: Uint8Array): Unzipped {
  const fields = graphFields(model),
    zipMaps = fields
      .filter(isNode)
      .map(nodeOf)
      .filter(({ operator }) => operator === 'ZipMap');
  if (zipMaps.length === 0) return { graph: model, classes: [] };
  const byOutput = new Map(zipMaps.map((node) => [node.outputs[0], node]));
  const graph = withGraph(
    model,
    fields.map((field) => {
      const node = isNode(field) ? byOutput.get(nodeOf(field).outputs[0]) : undefined;
      if (node !== undefined) return identity(node);
      const zipped = field.number === OUTPUT ? byOutput.get(valueName(field)) : undefined;
      return zipped === undefined ? field.bytes : matrix(zipped);
    }),
  );
  return { graph, classes: namesOf(zipMaps.at(-1)!) };
}

const isNode = ({ number }: Field): boolean => number === NODE;

/** The classes, in the order of the matrix's columns. */
function namesOf(zipMap: GraphNode): readonly string[] {
  const texts = zipMap.strings('classlabels_strings');
  return texts.length > 0 ? texts : zipMap.integers('classlabels_int64s').map(String);
}

function identity({ inputs, outputs }: GraphNode): Uint8Array {
  return nodeField({
    name: `/unzipped/${outputs[0]}`,
    opType: 'Identity',
    input: inputs,
    output: outputs,
    attribute: [],
  });
}

function matrix(zipMap: GraphNode): Uint8Array {
  const dim = [{ dimParam: 'rows' }, { dimValue: namesOf(zipMap).length }];
  return outputField({
    name: zipMap.outputs[0]!,
    type: { tensorType: { elemType: ELEMENT_TYPES.float32, shape: { dim } } },
  });
}
