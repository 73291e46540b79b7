// Runs before our dependencies' own install scripts, wherever Parley is installed.
//
// onnxruntime-node's postinstall downloads GPU libraries on Linux x64 unless it finds them in place; that download is
// neither needed (Parley runs on the CPU) nor possible behind most firewalls. Empty files of their names end it early.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const names = ['cuda', 'shared', 'tensorrt'].map((part) => `libonnxruntime_providers_${part}.so`);

/** Every node_modules folder above us, and our own: the runtime is hoisted into one of them. */
function* moduleFolders() {
  const home = resolve(dirname(fileURLToPath(import.meta.url)), '..');
  for (let folder = home; ; folder = dirname(folder)) {
    yield join(folder, 'node_modules');
    if (dirname(folder) === folder) return;
  }
}

if (process.platform === 'linux' && process.arch === 'x64') {
  for (const folder of moduleFolders()) {
    const runtime = join(folder, 'onnxruntime-node');
    if (!existsSync(runtime)) continue;
    const binary = join(runtime, 'bin', 'napi-v6', 'linux', 'x64');
    mkdirSync(binary, { recursive: true });
    for (const name of names) if (!existsSync(join(binary, name))) writeFileSync(join(binary, name), '');
    break;
  }
}
