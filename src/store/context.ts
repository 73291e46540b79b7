/** What the parts of a store share. */
import { randomBytes } from 'node:crypto';
import { invalidInput } from '../errors.js';
import { MODEL_NAME_PATTERN, VERSION_PATTERN } from '../model/version.js';
import type { Keys } from './keys.js';
import type { Link } from './link.js';
import type { RecordReader } from './records.js';

export interface StoreContext {
  readonly keys: Keys;
  readonly records: RecordReader;
  /** For everything small. */
  readonly commands: Link;
  /** For what changes the state of a model: it waits for replicas, and nothing else is to wait behind it. */
  readonly changes: Link;
  /** For parts of a mebibyte, so that nothing small waits behind them. */
  readonly bulk: Link;
  /** Stands on every ledger line; '' for none. */
  readonly environment: string;
}

export function randomId(): string {
  return randomBytes(12).toString('hex');
}

export function checkModel(model: string): void {
  if (MODEL_NAME_PATTERN.test(model)) return;
  throw invalidInput(
    `${shown(model)} cannot name a model: expected 1 to 128 letters, digits, "_", "." or "-", the first a letter or digit`,
    { problems: [{ path: 'model', message: `must match ${MODEL_NAME_PATTERN.source}`, got: shown(model) }] },
  );
}

/** Alias names are spelled as model names are. */
export function checkAlias(aliasName: string): void {
  if (MODEL_NAME_PATTERN.test(aliasName)) return;
  throw invalidInput(
    `${shown(aliasName)} cannot name an alias: expected 1 to 128 letters, digits, "_", "." or "-", the first a letter or digit`,
    { problems: [{ path: 'aliasName', message: `must match ${MODEL_NAME_PATTERN.source}`, got: shown(aliasName) }] },
  );
}

export function checkVersion(version: string): void {
  if (VERSION_PATTERN.test(version)) return;
  throw invalidInput(`${shown(version)} is not a version: expected 64 lowercase hex characters`, {
    problems: [{ path: 'version', message: `must match ${VERSION_PATTERN.source}`, got: shown(version) }],
  });
}

function shown(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}
