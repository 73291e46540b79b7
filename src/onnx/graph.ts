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
  type GraphMessage,
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
  /** Values that branches read. */
  private readonly shared = new Set<string>();
  private readonly inputs: ValueInfoMessage[] = [];
  private readonly outputs: ValueInfoMessage[] = [];
  private readonly constants: TensorMessage[] = [];
  private readonly made: MutableNode[] = [];
  private readonly domains = new Set<string>();

  /** Of names inside, so that what the outer graph names later does not take them. */
  private readonly prefix: string;

  /** @param outer the graph that this one is a branch or body of */
  constructor(private readonly outer?: GraphBuilder) {
    this.prefix = outer === undefined ? '' : `${outer.prefix}/branch`;
  }

  input(name: string, dataType: DataType, shape: readonly number[], value?: Tensor): string {
    this.claim(name, 'input');
    this.inputs.push(valueInfo(name, dataType, shape));
    if (value !== undefined) this.constants.push(tensorMessage(name, value));
    return name;
  }

  subgraph(): GraphBuilder {
    return new GraphBuilder(this);
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
    const computed = this.made.some((node) => node.output.includes(source));
    if (computed && source === value && !this.shared.has(value)) this.rename(value, name);
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
    return this.nodes(operator, inputs, 1, attributes, domain)[0]!;
  }

  nodes(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Readonly<Record<string, AttributeValue>> = {},
    domain = '',
  ): string[] {
    if (WRITTEN_OPSETS[domain] === undefined) throw internal(`operator ${operator}: unknown domain "${domain}"`);
    const input = inputs.map((value) => (value === '' ? value : this.resolve(value)));
    const name = this.fresh(operator);
    const output = [name, ...Array.from({ length: outputs - 1 }, () => this.fresh(operator))];
    this.domains.add(domain);
    const attribute = Object.entries(attributes).map(([key, value]) => this.attribute(key, value));
    this.made.push({ name, opType: operator, domain, input, output: [...output], attribute });
    return output;
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
      graph: this.message(),
      metadataProps: Object.keys(metadata)
        .sort()
        .map((key) => ({ key, value: metadata[key] as string })),
    });
  }

  private message(): GraphMessage {
    return {
      name: 'parley',
      node: this.made,
      initializer: this.constants,
      input: this.inputs,
      output: this.outputs,
    };
  }

  private attribute(name: string, value: AttributeValue): AttributeMessage {
    if (typeof value !== 'object' || !('graph' in value)) return attributeMessage(name, value);
    if (!(value.graph instanceof GraphBuilder) || value.graph.outer !== this)
      throw internal(`attribute ${name}: the subgraph was not begun in this graph`);
    for (const domain of value.graph.domains) this.domains.add(domain);
    return { name, type: ATTRIBUTE_TYPES.graph, g: value.graph.message() };
  }

  private claim(name: string, kind: string): void {
    if (name === '') throw internal(`a graph's ${kind} needs a name`);
    if (this.names.has(name)) {
      throw invalidInput(`the graph's ${kind} "${name}" has the name of another value; rename the field "${name}"`);
    }
    this.names.add(name);
  }

  private fresh(hint: string): string {
    let name = `${this.prefix}/${hint}_${this.made.length + this.constants.length}`;
    while (this.isTaken(name)) name += '_';
    this.names.add(name);
    return name;
  }

  /** Names of a branch and of what is around it are one: a branch reads values from outside. */
  private isTaken(name: string): boolean {
    return this.names.has(name) || this.outer?.isTaken(name) === true;
  }

  private resolve(name: string): string {
    if (this.names.has(name)) return this.renamed.get(name) ?? name;
    if (this.outer === undefined) throw internal(`the graph has no value "${name}"`);
    const value = this.outer.resolve(name);
    // It must keep the name that the branch knows it by.
    this.outer.shared.add(value);
    return value;
  }

  private copy(value: string, name: string): void {
    this.domains.add('');
    this.made.push({ name, opType: 'Identity', domain: '', input: [value], output: [name], attribute: [] });
  }

  private rename(value: string, name: string): void {
    for (const node of this.made) {
      for (const names of [node.input, node.output])
        for (let i = 0; i < names.length; i++) if (names[i] === value) names[i] = name;
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

function attributeMessage(name: string, value: Exclude<AttributeValue, { graph: OnnxGraph }>): AttributeMessage {
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
