/** A folder that pip installs. Everything stands in one package, so that no other `parley` is in its way. */
import { minorOf, readme, type StubLanguage } from './language.js';

export const python: StubLanguage = {
  generator: ({ snake }) => `py:package_prefix=${snake}_stubs.`,
  sources: ({ snake }) => `${snake}_stubs`,
  leavesOut: /-remote$/,
  files: (making) => {
    const { dashed, snake, contract, compiler } = making,
      own = making.namespace('py'),
      minor = minorOf(compiler);
    // Of 0.17 to 0.19 there is no library for Python.
    const library = Number(minor.split('.')[1]) >= 20 || minor.startsWith('1') ? `thrift==${minor}.*` : 'thrift>=0.16';
    const code = making
      .example('Python')
      .replace('from parley.', `from ${snake}_stubs.parley.`)
      .replaceAll(new RegExp(`^from ${own}(?=[ .])`, 'gm'), `from ${snake}_stubs.${own}`);
    return new Map([
      [
        'pyproject.toml',
        `[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[project]
name = "${dashed}-stubs"
version = "0.1.0"
description = "Stubs of contract ${contract.fingerprint.slice(0, 12)} of model ${contract.model}"
readme = "README.md"
requires-python = ">=3.8"
dependencies = ["${library}"]

[tool.setuptools.packages.find]
include = ["${snake}_stubs*"]
`,
      ],
      ['README.md', readme(making, 'Python', 'pip install .', 'python', code)],
    ]);
  },
};
