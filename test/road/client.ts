/** Calls of the typed service over one connection, as a service's own client makes them. */
import type { ContractService } from '#parley/contract/contract.js';
import { ClientConnection } from '#parley/rpc/client/connection.js';
import { ParleyClient } from '#parley/rpc/client/parley-client.js';
import { callTyped, type PlainAnswer } from '#parley/rpc/client/typed.js';
import { PENGUIN } from './trained.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Identified {
  readonly species: string;
  readonly confidence: number;
  readonly probability: Readonly<Record<string, number>>;
  readonly provenance: { readonly version: string; readonly alias_name?: string };
}

export async function serviceOf(address: Address, name = 'Penguins'): Promise<ContractService> {
  const client = await ParleyClient.connect(address);
  try {
    return (await client.contract(name)).services.find((service) => service.name === name)!;
  } finally {
    client.close();
  }
}

export class Caller {
  private constructor(
    readonly connection: ClientConnection,
    private readonly service: ContractService,
  ) {}

  static async open(address: Address, service?: ContractService): Promise<Caller> {
    return new Caller(await ClientConnection.open(address), service ?? (await serviceOf(address)));
  }

  async identify(row: object = PENGUIN): Promise<Identified> {
    const answers: readonly PlainAnswer[] = await callTyped(this.connection, this.service, [{ ...row }], {
      many: false,
    });
    return answers[0] as unknown as Identified;
  }

  close(): void {
    this.connection.close();
  }
}

/** The numbers of an answer, to the bit. */
export function bitsOf({ species, confidence, probability }: Identified): string {
  const numbers = [
    confidence,
    ...Object.keys(probability)
      .sort()
      .map((name) => probability[name]),
  ];
  return `${species} ${Buffer.from(Float64Array.from(numbers).buffer).toString('hex')}`;
}

/** Calls again and again until it is stopped; keeps when each call was sent and answered, in milliseconds since 1970. */
export class Loop {
  readonly answers: { readonly sentMs: number; readonly receivedMs: number; readonly version: string }[] = [];
  readonly errors: unknown[] = [];
  private stopped = false;
  private readonly running: Promise<void>;

  constructor(private readonly caller: Caller) {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    this.caller.close();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const sentMs = Date.now();
      try {
        const { provenance } = await this.caller.identify();
        this.answers.push({ sentMs, receivedMs: Date.now(), version: provenance.version });
      } catch (error) {
        this.errors.push(error);
        if (this.errors.length >= 20) return;
      }
    }
  }
}
