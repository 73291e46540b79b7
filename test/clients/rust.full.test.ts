import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { skip } from '../skip.js';
import { clientConformance } from './conformance.js';
import { PROJECT, ROOT } from './server.js';
import { CARGO, found, makeStubs, must, run } from './toolchain.js';

const CLIENT = join(PROJECT, 'clients/rust');

/** Cargo, once it has the crates. */
function cargoCommand(context: Mocha.Context): string {
  const cargo = found(CARGO, ['--version']);
  if (cargo === undefined) skip(context, 'Cargo is not installed');
  const fetched = run(cargo, ['fetch', '--locked'], { cwd: CLIENT });
  if (fetched.status !== 0)
    skip(context, `${run(cargo, ['--version']).output.trim()} cannot get the crates: ${fetched.output.trim()}`);
  return cargo;
}

clientConformance('Rust', (context, folder) => {
  makeStubs(context, 'rust');
  const cargo = cargoCommand(context);
  // The probe is built as a second program of a copy of the client's package, whose stubs it uses.
  const copy = join(folder, 'client');
  cpSync(CLIENT, copy, { recursive: true, filter: (path) => path !== join(CLIENT, 'target') });
  cpSync(join(ROOT, 'test/clients/rust/probe.rs'), join(copy, 'src/bin/probe.rs'));
  must(cargo, ['build', '--locked', '--quiet', '--bins'], { cwd: copy });
  const program = (name: string) => [join(copy, 'target/debug', name)] as const;
  return { client: program('client'), probe: program('probe') };
});
