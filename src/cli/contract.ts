/** `parley contract`: checks, compares and shows contracts, and puts a project's in force. */
import type { CommandDefinition } from './context.js';
import { contractCheck } from './contract-check.js';
import { contractDiff } from './contract-diff.js';
import { contractFingerprint } from './contract-fingerprint.js';
import { contractPublication } from './contract-publish.js';
import { contractShow } from './contract-show.js';

export const contract: CommandDefinition = (program, context) => {
  const command = program
    .command('contract')
    .summary('check, compare, show a contract, and put it in force')
    .description("A project's contract: what goes in, what comes out, how good it must be.");
  for (const define of [contractCheck, contractDiff, contractShow, contractFingerprint, contractPublication])
    define(command, context);
};
