import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { fillStore, type Served, serve } from '../rpc/served.js';
import { sharedRedis } from '../store/redis-server.js';
import { World } from '../store/world.js';

describe("the example's program with parley/client", function () {
  this.timeout(60_000);
  const redis = sharedRedis();
  let world: World, served: Served;
  before(async () => {
    world = new World(redis);
    await fillStore(world.store);
    served = await serve(world.another());
  });
  after(async () => {
    await served.close();
    await world.close();
  });

  it('shows an answer, several, and a refusal with its problems', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      'examples/penguins/clients/parley.mjs',
      `${served.host}:${served.port}`,
    ]);
    expect(stdout).to.match(
      /^identify: Adelie \(0\.\d{4}\)\n(?:identify_many: \w+ \(0\.\d+\)\n){2}refused: INVALID_INPUT, retryable: false\n {2}penguin\.bill_length_mm must be between 20 and 80 mm, got 4650\n$/,
    );
  });
});
