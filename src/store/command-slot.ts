/** Which slot of a cluster a command belongs to, found out from the command itself. */
import { Redis, Command as RedisCommand } from 'ioredis';
import { internal } from '../errors.js';
import type { Command } from './link.js';
import { defineScripts } from './scripts.js';

/** Asks commands for their keys by a client that sends nothing. */
export class CommandSlots {
  private readonly probe = new Probe({ lazyConnect: true, protocol: 2, replyMapping: 'legacy' });
  private readonly client = defineScripts(this.probe);

  /** @returns undefined for a command without keys @throws INTERNAL for keys of several slots: no node has them all */
  of(command: Command<unknown>): number | undefined {
    const { slots } = this.probe;
    slots.clear();
    void command(this.client);
    if (slots.size > 1) throw internal('one command, or one pipeline, names keys of several models');
    return [...slots][0];
  }

  ofKey(key: string): number {
    return new RedisCommand('get', [key]).getSlot();
  }
}

class Probe extends Redis {
  readonly slots = new Set<number>();

  override sendCommand(command: RedisCommand): Promise<unknown> {
    // Null for a command without keys, whatever its type says.
    const slot: number | null = command.getSlot();
    if (slot !== null) this.slots.add(slot);
    return new Promise(() => {});
  }
}
