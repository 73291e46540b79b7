import { CHANGES } from './changes.js';
import { evolutionMatrix } from './matrix.js';

evolutionMatrix(['node', 'python', 'go'], CHANGES);
