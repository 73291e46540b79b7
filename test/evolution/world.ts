/** A server in this process that answers many contracts, each with a model that fits it: one service for each. */
import type { Contract, InputField } from '#parley/contract/contract.js';
import { parseContract } from '#parley/contract/parse.js';
import { PRODUCTION } from '#parley/model/version.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { Registry } from '#parley/registry/registry.js';
import type { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { GraphWorld } from '../graphs/world.js';
import { until } from '../store/redis-server.js';

/** The service's name on the server: that of the contract's text, and a number behind it. */
export const servedName = (service: string, number: number): string => `${service}_${number}`;

export class EvolutionWorld {
  private constructor(private readonly world: GraphWorld) {}

  get address(): { readonly host: string; readonly port: number } {
    return this.world.served;
  }

  get client(): ParleyClient {
    return this.world.client;
  }

  /** On the same store, without the server between. */
  get registry(): Registry {
    return new Registry(this.world.world.store, 'ada');
  }

  static async open(): Promise<EvolutionWorld> {
    return new EvolutionWorld(await GraphWorld.open());
  }

  close(): Promise<void> {
    return this.world.close();
  }

  /** Puts a contract in force under its number, with a model in production. */
  async serve(text: string, number: number): Promise<void> {
    const idl = servedText(text, number);
    const contract = parseContract({ file: 'penguins.thrift', idl });
    const { model } = contract;
    await this.client.publishContract({ idl });
    const { version } = await this.world.publish(model, graphOf(contract));
    // What acceptance says is not asked here.
    const { store } = this.world.world;
    await store.moveAlias({ actor: 'ada', model, version, aliasName: PRODUCTION, action: 'promote' });
    const follows = () =>
      this.client.describe(model, PRODUCTION).then(
        () => true,
        () => false,
      );
    await until(`the server to follow ${model}`, follows);
  }
}

/** The text as it is served under a number. */
export const servedText = (text: string, number: number): string =>
  text
    .replace(/service (\w+)/, (_, name: string) => `service ${servedName(name, number)}`)
    .replace('model = "penguins"', `model = "penguins-${number}"`);

/** By what a field is about, whatever it is called: a penguin's scores are the same under each contract. */
const WEIGHTS: readonly (readonly [RegExp, Readonly<Record<string, number>>])[] = [
  [/^bill_length/, { Adelie: -0.2, Chinstrap: 0.2, Gentoo: 0.05 }],
  [/^flipper_length/, { Adelie: -0.05, Chinstrap: -0.02, Gentoo: 0.08 }],
  [/^body_mass/, { Adelie: -0.001, Chinstrap: -0.001, Gentoo: 0.001, Emperor: 0.02 }],
];
const INTERCEPTS: Readonly<Record<string, number>> = { Adelie: 24, Chinstrap: 0, Gentoo: -20, Emperor: -115 };

/** Logistic regression on the contract's numbers; texts are taken and not looked at. */
function graphOf(contract: Contract): Uint8Array {
  const { request, response } = contract.services[0]!.methods[0]!;
  const label = response.fields.find(({ role }) => role === 'label')!;
  const classes = label.enum!.members.filter(({ value }) => value !== 0).map((member) => member.label);
  const graph = new GraphBuilder();
  const features = request.fields.filter(({ role }) => role === 'feature');
  const isText = (field: InputField) => field.type === 'string';
  for (const field of features.filter(isText)) graph.input(field.name, 'string', [-1, 1]);
  const numbers = features.filter((field) => !isText(field));
  const inputs = numbers.map(({ name }) => graph.input(name, 'float32', [-1, 1]));
  const all = graph.node('Concat', inputs, { axis: 1 });
  const weightsOf = ({ name }: InputField) => WEIGHTS.find(([pattern]) => pattern.test(name))?.[1] ?? {};
  // A number that is missing is NaN; one without a weight must not spoil the others.
  const known = graph.node('Where', [graph.node('IsNaN', [all]), graph.constant('none', zero()), all]);
  const [answer, scores] = graph.nodes(
    'LinearClassifier',
    [known],
    2,
    {
      classlabels_strings: { strings: classes },
      coefficients: { floats: classes.flatMap((name) => numbers.map((field) => weightsOf(field)[name] ?? 0)) },
      intercepts: { floats: classes.map((name) => INTERCEPTS[name] ?? 0) },
      multi_class: 0,
      post_transform: 'SOFTMAX',
    },
    'ai.onnx.ml',
  );
  graph.output('label', answer!, 'string', [-1]);
  graph.output('probabilities', scores!, 'float32', [-1, classes.length]);
  return graph.serialize();
}

const zero = () => ({ dataType: 'float32' as const, shape: [1], data: Float32Array.of(0) });
