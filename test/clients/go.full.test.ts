import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { skip } from '../skip.js';
import { clientConformance } from './conformance.js';
import { PROJECT, ROOT } from './server.js';
import { found, makeStubs, must, run } from './toolchain.js';

const CLIENT = join(PROJECT, 'clients/go');

/** The Go command, once it can build the client: the thrift module asks for a recent Go, and must be downloaded. */
function goCommand(context: Mocha.Context): string {
  const go = found(['go', '/usr/local/go/bin/go'], ['version']);
  if (go === undefined) skip(context, 'Go is not installed');
  const downloaded = run(go, ['mod', 'download'], { cwd: CLIENT });
  if (downloaded.status !== 0)
    skip(context, `${run(go, ['version']).output.trim()} cannot get the thrift module: ${downloaded.output.trim()}`);
  return go;
}

clientConformance('Go', (context, folder) => {
  makeStubs(context, 'go');
  const go = goCommand(context);
  const build = (name: string, ...args: string[]) => {
    must(go, ['build', '-buildvcs=false', '-o', join(folder, name), ...args], { cwd: CLIENT });
    return [join(folder, name)] as const;
  };
  must(go, ['vet', '.'], { cwd: CLIENT });
  // The probe is built as if it stood in the client's module, whose stubs it uses.
  const overlay = join(folder, 'overlay.json');
  const probe = { [join(CLIENT, 'probe/main.go')]: join(ROOT, 'test/clients/go/probe.go') };
  writeFileSync(overlay, JSON.stringify({ Replace: probe }));
  return { client: build('client', '.'), probe: build('probe', '-overlay', overlay, './probe') };
});
