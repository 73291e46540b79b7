import { clientConformance, WIRES } from './conformance.js';
import { nodePrograms } from './node-programs.js';

/** Those that node.test.ts leaves out. */
clientConformance('Node', nodePrograms, WIRES.slice(1, -1));
