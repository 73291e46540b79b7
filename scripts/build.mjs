// Compiles src/ to dist/, puts what is not TypeScript beside it, joins what processes load, and makes the CLI executable.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const at = (...parts) => join(root, ...parts);

rmSync(at('dist'), { recursive: true, force: true });
const compiled = spawnSync(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', root], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
cpSync(at('src'), at('dist'), { recursive: true, filter: (name) => !name.endsWith('.ts') });
await bundle(at('dist'));
if (existsSync(at('dist/main.js'))) chmodSync(at('dist/main.js'), 0o755);
