/** An npm package in CommonJS, with types, that `parley/client` takes. */
import { json, minorOf, readme, type StubLanguage } from './language.js';

export const node: StubLanguage = {
  generator: () => 'js:node,ts,es6',
  sources: () => 'gen',
  files: (making, generated) => {
    const { dashed, contract, compiler } = making,
      service = contract.services[0]!.name;
    const modules = generated.flatMap((path) => (path.endsWith('.js') ? [path.slice(0, -3)] : []));
    const types = modules.filter((name) => name.endsWith('_types')),
      services = modules.filter((name) => !name.endsWith('_types'));
    const call = making
      .example('Node')
      .replace(/^[\s\S]*?createClient\(.*\n/, '')
      .replaceAll('types.', `stubs.${typesOf(contract.file)}.`)
      .replace('new parley.RequestContext({ timeout_ms: 1000 })', '{ timeoutMs: 1000 }');
    const code = `import { connect } from 'parley/client';
import stubs from '${dashed}-stubs';

const client = await connect('localhost:9090', stubs.${service}, { contract: stubs.contract, negotiate: true });
${call}
client.close();`;
    return new Map([
      [
        'package.json',
        json({
          name: `${dashed}-stubs`,
          version: '0.1.0',
          description: `Stubs of contract ${contract.fingerprint.slice(0, 12)} of model ${contract.model}`,
          type: 'commonjs',
          main: 'index.js',
          types: 'index.d.ts',
          files: ['index.js', 'index.d.ts', 'gen'],
          dependencies: { 'node-int64': '^0.4.0', thrift: `~${minorOf(compiler)}.0`, uuid: '>=9' },
        }),
      ],
      [
        'index.js',
        `// What parley/client asks the server about with \`negotiate: true\`.
exports.contract = ${JSON.stringify({ idl: contract.idl, includes: contract.includes }, undefined, 2)};
${[...services, ...types].map((name) => `exports.${name} = require('./gen/${name}.js');`).join('\n')}
`,
      ],
      [
        'index.d.ts',
        `export declare const contract: { readonly idl: string; readonly includes: Readonly<Record<string, string>> };
${[...services, ...types].map((name) => `export * as ${name} from './gen/${name}.js';`).join('\n')}
`,
      ],
      ['README.md', readme(making, 'Node', 'npm install ./node parley', 'js', code)],
    ]);
  },
};

/** The compiler names a file's types by the file. */
const typesOf = (file: string): string => `${file.replace(/^.*[/\\]/, '').replace(/\.thrift$/, '')}_types`;
