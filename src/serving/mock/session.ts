/** What stands for a graph's session where there is no graph yet. */
import { OUTPUT_NAMES } from '../../contract/bind-outputs.js';
import type { Signature, TensorData, TensorSpec } from '../../model/tensor.js';
import {
  type Feeds,
  type Fetches,
  type Results,
  type RunnableSession,
  runOnce,
  runtimeTensor,
} from '../../onnx/session.js';
import { type MockAnswer, mockAnswer } from './answers.js';

/** The outputs that it knows, by the names that binding looks for. */
export const MOCK_OUTPUTS = {
  label: OUTPUT_NAMES.label[0],
  probabilities: OUTPUT_NAMES.probabilities[0],
  value: OUTPUT_NAMES.value[0],
  interval_low: 'interval_low',
  interval_high: 'interval_high',
} as const;

export class MockSession implements RunnableSession {
  readonly synchronous = true;

  /** @param classes in the order of the probabilities' columns; empty for a regression */
  constructor(
    readonly signature: Signature,
    private readonly classes: readonly string[],
    private readonly seed: number,
  ) {}

  run(feeds: Feeds, fetches: Fetches, done: (error: unknown, results: Results | undefined) => void): void {
    let results: Results;
    try {
      results = this.#answer(feeds, fetches);
    } catch (error) {
      done(error, undefined);
      return;
    }
    done(undefined, results);
  }

  runOnce(feeds: Feeds, fetches?: readonly string[]): Promise<Results> {
    return runOnce(this, feeds, fetches);
  }

  release(): void {}

  #answer(feeds: Feeds, fetches: Fetches): Results {
    const inputs = this.signature.inputs.map(({ name }) => feeds[name]!);
    const rows = inputs[0]!.dims[0]!;
    const columns = inputs.map(({ data }) => data as TensorData);
    const answers = Array.from({ length: rows }, (_, row) =>
      mockAnswer(
        columns.map((values) => partOf(values, row, rows)),
        this.classes.length,
        this.seed,
      ),
    );
    const wanted = this.signature.outputs.filter(({ name }) => Object.hasOwn(fetches, name));
    return Object.fromEntries(wanted.map((output) => [output.name, this.#tensorOf(output, answers)]));
  }

  #tensorOf({ name, shape }: TensorSpec, answers: readonly MockAnswer[]): Results[string] {
    const rows = answers.length,
      rowShape = shape.slice(1);
    if (name === MOCK_OUTPUTS.label)
      return runtimeTensor(
        'string',
        answers.map(({ best }) => this.classes[best]!),
        [rows],
      );
    const width = rowShape.reduce((a, b) => a * b, 1);
    const data = Float64Array.from(answers.flatMap((answer) => numbersOf(answer, name, width)));
    return runtimeTensor('float64', data, [rows, ...rowShape]);
  }
}

function numbersOf(answer: MockAnswer, name: string, width: number): readonly number[] {
  if (name === MOCK_OUTPUTS.probabilities) return answer.probabilities;
  const [low, value, high] = answer.values(width);
  return name === MOCK_OUTPUTS.interval_low ? low : name === MOCK_OUTPUTS.interval_high ? high : value;
}

function partOf(values: TensorData, row: number, rows: number): TensorData {
  const width = values.length / rows;
  return values.slice(row * width, (row + 1) * width) as TensorData;
}
