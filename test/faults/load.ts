/** Callers of a server: one who predicts at a constant pace, and one who promotes. */
import { setTimeout } from 'node:timers/promises';
import prediction from '#gen/Prediction.js';
import types from '#gen/parley_types.js';
import { ParleyError } from '#parley/errors.js';
import { DATA_TYPES } from '#parley/model/tensor.js';
import type { LedgerEntry } from '#parley/model/version.js';
import { type Address, ClientConnection } from '#parley/rpc/client/connection.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { wireInt } from '#parley/rpc/registry-mapping.js';

const ANSWER_MS = 5_000;

export interface Model {
  readonly name: string;
  /** By version, what it answers to the one question: its bias and 3. */
  readonly answers: ReadonlyMap<string, number>;
}

interface Answer {
  readonly outputs: readonly { readonly name: string; readonly data: Buffer }[];
  readonly provenance: { readonly version: string };
}

export class Predictions {
  sent = 0;
  readonly failures: string[] = [];
  private stopping = false;
  private readonly pending = new Set<Promise<void>>();
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly connection: ClientConnection,
    private readonly models: readonly Model[],
  ) {}

  /** @param perSecond 0 to send none but those of {@link versionOf} */
  static async start(address: Address, models: readonly Model[], perSecond: number): Promise<Predictions> {
    const predictions = new Predictions(await ClientConnection.open(address), models);
    if (perSecond > 0) predictions.running = predictions.run(perSecond);
    return predictions;
  }

  /** Every call that was sent has been answered, or has failed. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    await Promise.all(this.pending);
    this.connection.close();
  }

  /** The version that answers for a model now. */
  async versionOf(model: Model): Promise<string> {
    return (await this.ask(model)).provenance.version;
  }

  /** On average at this pace: what a busy machine delays is made up for. */
  private async run(perSecond: number): Promise<void> {
    const begun = performance.now();
    while (!this.stopping) {
      const due = ((performance.now() - begun) * perSecond) / 1_000;
      for (; this.sent < due; this.sent++) this.send(this.models[this.sent % this.models.length]!);
      await setTimeout(1_000 / perSecond);
    }
  }

  private send(model: Model): void {
    const asked: Promise<void> = this.check(model)
      .catch((error: unknown) => void this.failures.push(String(error)))
      .finally(() => this.pending.delete(asked));
    this.pending.add(asked);
  }

  private async check(model: Model): Promise<void> {
    const { outputs, provenance } = await this.ask(model);
    const value = outputs.find(({ name }) => name === 'value')?.data.readFloatLE(0);
    if (value !== model.answers.get(provenance.version))
      throw new Error(`version ${provenance.version} of ${model.name} answered ${value}`);
  }

  private ask(model: Model): Promise<Answer> {
    const inputs = [tensor('a', 1), tensor('b', 2)];
    const request = new types.PredictRequest({ model: model.name, inputs } as never);
    return this.connection.call<Answer>(prediction.Client as never, 'predict', request, ANSWER_MS);
  }
}

/** One promotion after the other, each begun on a beat; a later one waits for one that takes long. */
export class Promotions {
  readonly acknowledged: LedgerEntry[] = [];
  unavailable = 0;
  readonly others: string[] = [];
  /** The longest time in which none succeeded, milliseconds. */
  longestGapMs = 0;
  private lastSuccess = performance.now();
  private stopping = false;
  private running: Promise<void> = Promise.resolve();

  private constructor(
    private readonly client: ParleyClient,
    private readonly model: Model,
  ) {}

  static async start(address: Address, model: Model, everyMs: number): Promise<Promotions> {
    const promotions = new Promotions(await ParleyClient.connect(address), model);
    promotions.running = promotions.run(everyMs);
    return promotions;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    this.client.close();
  }

  private async run(everyMs: number): Promise<void> {
    const versions = [...this.model.answers.keys()];
    for (let turn = 0; !this.stopping; turn++) {
      const beat = setTimeout(everyMs);
      await this.promote(versions[turn % versions.length]!);
      await beat;
    }
  }

  private async promote(version: string): Promise<void> {
    try {
      const request = { model: this.model.name, version, aliasName: 'production' };
      this.acknowledged.push(await this.client.promote(request));
      const now = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, now - this.lastSuccess);
      this.lastSuccess = now;
    } catch (error) {
      if (error instanceof ParleyError && error.code === 'STORE_UNAVAILABLE') this.unavailable++;
      else this.others.push(String(error));
    }
  }
}

function tensor(name: string, value: number): types.Tensor {
  return new types.Tensor({
    name,
    data_type: DATA_TYPES.float64.number,
    shape: [wireInt(1), wireInt(1)],
    data: Buffer.from(Float64Array.of(value).buffer),
  } as never);
}
