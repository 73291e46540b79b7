import type { CommandDefinition } from './context.js';
export const doctor: CommandDefinition = () => {};
