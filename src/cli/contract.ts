/** `parley contract`: what a project promises, and how it comes into force. */

import type { CommandDefinition } from './context.js';
import { contractPublication } from './contract-publish.js';

export const contract: CommandDefinition = (program, context) => {
  const command = program
    .command('contract')
    .summary('put a contract in force')
    .description("A project's contract: what goes in, what comes out, how good it must be.");
  contractPublication(command, context);
};
