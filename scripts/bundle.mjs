// Joins what a process of Parley loads into few files in dist/bundle/: reading hundreds of small ones is most of its start.
//
// The entries' own files in dist/ become a line that leads there; everything else in dist/ stays as it was compiled.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { build } from 'esbuild';

/** What processes are started with, from dist/. */
const ENTRIES = [
  'main',
  'serving-main',
  'serving/lanes/lane-main',
  'load/main',
  'registry/isolated-main',
  'registry/negotiation/negotiation-main',
  'cli/doctor-graph',
];
/** Libraries that bring binaries, which they look for beside themselves. */
const APART = [
  'onnxruntime-node',
  'onnxruntime-common',
  'sharp',
  '@duckdb/node-api',
  'node-sqlite3-wasm',
  'msgpackr-extract',
];

/** For libraries in CommonJS: they ask for Node's own modules by `require`; for `newBuffer` see `oldBuffers`. */
const BANNER = `import { createRequire as requireOf } from 'node:module';
const require = requireOf(import.meta.url);
const newBuffer = (of, ...more) => (typeof of === 'number' ? Buffer.alloc(of) : Buffer.from(of, ...more));`;

/** @param dist the compiled folder */
export async function bundle(dist) {
  const out = join(dist, 'bundle');
  const { metafile } = await build({
    absWorkingDir: dirname(dist),
    entryPoints: ENTRIES.map((entry) => ({ in: join(dist, `${entry}.js`), out: flat(entry) })),
    outdir: out,
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: APART,
    // Names and lines stay readable in a stack.
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    banner: { js: BANNER },
    plugins: [ownPlaces(dist), unused, oldBuffers],
  });
  for (const entry of ENTRIES) {
    const there = relative(dirname(join(dist, entry)), join(out, `${flat(entry)}.js`));
    const shebang = entry === 'main' ? '#!/usr/bin/env node\n' : '';
    writeFileSync(join(dist, `${entry}.js`), `${shebang}import './${there}';\n`);
  }
  writeFileSync(join(out, 'LICENSES.txt'), licenses(Object.keys(metafile.inputs)));
}

const flat = (entry) => entry.replaceAll('/', '-');

/** What a file looks for beside itself is where it was compiled to. */
function ownPlaces(dist) {
  return {
    name: 'own-places',
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (!path.startsWith(dist + sep)) return undefined;
        const place = `new URL(${JSON.stringify(`../${relative(dist, path)}`)}, import.meta.url).href`;
        return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', place), resolveDir: dirname(path) };
      });
    },
  };
}

/** Parts of libraries that Parley never calls and that would be read at every start. */
const unused = {
  name: 'unused',
  setup({ onLoad, onResolve }) {
    // Thrift's web sockets, and zod's messages in sixty languages; the English ones come by another file.
    const nothing = (path) => ({ path, namespace: 'unused' });
    onResolve({ filter: /^ws$/ }, ({ path }) => nothing(path));
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ path, importer }) =>
      importer.includes(`${sep}zod${sep}`) ? nothing(path) : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'export {};' }));
  },
};

/** Node warns of `new Buffer()`, which thrift uses, wherever it is not in a folder node_modules. */
const oldBuffers = {
  name: 'old-buffers',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules.(thrift|node-int64).*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/\bnew Buffer\(/g, 'newBuffer('),
      resolveDir: dirname(path),
    }));
  },
};

/** The licences of the libraries that were taken in. */
function licenses(inputs) {
  const folders = inputs.map((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0]);
  const texts = [...new Set(folders)]
    .filter((folder) => folder !== undefined)
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      return `${name} ${version} (${license})\n\n${licenseText(folder)}`;
    });
  return texts.join(`\n${'-'.repeat(100)}\n\n`);
}

function licenseText(folder) {
  for (const name of [
    'LICENSE',
    'LICENSE.md',
    'LICENSE.txt',
    'LICENCE',
    'license',
    'License',
    'license.md',
    'LICENSE-MIT',
  ]) {
    try {
      return `${readFileSync(join(folder, name), 'utf8').trim()}\n`;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  return 'Its package has no file with the text.\n';
}
