/** The examples that a trainer learns from, in bounded memory: float32 features and float64 targets. */
import type { Examples } from '../model/training-port.js';
import { Spool } from './spool.js';

export class ExampleSpool implements Examples {
  rows = 0;
  readonly width: number;
  private readonly spool: Spool;
  private readonly batchRows: number[] = [];

  constructor(width: number, limitBytes?: number) {
    this.width = width;
    this.spool = new Spool(limitBytes);
  }

  get onDisk(): boolean {
    return this.spool.onDisk;
  }

  /** @param features shape (rows, width); copied, as the targets are */
  append(features: Float32Array, targets: Float64Array): void {
    const rows = targets.length;
    const record = new Uint8Array(rows * 8 + rows * this.width * 4);
    new Float64Array(record.buffer, 0, rows).set(targets);
    new Float32Array(record.buffer, rows * 8).set(features);
    this.spool.append(record);
    this.batchRows.push(rows);
    this.rows += rows;
  }

  *batches() {
    let batch = 0;
    for (const { buffer, byteOffset } of this.spool.records()) {
      const rows = this.batchRows[batch++];
      const targets = new Float64Array(buffer, byteOffset, rows);
      yield { rows, features: new Float32Array(buffer, byteOffset + rows * 8, rows * this.width), targets };
    }
  }

  close(): void {
    this.spool.close();
  }
}
