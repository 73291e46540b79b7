/** `{kind: jsonl, path, query?}`: a file with one JSON object a line; its members are the columns. */
import { statSync } from 'node:fs';
import { z } from 'zod';
import { invalidInput } from '../../errors.js';
import type { SourceKind } from '../../model/training-port.js';
import { sourceFile } from '../file-path.js';
import { literal } from '../sql.js';

/** Lists and pictures stand in a line too. */
const LONG_LINES = `maximum_object_size = ${64 << 20}`;

const configuration = z.strictObject({
  path: z.string().min(1).describe("the file; a relative path starts at the project's folder"),
  query: z.string().min(1).optional().describe('one SELECT on the table `data`, which is the file'),
});

export const jsonl: SourceKind<z.infer<typeof configuration>> = {
  kind: 'jsonl',
  configuration,
  async open({ path, query }, folder, texts) {
    const file = sourceFile(path, folder, 'a JSON Lines file');
    if (statSync(file).size === 0)
      throw invalidInput(`source.path: "${file}" is empty; expected one JSON object a line`);
    // Loaded when it is needed: DuckDB takes longer to load than most commands take to run.
    const { FileReader, openFile } = await import('../file-reader.js');
    if (texts === undefined) return openFile(relation(file), query);
    const reader = await FileReader.open(relation(file, LONG_LINES, 'sample_size = -1'));
    const own = await reader.types().finally(() => reader.close());
    const columns = own.map(([name, type]) => `${literal(name)}: ${literal(texts.has(name) ? 'VARCHAR' : type)}`);
    return openFile(relation(file, LONG_LINES, `columns = {${columns.join(', ')}}`), query, texts);
  },
};

/** @param settings further ones of DuckDB's */
const relation = (file: string, ...settings: readonly string[]) =>
  `read_json(${[literal(file), "format = 'newline_delimited', records = true", ...settings].join(', ')})`;
