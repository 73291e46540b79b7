import { expect } from 'chai';
import fc from 'fast-check';
import { allocate, type DataType } from '#parley/model/tensor.js';
import { divideSafely } from '#parley/onnx/division.js';
import { GraphBuilder } from '#parley/onnx/graph.js';
import { runtimeTensor, Session } from '#parley/onnx/session.js';
import { Batcher } from '#parley/serving/batcher.js';
import { put } from './calls.js';
import { graphOf, servableOf } from './models.js';

/** By the bits of a number. */
const INTEGERS = {
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
} as const;
type Integer = keyof typeof INTEGERS;

const isSigned = (type: Integer) => type.startsWith('int');
const lowestOf = (type: Integer) => (isSigned(type) ? -(1n << BigInt(INTEGERS[type] - 1)) : 0n);
const wrapped = (type: Integer, value: bigint) =>
  isSigned(type) ? BigInt.asIntN(INTEGERS[type], value) : BigInt.asUintN(INTEGERS[type], value);

/** What the runtime answers of a pair of numbers; Mod has the sign of the divisor, as Python's has. */
function expected(operator: 'Div' | 'Mod', type: Integer, a: bigint, b: bigint, fmod = false): bigint {
  if (operator === 'Div') return wrapped(type, a / b);
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n && !fmod ? rest + b : rest;
}

function tensorOf(type: DataType, values: readonly bigint[], shape = [values.length]) {
  const data = allocate(type, values.length) as BigInt64Array | Int32Array;
  values.forEach((value, i) => {
    data[i] = (data instanceof BigInt64Array || data instanceof BigUint64Array ? value : Number(value)) as never;
  });
  return { dataType: type, data, shape };
}

const feed = (type: DataType, values: readonly bigint[], shape?: number[]) => {
  const { data, shape: dims } = tensorOf(type, values, shape);
  return runtimeTensor(type, data, dims);
};

/** What a graph of `a` and `b` answers once it is made safe. */
class Divided {
  private constructor(private readonly session: Session) {}

  static async by(type: DataType, build: (graph: GraphBuilder) => string, outputType = type): Promise<Divided> {
    const graph = new GraphBuilder();
    for (const name of ['a', 'b']) graph.input(name, type, [-1]);
    graph.output('o', build(graph), outputType, [-1]);
    return new Divided(await Session.load(await divideSafely(graph.serialize())));
  }

  async of(type: DataType, a: readonly bigint[], b: readonly bigint[]): Promise<bigint[]> {
    const { o } = await this.session.runOnce({ a: feed(type, a), b: feed(type, b) });
    return Array.from(o!.data as ArrayLike<bigint | number>, BigInt);
  }

  release(): void {
    this.session.release();
  }
}

describe('a graph that divides whole numbers', () => {
  for (const operator of ['Div', 'Mod'] as const)
    for (const type of Object.keys(INTEGERS) as Integer[])
      it(`answers ${operator} of ${type} for all pairs, the lowest and -1 among them`, async () => {
        const divided = await Divided.by(type, (graph) => graph.node(operator, ['a', 'b']));
        const low = lowestOf(type),
          high = isSigned(type) ? -low - 1n : (1n << BigInt(INTEGERS[type])) - 1n,
          number = fc.oneof(fc.constantFrom(low, wrapped(type, -1n), 1n, high), fc.bigInt(low, high));
        const pair = fc.tuple(
          number,
          number.filter((divisor) => divisor !== 0n),
        );
        const edge: [bigint, bigint] = [low, wrapped(type, -1n)];
        await fc.assert(
          fc.asyncProperty(fc.array(pair, { minLength: 1, maxLength: 50 }), async (made) => {
            const pairs = [edge, ...made];
            const found = await divided.of(
              type,
              pairs.map(([a]) => a),
              pairs.map(([, b]) => b),
            );
            expect(found).to.deep.equal(pairs.map(([a, b]) => expected(operator, type, a, b)));
          }),
          { numRuns: 30 },
        );
        divided.release();
      });

  const LOW = lowestOf('int32');

  it('keeps the sign of a Mod that is to be as in C', async () => {
    const divided = await Divided.by('int32', (graph) => graph.node('Mod', ['a', 'b'], { fmod: 1 }));
    expect(await divided.of('int32', [LOW, -7n, 7n], [-1n, 3n, -3n])).to.deep.equal([0n, -1n, 1n]);
    divided.release();
  });

  it('divides a number by itself', async () => {
    const divided = await Divided.by('int64', (graph) => graph.node('Div', ['a', 'a']));
    expect(await divided.of('int64', [-1n, 5n], [0n, 0n])).to.deep.equal([1n, 1n]);
    divided.release();
  });

  it('refuses to divide by 0, and lives', async () => {
    const divided = await Divided.by('int32', (graph) => graph.node('Div', ['a', 'b']));
    const refused = await divided.of('int32', [1n], [0n]).catch((error: Error) => error.message);
    expect(refused).to.include('Div node');
    divided.release();
  });

  it('finds out the type of what is computed', async () => {
    const cast = (to: number) => (graph: GraphBuilder) => {
      const [a, b] = ['a', 'b'].map((name) => graph.node('Cast', [name], { to })) as [string, string];
      return graph.node('Div', [a, b]);
    };
    const whole = await Divided.by('float64', cast(6), 'int32');
    const inputs = [BigInt(LOW), 9n] as const;
    expect(await whole.of('float64', inputs, [-1n, 2n])).to.deep.equal([LOW, 4n]);
    whole.release();
    const half = await Divided.by('float64', cast(10), 'float16');
    half.release();
  });

  it('keeps the shape that the operands make', async () => {
    const graph = new GraphBuilder();
    graph.input('a', 'int32', []);
    graph.input('b', 'int32', [-1, 1]);
    graph.output('o', graph.node('Div', ['a', 'b']), 'int32', [-1, 1]);
    const session = await Session.load(await divideSafely(graph.serialize()));
    const { o } = await session.runOnce({ a: feed('int32', [LOW], []), b: feed('int32', [-1n, 2n], [2, 1]) });
    expect([o!.dims, Array.from(o!.data as Int32Array)]).to.deep.equal([
      [2, 1],
      [Number(LOW), Number(LOW) / 2],
    ]);
    session.release();
  });

  it('ends no server for what a caller sends', async () => {
    const outputs = [{ name: 'o', dataType: 'int32', shape: [-1, 1] }] as const;
    const made = graphOf(
      { a: 'int32', b: 'int32' },
      (graph) => graph.output('o', graph.node('Div', ['a', graph.node('Sub', ['b', 'a'])]), 'int32', [-1, 1]),
      outputs,
    );
    // The load's own blank rows are divided by 0 here.
    const error = await servableOf(made, new Batcher()).catch((refused: Error) => refused);
    expect(error).to.be.instanceOf(Error).and.have.property('message').that.includes('Div');
    const fine = graphOf(
      { a: 'int32', b: 'int32' },
      (graph) => {
        const one = graph.constant('one', tensorOf('int32', [1n]));
        graph.output('o', graph.node('Div', ['a', graph.node('Add', ['b', one])]), 'int32', [-1, 1]);
      },
      outputs,
    );
    const servable = await servableOf(fine, new Batcher());
    const call = put(servable.plan([0]), [[Number(LOW)], [-2]]);
    await call.settled;
    expect(call.values).to.deep.equal([[Number(LOW)]]);
    servable.release();
  });

  describe('stays as it is, byte for byte, where', () => {
    const kept = async (type: DataType, build: (graph: GraphBuilder) => string) => {
      const graph = new GraphBuilder();
      for (const name of ['a', 'b']) graph.input(name, type, [-1]);
      graph.output('o', build(graph), type, [-1]);
      const bytes = graph.serialize();
      return (await divideSafely(bytes)) === bytes;
    };
    const by = (value: bigint) => (graph: GraphBuilder) =>
      graph.node('Div', ['a', graph.constant('c', tensorOf('int32', [value]))]);

    it('it divides by a constant other than -1', async () => {
      expect(await kept('int32', by(8n))).to.equal(true);
      expect(await kept('int32', by(-1n))).to.equal(false);
    });

    it('it divides numbers that are not whole, or narrow', async () => {
      const divide = (graph: GraphBuilder) => graph.node('Div', ['a', 'b']);
      for (const type of ['float32', 'float16', 'int16', 'uint64'] as const)
        expect(await kept(type, divide), type).to.equal(true);
    });

    it('it divides nothing', async () => {
      expect(await kept('int32', (graph) => graph.node('Add', ['a', 'b']))).to.equal(true);
    });
  });
});
