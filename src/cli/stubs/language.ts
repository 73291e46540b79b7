/** What a language's package is made of, beside what the Thrift compiler writes. */
import type { Contract } from '../../contract/contract.js';
import type { Compiler } from './compiler.js';
import type { Files } from './package-folder.js';

export interface Making {
  readonly contract: Contract;
  readonly compiler: Compiler;
  /** The contract's name in each spelling: `my-model`, `my_model`. */
  readonly dashed: string;
  readonly snake: string;
  /** What the contract's file declares for a language, or its own name. */
  readonly namespace: (language: string) => string;
  /** A call with the plain stubs, as `contract show` has it. */
  readonly example: (language: string) => string;
}

export interface StubLanguage {
  /** Of the compiler, with the options that the package needs. */
  readonly generator: (making: Making) => string;
  /** Where in the package what the compiler writes goes. */
  readonly sources: (making: Making) => string;
  /** Those of what the compiler writes that are left out. */
  readonly leavesOut?: RegExp;
  /** @param generated paths within `sources`, in order */
  readonly files: (making: Making, generated: readonly string[]) => Files;
}

/** The library of the compiler's own release. */
export const minorOf = ({ version }: Compiler): string => version.split('.').slice(0, 2).join('.');

/** The ten lines that say what the package is, how it is built and how it is called. */
export function readme(making: Making, language: string, build: string, fence: string, code: string): string {
  const { contract, compiler, dashed } = making;
  return `# ${dashed}-stubs for ${language}

Calls of model "${contract.model}" (${contract.services.map(({ name }) => name).join(', ')}), made by \`parley stubs\` with Thrift ${compiler.version}. Do not edit: make them again.

\`\`\`sh
${build}
\`\`\`

\`\`\`${fence}
${code}
\`\`\`

Errors are \`ParleyError\`s: \`code\`, \`message\`, \`retryable\`, \`problems\`. The transport is framed. Contract ${contract.fingerprint.slice(0, 12)}.
`;
}

export const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;
