/** Which node of a cluster has which slot, as a node tells it (CLUSTER SLOTS). */
import { z } from 'zod';
import { type Endpoint, endpointText } from './address.js';

const node = z.tuple([z.union([z.string(), z.null()]), z.number()]).rest(z.unknown());
const reply = z.array(z.tuple([z.number(), z.number(), node]).rest(z.unknown()));

export class SlotMap {
  /** The primaries' places by their text. */
  readonly primaries: ReadonlyMap<string, Endpoint>;

  private constructor(
    private readonly ranges: readonly { from: number; to: number; owner: string }[],
    primaries: ReadonlyMap<string, Endpoint>,
  ) {
    this.primaries = primaries;
  }

  /** @param asked who answered: a node that does not know its own name leaves it out */
  static of(slots: unknown, asked: Endpoint): SlotMap {
    const primaries = new Map<string, Endpoint>();
    const ranges = reply.parse(slots).map(([from, to, [host, port]]) => {
      const endpoint = { host: host ? host : asked.host, port };
      const owner = endpointText(endpoint);
      primaries.set(owner, endpoint);
      return { from, to, owner };
    });
    return new SlotMap(ranges, primaries);
  }

  ownerOf(slot: number): string | undefined {
    return this.ranges.find(({ from, to }) => from <= slot && slot <= to)?.owner;
  }
}
