/** What the parts of a comparison share: both sides, which structs and enums are compared with which, and what was found. */
import type { ContractChange } from './change.js';
import { type ChangeKind, change } from './change-rules.js';
import type { Contract, InputField, OutputField, Position, UnionGroup } from './contract.js';
import { allMethods, type Idl, type IdlField, type IdlService, type IdlType, namesIn } from './idl.js';

/** How methods reach a struct or an enum. */
export type Way = 'sent' | 'answered';

const NO_WAY: ReadonlySet<Way> = new Set();
const BOTH_WAYS: ReadonlySet<Way> = new Set(['sent', 'answered']);

export class Side {
  readonly #ways = new Map<string, Set<Way>>();
  readonly #inputs = new Map<string, InputField>();
  readonly #outputs = new Map<string, OutputField>();
  /** Of a contract only its own: others are there to be extended. */
  readonly services: readonly IdlService[];

  /** @param contract absent where the file is read as Thrift and no more */
  constructor(
    readonly idl: Idl,
    readonly contract?: Contract,
  ) {
    const names = contract?.services.map(({ name }) => name);
    this.services = [...idl.services.values()].filter(({ name }) => names === undefined || names.includes(name));
    for (const service of this.services)
      for (const method of allMethods(idl, service)) {
        for (const argument of method.arguments) this.#reach(argument.type, 'sent');
        for (const type of [method.returns, ...method.throws.map((field) => field.type)]) this.#reach(type, 'answered');
      }
    for (const { request, response } of contract?.services.flatMap((service) => service.methods) ?? []) {
      for (const field of request.fields) this.#inputs.set(keyOf(field.position), field);
      for (const field of response.fields) this.#outputs.set(keyOf(field.position), field);
    }
  }

  ways(name: string): ReadonlySet<Way> {
    return this.#ways.get(name) ?? NO_WAY;
  }

  /** What a struct's field means in the contract's requests, where it is fed a value of its own. */
  input(field: { readonly position: Position }): InputField | undefined {
    return this.#inputs.get(keyOf(field.position));
  }

  output(field: { readonly position: Position }): OutputField | undefined {
    return this.#outputs.get(keyOf(field.position));
  }

  /** The values under a field of a request: itself, or those of the structs that it holds. */
  inputsUnder(field: { readonly position: Position; readonly type: IdlType }): readonly InputField[] {
    const own = this.input(field);
    if (own !== undefined) return [own];
    const seen = new Set<string>();
    const under = (type: IdlType): InputField[] =>
      namesIn(type).flatMap((name) => {
        if (seen.has(name)) return [];
        seen.add(name);
        const fields = this.idl.structs.get(name)?.fields ?? [];
        return fields.flatMap((inner) => this.input(inner) ?? under(inner.type));
      });
    return under(field.type);
  }

  /** The union that a field of a request holds. */
  union({ type, name }: Pick<IdlField, 'type' | 'name'>): UnionGroup | undefined {
    if (type.kind !== 'struct' || this.idl.structs.get(type.name)?.kind !== 'union') return undefined;
    const unions = this.contract?.services.flatMap(({ methods }) =>
      methods.flatMap(({ request }) => request.unions ?? []),
    );
    return unions?.find((union) => union.name === name || union.name.endsWith(`.${name}`));
  }

  has(name: string): boolean {
    return this.idl.structs.has(name) || this.idl.enums.has(name);
  }

  #reach(type: IdlType, way: Way): void {
    for (const name of namesIn(type)) {
      const ways = this.#ways.get(name) ?? new Set();
      if (ways.has(way)) continue;
      this.#ways.set(name, ways.add(way));
      for (const field of this.idl.structs.get(name)?.fields ?? []) this.#reach(field.type, way);
    }
  }
}

const keyOf = ({ file, line, column }: Position) => `${file}:${line}:${column}`;

/** A name of the old side, and what stands in its place on the new one. */
export type Pair = readonly [before: string, after: string];

export class Comparison {
  readonly changes: ContractChange[] = [];
  /** Those still to be compared; grows while types are. */
  readonly pairs: Pair[] = [];
  readonly #known = new Set<string>();

  constructor(
    readonly before: Side,
    readonly after: Side,
  ) {}

  /** Whether both sides are contracts, so that values have a meaning and models are fed them. */
  get ofContracts(): boolean {
    return this.before.contract !== undefined && this.after.contract !== undefined;
  }

  pair(before: string, after: string): void {
    const key = `${before} ${after}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.pairs.push([before, after]);
  }

  isPaired(name: string, side: 'before' | 'after'): boolean {
    return this.pairs.some(([before, after]) => (side === 'before' ? before : after) === name);
  }

  /** The old name is gone and the new one was not there. */
  isRenaming([before, after]: Pair): boolean {
    return before !== after && !this.after.has(before) && !this.before.has(after);
  }

  /** How a pair is reached on either side; in a file that is no contract, what no method reaches may be stored and read. */
  ways([before, after]: Pair): ReadonlySet<Way> {
    const ways = new Set([...this.before.ways(before), ...this.after.ways(after)]);
    return ways.size === 0 && !this.ofContracts ? BOTH_WAYS : ways;
  }

  /** @param ways of what it is about; none: only code can be broken */
  report(
    kind: ChangeKind,
    path: string,
    message: string,
    position: Position,
    ways: ReadonlySet<Way> = BOTH_WAYS,
  ): void {
    const found = change(kind, path, message, position);
    const reached = ways.size > 0;
    const breaks = found.breaks.filter(
      (whom) => whom === 'source' || (reached && (whom === 'callers' || this.ofContracts)),
    );
    const touchesVerdict = found.touchesVerdict && reached && this.ofContracts;
    this.changes.push({ ...found, breaks, touchesVerdict });
  }
}
