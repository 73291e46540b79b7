/**
 * An ONNX graph under construction, and its bytes.
 *
 * The same calls in the same order make the same bytes: nothing of time, machine or memory layout is in them. Values
 * inside the graph are named `/Gemm_3`; a Thrift field's name has no slash, so a contract's fields never collide with them.
 */
import { internal, invalidInput } from '../errors.js';
import type { AttributeValue, OnnxGraph } from '../model/onnx-port.js';
import type { DataType, Tensor } from '../model/tensor.js';
import {
  ATTRIBUTE_TYPES,
  type AttributeMessage,
  ELEMENT_TYPES,
  encodeModel,
  type NodeMessage,
  type TensorMessage,
  type ValueInfoMessage,
} from './proto.js';

/** ONNX 1.12's format, older than the runtime needs: every runtime since 1.12 takes the graphs, and no operator that Parley writes is newer. */
const IR_VERSION = 8;

/** The version of each operator set that graphs are written for; a graph imports those that its nodes use. */
export const WRITTEN_OPSETS: Readonly<Record<string, number>> = { '': 17, 'ai.onnx.ml': 3, 'com.microsoft': 1 };

interface MutableNode extends NodeMessage {
  readonly input: string[];
  readonly output: string[];
}

export class GraphBuilder implements OnnxGraph {
  private readonly names = new Set<string>();
  /** Values that took an output's name, by the name that their maker was given. */
  private readonly renamed = new Map<string, string>();
  private readonly inputs: ValueInfoMessage[] = [];
  private readonly outputs: ValueInfoMessage[] = [];
  private readonly constants: TensorMessage[] = [];
  private readonly nodes: MutableNode[] = [];
  private readonly domains = new Set<string>();

  input(name: string, dataType: DataType, shape: readonly number[]): string {
    this.claim(name, 'input');
    this.inputs.push(valueInfo(name, dataType, shape));
    return name;
  }

  /**
   * Names a value as an output. The value takes the output's name at no cost in the runtime, save where it is an input,
   * a constant or an output already: then a node copies it.
   *
   * @throws ParleyError INVALID_INPUT where an input has the same name
   */
  output(name: string, value: string, dataType: DataType, shape: readonly number[]): void {
    const source = this.resolve(value);
    this.claim(name, 'output');
    const computed = this.nodes.some((node) => node.output[0] === source);
    if (computed && source === value) this.rename(value, name);
    else this.copy(source, name);
    this.outputs.push(valueInfo(name, dataType, shape));
  }

  constant(hint: string, tensor: Tensor): string {
    const name = this.fresh(hint);
    this.constants.push(tensorMessage(name, tensor));
    return name;
  }

  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain = '',
  ): string {
    if (WRITTEN_OPSETS[domain] === undefined) throw internal(`operator ${operator}: unknown domain "${domain}"`);
    const input = inputs.map((value) => (value === '' ? value : this.resolve(value)));
    const name = this.fresh(operator);
    this.domains.add(domain);
    this.nodes.push({
      name,
      opType: operator,
      domain,
      input,
      output: [name],
      attribute: Object.entries(attributes).map(([key, value]) => attributeMessage(key, value)),
    });
    return name;
  }

  /**
   * The graph as a ModelProto.
   *
   * @param metadata the model's `metadata_props`, written in the order of their keys
   */
  serialize(metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    if (this.outputs.length === 0) throw internal('a graph needs an output before it is serialized');
    return encodeModel({
      irVersion: IR_VERSION,
      producerName: 'parley',
      opsetImport: Object.entries(WRITTEN_OPSETS)
        .filter(([domain]) => this.domains.has(domain))
        .map(([domain, version]) => ({ domain, version })),
      graph: {
        name: 'parley',
        node: this.nodes,
        initializer: this.constants,
        input: this.inputs,
        output: this.outputs,
      },
      metadataProps: Object.keys(metadata)
        .sort()
        .map((key) => ({ key, value: metadata[key] as string })),
    });
  }

  private claim(name: string, kind: string): void {
    if (name === '') throw internal(`a graph's ${kind} needs a name`);
    if (this.names.has(name)) {
      throw invalidInput(`the graph's ${kind} "${name}" has the name of another value; rename the field "${name}"`);
    }
    this.names.add(name);
  }

  private fresh(hint: string): string {
    let name = `/${hint}_${this.nodes.length + this.constants.length}`;
    while (this.names.has(name)) name += '_';
    this.names.add(name);
    return name;
  }

  private resolve(name: string): string {
    if (!this.names.has(name)) throw internal(`the graph has no value "${name}"`);
    return this.renamed.get(name) ?? name;
  }

  private copy(value: string, name: string): void {
    this.domains.add('');
    this.nodes.push({ name, opType: 'Identity', domain: '', input: [value], output: [name], attribute: [] });
  }

  private rename(value: string, name: string): void {
    for (const node of this.nodes) {
      for (let i = 0; i < node.input.length; i++) if (node.input[i] === value) node.input[i] = name;
      if (node.output[0] === value) node.output[0] = name;
    }
    this.renamed.set(value, name);
  }
}

/** An extent of -1 becomes the symbol `rows` where it is the first, and is left open elsewhere. */
function valueInfo(name: string, dataType: DataType, shape: readonly number[]): ValueInfoMessage {
  const dim = shape.map((extent, axis) => {
    if (extent >= 0) return { dimValue: extent };
    return axis === 0 ? { dimParam: 'rows' } : {};
  });
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[dataType], shape: { dim } } } };
}

function attributeMessage(name: string, value: AttributeValue): AttributeMessage {
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPES.string, s: utf8(value) };
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw internal(`attribute ${name}: ${value} is not an integer; use { float }`);
    return { name, type: ATTRIBUTE_TYPES.int, i: value };
  }
  if ('float' in value) return { name, type: ATTRIBUTE_TYPES.float, f: value.float };
  if ('floats' in value) return { name, type: ATTRIBUTE_TYPES.floats, floats: value.floats };
  if ('ints' in value) return { name, type: ATTRIBUTE_TYPES.ints, ints: value.ints };
  if ('strings' in value) return { name, type: ATTRIBUTE_TYPES.strings, strings: value.strings.map(utf8) };
  return { name, type: ATTRIBUTE_TYPES.tensor, t: tensorMessage('', value.tensor) };
}

function tensorMessage(name: string, tensor: Tensor): TensorMessage {
  const elements = tensor.shape.reduce((product, extent) => product * extent, 1);
  if (elements !== tensor.data.length) {
    throw internal(`constant ${name}: ${tensor.data.length} values for shape (${tensor.shape.join(', ')})`);
  }
  const common = { name, dims: tensor.shape, dataType: ELEMENT_TYPES[tensor.dataType] };
  if (Array.isArray(tensor.data)) return { ...common, stringData: tensor.data.map(utf8) };
  // Every platform that the runtime is built for is little-endian, as raw_data must be. Copied: a constant does not
  // change after it was added.
  const { buffer, byteOffset, byteLength } = tensor.data;
  return { ...common, rawData: new Uint8Array(buffer, byteOffset, byteLength).slice() };
}

const encoder = new TextEncoder();

const utf8 = (text: string): Uint8Array => encoder.encode(text);
