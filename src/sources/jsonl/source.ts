/** `{kind: jsonl, path, query?}`: a file with one JSON object a line; its members are the columns. */
import { statSync } from 'node:fs';
import { z } from 'zod';
import { invalidInput } from '../../errors.js';
import type { SourceKind } from '../../model/training-port.js';
import { sourceFile } from '../file-path.js';
import { literal } from '../sql.js';

const configuration = z.strictObject({
  path: z.string().min(1).describe("the file; a relative path starts at the project's folder"),
  query: z.string().min(1).optional().describe('one SELECT on the table `data`, which is the file'),
});

export const jsonl: SourceKind<z.infer<typeof configuration>> = {
  kind: 'jsonl',
  configuration,
  async open({ path, query }, folder) {
    const file = sourceFile(path, folder, 'a JSON Lines file');
    if (statSync(file).size === 0)
      throw invalidInput(`source.path: "${file}" is empty; expected one JSON object a line`);
    // Loaded when it is needed: DuckDB takes longer to load than most commands take to run.
    // Here, because DuckDB takes longer to load than most commands take to run.
    const { openFile } = await import('../file-reader.js');
    return openFile(`read_json(${literal(file)}, format = 'newline_delimited', records = true)`, query);
  },
};
