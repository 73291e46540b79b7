/** Every kind of source, by what `source.kind` in parley.yaml says. A new kind is a folder and a line here. */
import type { SourceKind } from '../model/training-port.js';
import { csv } from './csv/source.js';
import { jsonl } from './jsonl/source.js';
import { parquet } from './parquet/source.js';
import { sqlite } from './sqlite/source.js';

export const sources: Readonly<Record<string, SourceKind>> = { sqlite, csv, jsonl, parquet };
