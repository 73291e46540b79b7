import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { skip } from '../skip.js';
import { type Command, clientConformance } from './conformance.js';
import { PROJECT, ROOT } from './server.js';
import { DEBIAN_COMPILER, makeStubs, run } from './toolchain.js';

const COMPILER = ['g++', '-std=c++17', '-O0', '-Wall'];
/** At once: each takes half a gigabyte. */
const COMPILERS = 2;

/** What the library's headers include; without them, why. */
function lackOf(): string | undefined {
  if (run('g++', ['--version']).status !== 0) return 'there is no g++';
  const { status, output } = run('g++', ['-x', 'c++', '-fsyntax-only', '-include', 'thrift/Thrift.h', '/dev/null']);
  if (status !== 0) return `the library cannot be used (Debian: libthrift-dev, libboost-dev): ${output.split('\n')[0]}`;
  return undefined;
}

/** Compiles each stub once; the two programs share them. */
async function objectsOf(stubs: string, folder: string): Promise<string[]> {
  const sources = readdirSync(stubs).filter((name) => name.endsWith('.cpp'));
  const objectOf = (name: string) => join(folder, `${name}.o`);
  const waiting = [...sources];
  const work = async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop())
      await compile('-c', join(stubs, name), '-o', objectOf(name));
  };
  await Promise.all(Array.from({ length: COMPILERS }, work));
  return sources.map(objectOf);
}

const compile = (...args: string[]) => promisify(execFile)(COMPILER[0] as string, [...COMPILER.slice(1), ...args]);

clientConformance('C++', async (context, folder) => {
  const lack = lackOf();
  if (lack !== undefined) skip(context, lack);
  const stubs = makeStubs(context, 'cpp', DEBIAN_COMPILER);
  const objects = await objectsOf(stubs, folder);
  const build = async (source: string): Promise<Command> => {
    const program = join(folder, basename(source, '.cpp'));
    await compile('-I', stubs, '-o', program, source, ...objects, '-lthrift');
    return [program];
  };
  return {
    client: await build(join(PROJECT, 'clients/cpp/client.cpp')),
    probe: await build(join(ROOT, 'test/clients/cpp/probe.cpp')),
  };
});
