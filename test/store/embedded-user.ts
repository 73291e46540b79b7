/** A process that uses a data folder's Redis; started by the tests, told what to do by messages. */
import { openStore } from '#parley/store/connect.js';
import { MODEL, sha256 } from './world.js';

const store = await openStore({ dataFolder: process.argv[2]! });

process.on('message', async (message: string) => {
  const [verb, content = ''] = message.split(' ');
  const bytes = Buffer.from(content);
  const record = { version: sha256(bytes), modelType: 'tensor', metrics: {} };
  if (verb === 'publish') await store.publishVersion({ actor: 'child', model: MODEL, bytes, record });
  if (verb === 'close') {
    await store.close();
    process.disconnect();
    return;
  }
  process.send!(verb);
});
process.send!('open');
