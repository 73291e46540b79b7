import { join } from 'node:path';
import { skip } from '../skip.js';
import { clientConformance } from './conformance.js';
import { PROJECT, ROOT } from './server.js';
import { found, makeStubs, run } from './toolchain.js';

const CLIENT = join(PROJECT, 'clients/python');

/** A virtual environment with the client's requirements. @returns its interpreter */
function virtualEnvironment(context: Mocha.Context, folder: string): string {
  const python = found(['python3', 'python'], ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);
  if (python === undefined) skip(context, 'Python 3.9 or newer is not installed');
  const made = run(python, ['-m', 'venv', folder]);
  if (made.status !== 0) skip(context, `python3 -m venv failed; is python3-venv installed? ${lastLine(made.output)}`);
  const interpreter = join(folder, 'bin/python');
  const installed = run(interpreter, ['-m', 'pip', 'install', '--quiet', '-r', join(CLIENT, 'requirements.txt')]);
  if (installed.status !== 0) skip(context, `pip cannot install the thrift package: ${lastLine(installed.output)}`);
  return interpreter;
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

clientConformance('Python', (context, folder) => {
  const stubs = makeStubs(context, 'python');
  const python = virtualEnvironment(context, join(folder, 'venv'));
  return {
    client: [python, '-B', join(CLIENT, 'client.py')],
    probe: [python, '-B', join(ROOT, 'test/clients/python/probe.py'), stubs],
  };
});
