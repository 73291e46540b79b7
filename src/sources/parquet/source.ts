/** `{kind: parquet, path, query?}`: an Apache Parquet file. */
import { z } from 'zod';
import type { SourceKind } from '../../model/training-port.js';
import { sourceFile } from '../file-path.js';
import { literal } from '../sql.js';

const configuration = z.strictObject({
  path: z.string().min(1).describe("the file; a relative path starts at the project's folder"),
  query: z.string().min(1).optional().describe('one SELECT on the table `data`, which is the file'),
});

export const parquet: SourceKind<z.infer<typeof configuration>> = {
  kind: 'parquet',
  configuration,
  async open({ path, query }, folder, texts) {
    // Loaded when it is needed: DuckDB takes longer to load than most commands take to run.
    // Here, because DuckDB takes longer to load than most commands take to run.
    const { openFile } = await import('../file-reader.js');
    return openFile(`read_parquet(${literal(sourceFile(path, folder, 'a Parquet file'))})`, query, texts);
  },
};
