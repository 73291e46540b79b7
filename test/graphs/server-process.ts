/** `parley serve` in a process of its own, to which graphs are published: that it lives is part of what is tested. */
import { expect } from 'chai';
import { isAlive, Place, type Server } from '../road/parley.js';
import { GraphClient } from './world.js';

export interface ServerProcess {
  readonly place: Place;
  readonly server: Server;
  readonly graphs: GraphClient;
}

/** A server for the tests of a file. The last of them is this one's: it is the process that it was, and logged no defect. */
export function useServerProcess(): () => ServerProcess {
  let world: ServerProcess | undefined;
  before(async () => {
    const place = new Place();
    try {
      const server = await place.serve();
      world = { place, server, graphs: await GraphClient.open(server) };
    } catch (error) {
      await place.leave();
      throw error;
    }
  });
  after(async () => {
    world?.graphs.close();
    await world?.place.leave();
  });
  return () => world!;
}

/** For the end of a suite. */
export async function expectSameProcess({ server, graphs }: ServerProcess): Promise<void> {
  expect(server.running, server.stderr).to.equal(true);
  expect(isAlive(server.child.pid!)).to.equal(true);
  expect(await graphs.client.ping()).to.include({ ready: true, storeConnected: true });
  expect(server.stderr).to.not.match(/INTERNAL|"level":(50|60)/);
}
