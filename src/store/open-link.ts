import type { RedisAddress } from './address.js';
import { ClusterConnection } from './cluster.js';
import { Connection } from './connection.js';
import type { Link, LinkEvents } from './link.js';

/** @param name of its connections in CLIENT LIST @returns not yet connected */
export function linkTo(address: RedisAddress, name: string, events: LinkEvents = {}): Link {
  return address.cluster === undefined
    ? new Connection(address, name, events)
    : new ClusterConnection(address, name, events);
}
