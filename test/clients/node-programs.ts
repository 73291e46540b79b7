import { join } from 'node:path';
import type { ClientPrograms } from './conformance.js';
import { PROJECT, ROOT } from './server.js';
import { makeStubs } from './toolchain.js';

export function nodePrograms(context: Mocha.Context): ClientPrograms {
  const stubs = makeStubs(context, 'node');
  return {
    client: [process.execPath, join(PROJECT, 'clients/node/client.mjs')],
    probe: [process.execPath, join(ROOT, 'test/clients/node/probe.mjs'), stubs],
  };
}
