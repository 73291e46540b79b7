/** The languages of `parley stubs`: a line each. */
import { cpp } from './cpp.js';
import { go } from './go.js';
import { java } from './java.js';
import type { StubLanguage } from './language.js';
import { node } from './node.js';
import { python } from './python.js';
import { rust } from './rust.js';

export const STUB_LANGUAGES: Readonly<Record<string, StubLanguage>> = { python, node, go, java, cpp, rust };

/** Other names for them. */
export const ALIASES: Readonly<Record<string, string>> = {
  py: 'python',
  js: 'node',
  javascript: 'node',
  typescript: 'node',
  ts: 'node',
  golang: 'go',
  'c++': 'cpp',
  rs: 'rust',
};
