/**
 * A Redis Cluster as one connection: to each node a {@link Connection}, of which each command takes its keys' owner's.
 *
 * ioredis has a cluster client of its own. It sends a command again whose reply was lost, and has no connection of which
 * one could say that it made a change; both are wrong for changes (see connection.ts), so only its single client is used.
 */
import { setTimeout } from 'node:timers/promises';
import { ParleyError, shuttingDown } from '../errors.js';
import { type Endpoint, endpointText, nodeAddress, type RedisAddress } from './address.js';
import { CommandSlots } from './command-slot.js';
import { BETWEEN_TRIES_MS, Connection, DEADLINE_MS, queued, replies } from './connection.js';
import type { Ask, Command, Link, LinkEvents, QueueCommand } from './link.js';
import { askedNode, isElsewhere, isLost, isPassing, LostReply, storeError, Unreached } from './redis-errors.js';
import { SlotMap } from './slot-map.js';

/** What a node is waited for before the others are asked whether it still is the one. */
const REACH_MS = 400;
const MAP_DEADLINE_MS = 800;

export class ClusterConnection implements Link {
  private readonly nodes = new Map<string, Connection>();
  private readonly slots = new CommandSlots();
  private readonly readyListeners: (() => void)[] = [];
  private readonly closeListeners: (() => void)[] = [];
  private readonly messageListeners: ((message: string) => void)[] = [];
  private readonly leaving = new Set<Promise<void>>();
  private map: SlotMap | undefined;
  private mapping: Promise<void> | undefined;
  /** The node of commands without keys, a subscription among them. */
  private home: string | undefined;
  private refused = false;
  private closing = false;

  /** @param name of the connections in CLIENT LIST */
  constructor(
    readonly address: RedisAddress,
    private readonly name: string,
    private readonly events: LinkEvents = {},
  ) {}

  get connected(): boolean {
    if (this.closing || this.refused || this.map === undefined) return false;
    const used = [...this.map.primaries.keys()]
      .flatMap((text) => this.nodes.get(text) ?? [])
      .filter(({ used }) => used);
    return used.length > 0 && used.every(({ connected }) => connected);
  }

  onReady(listener: () => void): void {
    this.readyListeners.push(listener);
  }

  onClose(listener: () => void): void {
    this.closeListeners.push(listener);
  }

  onMessage(listener: (message: string) => void): void {
    this.messageListeners.push(listener);
  }

  async open(): Promise<void> {
    await this.refresh();
    await this.ask((redis) => redis.ping());
  }

  async ask<T>(command: Command<T>, how: Ask = {}): Promise<T> {
    const slot = this.slots.of(command);
    const until = performance.now() + (how.deadlineMs ?? DEADLINE_MS);
    let there: string | undefined;
    for (;;) {
      let node: Connection | undefined;
      try {
        node = there === undefined ? await this.nodeOf(slot) : this.node(endpointOf(there));
        const asked = there === undefined ? command : asking(command);
        const reply = await node.attempt(asked, how, until, performance.now() + REACH_MS);
        this.refused = false;
        return reply;
      } catch (error) {
        if (!mayRepeat(error, how) || this.closing || performance.now() >= until) throw this.told(error, node);
        there = askedNode(error);
        if (there === undefined) await this.lookAgain(node);
      }
    }
  }

  async askEach(keys: readonly string[], queue: QueueCommand): Promise<readonly unknown[]> {
    const groups = new Map<string | undefined, string[]>();
    for (const key of keys) {
      const owner = this.map?.ownerOf(this.slots.ofKey(key));
      groups.set(owner, [...(groups.get(owner) ?? []), key]);
    }
    const found = new Map<string, unknown>();
    await Promise.all([...groups].map(([owner, group]) => this.askGroup(owner, group, queue, found)));
    return keys.map((key) => found.get(key));
  }

  async askPrimaries<T>(command: Command<T>): Promise<readonly { node: string; reply: T }[]> {
    if (this.map === undefined) await this.refresh();
    const nodes = [...this.map!.primaries.values()].map((endpoint) => this.node(endpoint));
    return Promise.all(nodes.map(async (node) => ({ node: node.address.text, reply: await node.ask(command) })));
  }

  async close(): Promise<void> {
    this.closing = true;
    await Promise.all([...[...this.nodes.values()].map((node) => node.close()), ...this.leaving]);
  }

  expectEnd(): void {
    for (const node of this.nodes.values()) node.expectEnd();
  }

  /** One pipeline for the keys of one node; where a key has moved, or the node is gone, key by key. */
  private async askGroup(
    owner: string | undefined,
    keys: readonly string[],
    queue: QueueCommand,
    found: Map<string, unknown>,
  ): Promise<void> {
    const node = owner === undefined ? undefined : this.nodes.get(owner);
    try {
      if (node === undefined) throw new LostReply('');
      const now = performance.now();
      const all = await node.attempt(
        (redis) => replies(queued(redis, keys, queue)),
        {},
        now + DEADLINE_MS,
        now + REACH_MS,
      );
      keys.forEach((key, i) => {
        found.set(key, all[i]);
      });
    } catch {
      // Each tells for itself what is wrong.
      const one = async (key: string) => {
        const [reply] = await this.ask((redis) => replies(queued(redis, [key], queue)));
        found.set(key, reply);
      };
      await Promise.all(keys.map(one));
    }
  }

  private async nodeOf(slot: number | undefined): Promise<Connection> {
    if (this.closing) throw shuttingDown(`the store at ${this.address.text} has been closed`);
    if (this.map === undefined) await this.refresh();
    const owner = slot === undefined ? this.homeNode() : this.map?.ownerOf(slot);
    const endpoint = owner === undefined ? undefined : this.map?.primaries.get(owner);
    if (endpoint !== undefined) return this.node(endpoint);
    throw new Error(`CLUSTERDOWN slot ${slot} is served by no node`);
  }

  private homeNode(): string | undefined {
    const there = [...(this.map?.primaries.keys() ?? [])];
    if (this.home !== undefined && there.includes(this.home)) return this.home;
    const before = this.home;
    this.home = there[Math.floor(Math.random() * there.length)];
    // A subscription was at the home before, and is to be made again.
    if (before !== undefined) queueMicrotask(() => this.tell(this.readyListeners));
    return this.home;
  }

  private node(endpoint: Endpoint): Connection {
    const text = endpointText(endpoint);
    const there = this.nodes.get(text);
    if (there !== undefined) return there;
    const node: Connection = new Connection(nodeAddress(this.address, endpoint), this.name, {
      ...this.events,
      isStillPrimary: async () => this.isOwner(text),
    });
    node.onReady(() => this.tell(this.readyListeners));
    node.onClose(() => {
      if (this.nodes.get(text) === node) this.tell(this.closeListeners);
    });
    node.onMessage((message) => {
      for (const listener of this.messageListeners) listener(message);
    });
    this.nodes.set(text, node);
    return node;
  }

  private tell(listeners: readonly (() => void)[]): void {
    if (!this.closing) for (const listener of listeners) listener();
  }

  /** What to do before the next try: the cluster may have made another node the owner. */
  private async lookAgain(node: Connection | undefined): Promise<void> {
    const place = node && placeOf(node);
    if (place !== undefined && place === this.home) this.home = this.another(place);
    await setTimeout(BETWEEN_TRIES_MS);
    // Should nobody answer, the next try tells.
    await this.refresh(node).catch(() => {});
  }

  private another(than: string): string | undefined {
    const others = [...(this.map?.primaries.keys() ?? [])].filter((text) => text !== than);
    const next = others[Math.floor(Math.random() * others.length)];
    if (next !== undefined) queueMicrotask(() => this.tell(this.readyListeners));
    return next ?? than;
  }

  /** Asks the nodes who has which slot, and takes the first answer. @param but one that is not asked, if there are others */
  private refresh(but?: Connection): Promise<void> {
    this.mapping ??= this.askForMap(but).finally(() => {
      this.mapping = undefined;
    });
    return this.mapping;
  }

  private async askForMap(but: Connection | undefined): Promise<void> {
    if (this.closing) throw shuttingDown(`the store at ${this.address.text} has been closed`);
    const all = this.known();
    const others = all.filter((node) => node !== but);
    const asked = others.length > 0 ? others : all;
    try {
      this.learn(await Promise.any(asked.map((node) => mapOf(node))));
    } catch (error) {
      const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
      throw asked[0]!.told(errors[0]);
    }
  }

  /** All nodes that were ever named, those of the address among them. */
  private known(): readonly Connection[] {
    for (const endpoint of this.address.cluster ?? []) this.node(endpoint);
    return [...this.nodes.values()];
  }

  private learn(map: SlotMap): void {
    this.map = map;
    const seeds = new Set((this.address.cluster ?? []).map(endpointText));
    for (const endpoint of map.primaries.values()) this.node(endpoint);
    for (const [text, node] of this.nodes) {
      if (map.primaries.has(text) || seeds.has(text)) continue;
      this.nodes.delete(text);
      const left = node.close().finally(() => this.leaving.delete(left));
      this.leaving.add(left);
    }
  }

  /** Whether most of the primaries hold this one for a primary: a node without replicas may have been deposed. */
  private async isOwner(text: string): Promise<boolean> {
    const primaries = [...(this.map?.primaries.values() ?? [])].map((endpoint) => this.node(endpoint));
    const maps = await Promise.all(primaries.map((node) => mapOf(node).catch(() => undefined)));
    return maps.filter((map) => map?.primaries.has(text)).length > primaries.length / 2;
  }

  private told(error: unknown, node: Connection | undefined): ParleyError {
    const known = node?.told(error) ?? storeError(error, this.address.text);
    if (known.code === 'STORE_UNAVAILABLE') this.refused = true;
    return known;
  }
}

/** A slot is on its way to a node, which answers for the keys that it has already where it is asked so. */
function asking<T>(command: Command<T>): Command<T> {
  return (redis) => {
    redis.asking().catch(() => {});
    return command(redis);
  };
}

function mayRepeat(error: unknown, how: Ask): boolean {
  const wasNotSent = error instanceof Unreached || isPassing(error) || isLeft(error);
  return wasNotSent || isElsewhere(error) || (how.repeat !== false && isLost(error));
}

/** From a node that is no longer of the cluster, whose connection was closed meanwhile. */
function isLeft(error: unknown): boolean {
  return error instanceof ParleyError && error.code === 'SHUTTING_DOWN';
}

async function mapOf(node: Connection): Promise<SlotMap> {
  const until = performance.now() + MAP_DEADLINE_MS;
  const slots = await node.attempt((redis) => redis.cluster('SLOTS'), {}, until);
  const { host, port } = node.address;
  return SlotMap.of(slots, { host: host!, port: port! });
}

const placeOf = ({ address: { host, port } }: Connection): string => endpointText({ host: host!, port: port! });

function endpointOf(text: string): Endpoint {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}
