/** What the clients and the probes print, whatever the language: stubs differ in how they show enums and what is absent. */
import { expect } from 'chai';

type Absent<T> = { readonly [K in keyof T]?: T[K] | null };

/** A line that a client prints with `--rows`. */
export interface ClientLine {
  readonly label?: string;
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly version?: string;
  readonly prediction_id?: string;
  readonly error?: { readonly code: string; readonly problems: readonly { path: string; message: string }[] };
}

interface Provenance {
  readonly prediction_id: string;
  readonly model: string;
  readonly version: string;
  readonly alias_name: string;
}

export interface Identified {
  readonly species: number | string;
  readonly confidence: number;
  readonly probability: Readonly<Record<string, number>>;
  readonly provenance: Provenance;
}

type Entry = Absent<{
  sequence: number;
  at: number;
  action: string;
  alias_name: string;
  version: string;
  reason: string;
}>;

interface Refusal {
  readonly typed: boolean;
  readonly code: number | string;
  readonly message: string;
  readonly retryable: boolean;
  readonly problems: readonly { path: string; message: string; got: string }[] | null;
  readonly request_id: string | null;
}

interface Ping {
  readonly server_version: string;
  readonly ready: boolean;
  readonly store_connected: boolean;
  readonly services: readonly string[];
}

interface Spec {
  readonly name: string;
  readonly data_type: number | string;
  readonly shape: readonly number[];
}

interface Tensor extends Spec {
  readonly strings?: readonly string[] | null;
  /** Base64. */
  readonly data?: string | null;
}

/** The object that a probe prints. */
export interface Probe {
  readonly many: readonly Identified[];
  /** Of two rows, the second with a bill of 4650 mm. */
  readonly refused: Refusal;
  /** Of a description of "walruses". */
  readonly not_found: Refusal;
  readonly unknown: { readonly type: number; readonly message: string; readonly name: string; readonly after: Ping };
  readonly described: { readonly inputs: readonly Spec[]; readonly outputs: readonly Spec[]; readonly version: string };
  readonly predicted: { readonly provenance: Provenance; readonly outputs: readonly Tensor[] };
  readonly versions: {
    readonly versions: readonly {
      readonly model: string;
      readonly version: string;
      readonly model_type: string;
      readonly size_bytes: number;
      readonly published_at: number;
      readonly metrics: Readonly<Record<string, number>>;
      readonly accepted: boolean;
      readonly aliases: readonly string[];
    }[];
  };
  readonly history: { readonly entries: readonly Entry[] };
  readonly ping: Ping;
  readonly contract: { readonly idl: string; readonly fingerprint: string };
  /** Of a graph that the probe publishes. */
  readonly registry: {
    readonly begun: { readonly upload_id: string; readonly part_bytes: number };
    readonly part: { readonly received_bytes: number };
    readonly published: { readonly version: Readonly<Record<string, unknown>> & { readonly version: string } };
    readonly promoted: { readonly entry: Entry };
    readonly held: { readonly entry: Entry };
    readonly aliases: { readonly aliases: readonly Readonly<Record<string, unknown>>[] };
    /** Of a promotion while it is held. */
    readonly conflict: Refusal;
    readonly released: { readonly entry: Entry };
    readonly predicted: { readonly provenance: Provenance; readonly outputs: readonly Tensor[] };
    readonly pruned: { readonly removed?: readonly unknown[] | null };
    readonly history: { readonly entries: readonly Entry[] };
  };
  /** Of a list of runs. */
  readonly no_runs: Refusal;
  /** Of labels that were to be recorded. */
  readonly no_labels: Refusal;
}

const SPECIES = ['UNSPECIFIED', 'ADELIE', 'CHINSTRAP', 'GENTOO'];
/** Of the contract, by the names that stubs know. */
const LABELS: Readonly<Record<string, string>> = { ADELIE: 'Adelie', CHINSTRAP: 'Chinstrap', GENTOO: 'Gentoo' };

/** A species as the contract's label, from the number or the name that stubs give. */
export const labelOf = (species: number | string): string =>
  LABELS[SPECIES[Number(species)] ?? species] ?? `no species: ${species}`;

export const labelled = (probability: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(probability).map(([species, value]) => [labelOf(species), value]));

export function expectClose(
  actual: Readonly<Record<string, number>>,
  wanted: Readonly<Record<string, number>>,
  what: string,
): void {
  expect(Object.keys(actual).sort(), what).to.deep.equal(Object.keys(wanted).sort());
  for (const [name, value] of Object.entries(wanted))
    expect(actual[name], `${what}, ${name}`).to.be.closeTo(value, 1e-5);
}

export const likeliest = (probabilities: Readonly<Record<string, number>>): string =>
  Object.entries(probabilities).reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
