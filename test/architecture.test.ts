import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { brokenRules, importsOf, type SourceFile } from './architecture-rules.js';

const root = fileURLToPath(new URL('..', import.meta.url));

function sources(): SourceFile[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[cm]?ts$/.test(name))
    .map((name) => join('src', name).replaceAll('\\', '/'))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

const broken = (path: string, text: string) => brokenRules([{ path, text }]);

describe('the import arrows', () => {
  it('hold in every file of src/', () => {
    const files = sources();
    expect(files.map((file) => file.path)).to.include('src/errors.ts');
    expect(brokenRules(files)).to.deep.equal([]);
  });

  const forbidden: [why: string, path: string, text: string][] = [
    ['errors importing anything of ours', 'src/errors.ts', "import { Row } from './model/row.js';"],
    ['the vocabulary importing an adapter', 'src/model/a.ts', "import type { Store } from '../store/store.js';"],
    ['features importing evaluation', 'src/features/a.ts', "import { auc } from '../evaluation/auc.js';"],
    ['an adapter importing a service', 'src/store/a.ts', "import { Router } from '../serving/router.js';"],
    [
      'an adapter importing another kind',
      'src/trainers/gbm/trainer.ts',
      "import { graph } from '../../onnx/graph.js';",
    ],
    ['a service importing an edge', 'src/serving/a.ts', "export * from '../rpc/codec.js';"],
    ['rpc importing the client', 'src/rpc/a.ts', "import { Client } from '../client/client.js';"],
    ['http importing rpc', 'src/http/a.ts', "import '../rpc/server.js';"],
    ['an edge importing the root', 'src/cli/serve.ts', "const { start } = await import('../app.js');"],
    ['the root importing main', 'src/app.ts', "import { main } from './main.js';"],
    ['an arrow through a package name', 'src/model/a.ts', "import { x } from '#parley/rpc/server.js';"],
    ['an import over several lines', 'src/model/a.ts', "import {\n  a,\n  type B,\n} from '../serving/a.js';"],
    ['an import in a type', 'src/model/a.ts', "type A = import('../serving/a.js').A;"],
    ['a re-export under a name', 'src/model/a.ts', "export * as serving from '../serving/a.js';"],
    ['a require', 'src/model/a.ts', "const a = require('../serving/a.js');"],
    ['a require made on the spot', 'src/model/a.ts', "createRequire(import.meta.url)('../serving/a.js');"],
    ['a require of another name', 'src/model/a.ts', "const $load = createRequire(here); $load('../serving/a.js');"],
    [
      'an import behind a glob that looks like a comment',
      'src/model/a.ts',
      "const g = 'a/*'; import '../store/a.js'; // */",
    ],
    ['a folder that the design does not know', 'src/utils/a.ts', ''],
    ['thrift outside rpc/', 'src/serving/a.ts', "import thrift from 'thrift';"],
    ['a file of thrift outside rpc/', 'src/cli/a.ts', "import x from 'thrift/lib/nodejs/lib/thrift/index.js';"],
    ['gen/ outside rpc/', 'src/client/a.ts', "import ttypes from '../../gen/parley_types.js';"],
    ['gen/ by its package name', 'src/client/a.ts', "import ttypes from '#gen/parley_types.js';"],
    ['ioredis outside store/', 'src/registry/a.ts', "import type { Redis } from 'ioredis';"],
    ['the runtime outside onnx/', 'src/serving/a.ts', "const ort = await import('onnxruntime-node');"],
    ['the runtime by createRequire', 'src/serving/a.ts', "createRequire(import.meta.url)('onnxruntime-node');"],
    ['SQLite outside sources/', 'src/store/a.ts', "import { Database } from 'node-sqlite3-wasm';"],
    ['DuckDB outside sources/', 'src/training/a.ts', "import { DuckDBInstance } from '@duckdb/node-api';"],
    ['the IDL parser outside contract/', 'src/rpc/a.ts', "import { parse } from '@creditkarma/thrift-parser';"],
    ['the environment outside config.ts', 'src/store/a.ts', 'const home = process.env.HOME;'],
    ['the environment taken apart', 'src/store/a.ts', 'const { env } = process;'],
    ['the environment inside a template', 'src/store/a.ts', 'const home = `$' + '{process.env.HOME}/x`;'],
    ['the environment by import', 'src/store/a.ts', "import { env } from 'node:process';"],
    ['console outside cli/', 'src/serving/a.ts', "console.log('loaded');"],
  ];
  for (const [why, path, text] of forbidden) {
    it(`forbid ${why}`, () => {
      expect(broken(path, text)).to.have.length(1);
    });
  }

  const allowed: [why: string, path: string, text: string][] = [
    ['a folder importing itself', 'src/trainers/gbm/trainer.ts', "import { split } from '../split.js';"],
    ['a lower layer', 'src/store/a.ts', "import { ParleyError } from '../errors.js';"],
    ['a service importing another', 'src/training/a.ts', "import { publish } from '../registry/publish.js';"],
    ['a service importing an adapter', 'src/serving/a.ts', "import { Store } from '../store/store.js';"],
    ['the client using the codecs', 'src/client/a.ts', "import { encode } from '../rpc/codec.js';"],
    ['main joining a command and the root', 'src/main.ts', "import './app.js'; import './cli/serve.js';"],
    ['a library in its folder', 'src/onnx/a.ts', "import { InferenceSession } from 'onnxruntime-node';"],
    ["a library's version", 'src/training/a.ts', "require('onnxruntime-node/package.json').version;"],
    ['gen/ in rpc/', 'src/rpc/codecs/a.ts', "import ttypes from '../../../gen/parley_types.js';"],
    ['the environment in config.ts', 'src/config.ts', 'const home = process.env.HOME;'],
    ['console in a command', 'src/cli/serve.ts', "console.log('listening');"],
    [
      'a comment that shows an import',
      'src/model/a.ts',
      "// import x from '../rpc/a.js'\n/** console.log(process.env) */",
    ],
    ['a message that names the console', 'src/store/a.ts', "throw new Error('see console.log and process.env');"],
  ];
  for (const [why, path, text] of allowed) {
    it(`allow ${why}`, () => {
      expect(broken(path, text)).to.deep.equal([]);
    });
  }

  it('are read from every form of import', () => {
    const text = `import a from 'a'; import 'b';\nexport { c } from "c";\nawait import('d');\nrequire.resolve('e');`;
    expect(importsOf(text)).to.have.members(['a', 'b', 'c', 'd', 'e']);
  });
});
