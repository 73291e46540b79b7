/** A Go module. */
import { type Making, readme, type StubLanguage } from './language.js';

const moduleOf = ({ dashed }: Making): string => `parley.example/${dashed}-stubs`;

export const go: StubLanguage = {
  generator: (making) => `go:package_prefix=${moduleOf(making)}/,skip_remote`,
  sources: () => '.',
  files: (making) => {
    const { compiler } = making,
      path = moduleOf(making);
    const code = `import (
	"context"

	"github.com/apache/thrift/lib/go/thrift"

	"${path}/parley"
	"${path}/${making.namespace('go').replaceAll('.', '/')}"
)

${making.example('Go')}`;
    const build = `go mod edit -require=${path}@v0.1.0 -replace=${path}=./go   # in your module, beside this folder
go mod tidy`;
    return new Map([
      ['go.mod', `module ${path}\n\ngo 1.21\n\nrequire github.com/apache/thrift v${compiler.version}\n`],
      ['README.md', readme(making, 'Go', build, 'go', code)],
    ]);
  },
};
