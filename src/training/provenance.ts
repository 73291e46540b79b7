/** What a run was made with, beside its configuration: for the record, never for the artifact. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';

const manifest = z.object({ version: z.string(), dependencies: z.record(z.string(), z.string()) });

export interface Versions {
  readonly parley: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly platform: string;
}

/** The runtime is pinned to one version in Parley's own package.json. */
export function versions(): Versions {
  const file = new URL('../../package.json', import.meta.url);
  const { version, dependencies } = manifest.parse(JSON.parse(readFileSync(file, 'utf8')));
  return {
    parley: version,
    node: process.versions.node,
    onnxruntime: dependencies['onnxruntime-node'],
    platform: `${process.platform}-${process.arch}`,
  };
}

export interface GitState {
  readonly commit: string;
  /** Whether the project's folder had changes that are not in the commit. */
  readonly changed: boolean;
}

/** Undefined where the folder is in no git repository, or there is no git. */
export async function gitState(folder: string): Promise<GitState | undefined> {
  const git = async (...options: string[]) =>
    (await promisify(execFile)('git', ['-C', folder, ...options], { timeout: 10_000 })).stdout.trim();
  try {
    return { commit: await git('rev-parse', 'HEAD'), changed: (await git('status', '--porcelain', '--', '.')) !== '' };
  } catch {
    return undefined;
  }
}

const SECRET_KEY = /password|secret|token|credential/i;

/** A source's configuration without what opens a door: secrets by their key, and the user of a URL. */
export function withoutCredentials(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');
  if (Array.isArray(value)) return value.map(withoutCredentials);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !SECRET_KEY.test(key));
  return Object.fromEntries(kept.map(([key, each]) => [key, withoutCredentials(each)]));
}
