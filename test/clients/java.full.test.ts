import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { skip } from '../skip.js';
import { clientConformance } from './conformance.js';
import { PROJECT, ROOT } from './server.js';
import { DEBIAN_COMPILER, makeStubs, must, run } from './toolchain.js';

/** Where Debian has the library (libthrift-java) and what it needs. */
const JARS = ['thrift', 'slf4j-api', 'slf4j-nop'].map((name) => `/usr/share/java/${name}.jar`);

clientConformance('Java', (context, folder) => {
  if (run('javac', ['-version']).status !== 0) skip(context, 'there is no Java compiler');
  const lack = JARS.filter((jar) => !existsSync(jar));
  if (lack.length > 0) skip(context, `${lack.join(', ')} is not there; Debian has it in libthrift-java`);
  const stubs = makeStubs(context, 'java', DEBIAN_COMPILER);
  const classes = join(folder, 'classes'),
    classPath = [classes, ...JARS].join(':');
  mkdirSync(classes);
  const sources = readdirSync(stubs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.java'));
  must('javac', [
    ...['-J-XX:TieredStopAtLevel=1', '-nowarn', '-proc:none', '-encoding', 'UTF-8', '-d', classes, '-cp', classPath],
    ...sources.map((name) => join(stubs, name)),
    join(PROJECT, 'clients/java/Client.java'),
    join(ROOT, 'test/clients/java/Probe.java'),
  ]);
  const program = (name: string) => ['java', '-XX:TieredStopAtLevel=1', '-cp', classPath, name] as const;
  return { client: program('Client'), probe: program('Probe') };
});
