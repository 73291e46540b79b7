/** Protocol-buffer bytes by hand, to make the ONNX files that no writer of Parley's would make. */

export type Value = number | string | Uint8Array;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** A message of `[field number, value]`: numbers as varints, the rest with its length before it. */
export function message(...fields: readonly (readonly [number, Value])[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [...varint(number * 8), ...varint(value)];
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
    }),
  );
}

/** A ValueInfoProto whose type is given. */
export const value = (name: string, type?: Uint8Array): Uint8Array =>
  type === undefined ? message([1, name]) : message([1, name], [2, type]);

/** A TypeProto of a tensor; an extent is a number, a symbol, or undefined for unknown. */
export function tensorType(elementType: number, shape?: readonly (number | string | undefined)[]): Uint8Array {
  const dimension = (extent: number | string | undefined) => {
    if (extent === undefined) return message();
    return typeof extent === 'number' ? message([1, extent]) : message([2, extent]);
  };
  const dimensions = shape?.map((extent) => [1, dimension(extent)] as const) ?? [];
  const tensor =
    shape === undefined ? message([1, elementType]) : message([1, elementType], [2, message(...dimensions)]);
  return message([1, tensor]);
}

export interface ModelParts {
  readonly input?: Uint8Array;
  readonly output?: Uint8Array;
  readonly operator?: string;
  readonly domain?: string;
  readonly irVersion?: number;
  readonly opsets?: readonly (readonly [string, number])[];
  readonly more?: readonly (readonly [number, Value])[];
}

/** A model of one node from `x` to `y`, both float32 (rows, 2), unless something else is said. */
export function model(parts: ModelParts = {}): Uint8Array {
  const node = message([1, 'x'], [2, 'y'], [4, parts.operator ?? 'Relu'], [7, parts.domain ?? '']);
  const graph = message(
    [1, node],
    [2, 'g'],
    [11, parts.input ?? value('x', tensorType(1, ['rows', 2]))],
    [12, parts.output ?? value('y', tensorType(1, ['rows', 2]))],
  );
  const opsets = (parts.opsets ?? [['', 17]]).map(
    ([domain, version]) => [8, message([1, domain], [2, version])] as const,
  );
  return message([1, parts.irVersion ?? 8], [7, graph], ...opsets, ...(parts.more ?? []));
}
