import { clientConformance, WIRES } from './conformance.js';
import { nodePrograms } from './node-programs.js';

/** Two that have nothing in common; node.full.test.ts has all. */
const OPPOSITE = [WIRES[0]!, WIRES.at(-1)!];

clientConformance('Node', nodePrograms, OPPOSITE);
