import type { CommandDefinition } from './context.js';
export const init: CommandDefinition = () => {};
