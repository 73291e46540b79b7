/** The user's Thrift compiler: where it is, how old it is, and what it says. */
import { spawnSync } from 'node:child_process';
import { dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasErrno, invalidInput, notFound, unsupported } from '../../errors.js';

/** What Parley is tested with. */
export const TESTED = '0.24';
/** What older ones write does not fit what the packages say. */
const OLDEST_MINOR = 17;

export interface Compiler {
  readonly path: string;
  /** `0.24.0` */
  readonly version: string;
  /** Worth a warning. */
  readonly warning?: string;
}

const INSTALL =
  'install Apache Thrift 0.24 (Debian, Ubuntu: apt-get install thrift-compiler; Fedora: dnf install thrift; macOS: brew install thrift; or https://thrift.apache.org/download), or name one with --thrift PATH';

/** @throws ParleyError NOT_FOUND, UNSUPPORTED where it is too old, INVALID_INPUT where it is something else */
export function findCompiler(path = 'thrift'): Compiler {
  const { stdout, stderr, error } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  if (error !== undefined)
    throw hasErrno(error, 'ENOENT') || hasErrno(error, 'EACCES')
      ? notFound(`there is no Thrift compiler "${path}"${isAbsolute(path) ? '' : ' on the PATH'}; ${INSTALL}`, {
          cause: error,
        })
      : invalidInput(`"${path} --version" does not run: ${error.message}`, { cause: error });
  const version = /Thrift version (\d+\.\d+\.\d+\S*)/.exec(`${stdout}${stderr}`)?.[1];
  if (version === undefined)
    throw invalidInput(
      `"${path}" is no Thrift compiler: "${path} --version" says "${firstLine(stdout || stderr)}"; ${INSTALL}`,
    );
  const [major, minor] = version.split('.').map(Number) as [number, number];
  if (major === 0 && minor < OLDEST_MINOR)
    throw unsupported(`"${path}" is Thrift ${version}, and 0.${OLDEST_MINOR} is the oldest that works; ${INSTALL}`);
  if (version.startsWith(`${TESTED}.`)) return { path, version };
  const age = major === 0 && minor < 24 ? 'older than' : 'newer than';
  return {
    path,
    version,
    warning: `"${path}" is Thrift ${version}, ${age} ${TESTED}, which Parley is tested with; stubs and library must be of one version`,
  };
}

/** The folder of parley.thrift. */
const IDL = fileURLToPath(new URL('../../../idl', import.meta.url));

/** @throws ParleyError INVALID_INPUT with what the compiler says of the file */
export function compile({ path }: Compiler, generator: string, file: string, out: string): void {
  const args = ['-r', '-I', IDL, '-I', dirname(resolve(file)), '--gen', generator, '-out', out, file];
  const { status, stdout, stderr, error } = spawnSync(path, args, { encoding: 'utf8', timeout: 120_000 });
  if (status === 0) return;
  const said = `${stderr}${stdout}`.trim() || (error?.message ?? `it ended with ${status}`);
  throw invalidInput(
    `the Thrift compiler does not make ${generator.split(':')[0]} of ${file}: ${said.slice(0, 2_000)}`,
  );
}

const firstLine = (text: string): string => text.trim().split('\n')[0]!.slice(0, 80);
