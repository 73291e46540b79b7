/** Checks of the machine: Node.js, folder, disk, compiler. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { StoreSettings } from '../config.js';
import { failed, isAtLeast, type Outcome, ok, oneLine, versionText, warning } from './doctor-check.js';

/** `engines` of package.json; a test compares them. */
export const OLDEST_NODE = [20, 19] as const;
const MIB = 2 ** 20;
const TOO_LITTLE_BYTES = 100 * MIB;
const LITTLE_BYTES = 1024 * MIB;

export function checkNode(version: string): Outcome {
  if (isAtLeast(version, OLDEST_NODE)) return ok(version);
  return failed(
    `${version} is too old`,
    `install Node.js ${OLDEST_NODE.join('.')} or newer: https://nodejs.org/en/download`,
  );
}

export function checkDataFolder({ dataFolder, redisUrl }: StoreSettings): Outcome {
  if (redisUrl !== undefined) return ok('not needed with a Redis of your own');
  const there = nearestExisting(dataFolder);
  const mend = 'choose another with --data-dir or PARLEY_DATA_DIR, or use a Redis of your own with --redis URL';
  if (!statSync(there).isDirectory()) return failed(`${dataFolder} cannot be made: ${there} is a file`, mend);
  try {
    accessSync(there, constants.W_OK | constants.X_OK);
  } catch (error) {
    return failed(`${dataFolder} cannot be written: ${oneLine(error)}`, mend);
  }
  return ok(
    there === dataFolder ? `${dataFolder} can be written` : `${dataFolder} can be made; nothing is stored there yet`,
  );
}

export async function checkDisk({ dataFolder, redisUrl }: StoreSettings): Promise<Outcome> {
  const folder = nearestExisting(redisUrl === undefined ? dataFolder : process.cwd());
  const { bavail, bsize, blocks } = statfsSync(folder);
  if (blocks === 0) return ok(`not known for ${folder}`);
  const free = bavail * bsize;
  const message = `${free >= 1024 * MIB ? `${(free / 1024 / MIB).toFixed(1)} GiB` : `${Math.floor(free / MIB)} MiB`} free for ${folder}`;
  if (free < TOO_LITTLE_BYTES)
    return failed(
      message,
      'make room, or put the data elsewhere with --data-dir; Redis stops taking writes on a full disk',
    );
  if (free < LITTLE_BYTES) return warning(message, 'make room soon: models and training rows are written to disk');
  return ok(message);
}

/** The folder itself, or the nearest above it that there is. */
function nearestExisting(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestExisting(dirname(folder));
}

/** Only those who generate clients need one. */
export async function checkCompiler(): Promise<Outcome> {
  const version = await versionText('thrift', '--version').catch((error: unknown) => oneLine(error));
  return ok(
    version ?? 'not on PATH; only generating clients from contracts needs it (Debian: apt install thrift-compiler)',
  );
}
