/**
 * The file of tokens: a YAML list of names, digests and rights. No token stands in it.
 *
 * Changed under a lock and replaced in one step, so that servers and other commands always find it whole.
 */
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { conflict, hasErrno, invalidInput, notFound, type Problem } from '../errors.js';
import { MODEL_NAME_PATTERN } from '../model/version.js';
import { withFolderLock } from '../store/folder-lock.js';
import { ROLES, type Role } from './roles.js';
import { newToken, sha256Of } from './tokens.js';

const LOCK_WAIT_MS = 30_000;
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const HEADER =
  '# Tokens of parley serve, as digests. Made by "parley token"; servers notice changes within a second.\n';

// No message repeats a value: somebody may have put a token where its digest belongs.
const time = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time such as 2030-01-31T00:00:00Z');
const RECORD = z.strictObject({
  name: z.string().regex(NAME_PATTERN, 'must be 1 to 64 letters, digits, ".", "_", "@" and "-"'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be a token's SHA-256 in lowercase hex"),
  roles: z.array(z.enum(ROLES as [Role, ...Role[]], `must be one of ${ROLES.join(', ')}`)).min(1, 'must name a role'),
  models: z.array(z.string().regex(MODEL_NAME_PATTERN, "must be a model's name")).min(1).optional(),
  created: time,
  expires: time.optional(),
});
const FILE = z.strictObject({ tokens: z.array(RECORD).nullable() });

/** One token, without the token. Times are ISO 8601. */
export type TokenRecord = z.infer<typeof RECORD>;

export interface NewToken {
  readonly name?: string;
  readonly roles: readonly Role[];
  readonly models?: readonly string[];
  /** Milliseconds from now; absent: it does not expire. */
  readonly lifetimeMs?: number;
}

/** @throws ParleyError NOT_FOUND without the file, INVALID_INPUT with a path for what is wrong in it */
export async function readTokens(file: string): Promise<readonly TokenRecord[]> {
  const tokens = await readOrNothing(file);
  if (tokens === undefined)
    throw notFound(
      `there is no file of tokens "${file}"; make it with "parley token create --role predict --tokens ${file}"`,
    );
  return tokens;
}

/** @returns the token, which is kept nowhere, and its record @throws ParleyError CONFLICT where the name is taken */
export function createToken(file: string, wanted: NewToken): Promise<{ token: string; record: TokenRecord }> {
  const token = newToken(),
    sha256 = sha256Of(token);
  const name = wanted.name ?? `${wanted.roles.join('-')}-${sha256.slice(0, 8)}`;
  const now = Date.now();
  const record: TokenRecord = {
    name,
    sha256,
    roles: [...wanted.roles],
    ...(wanted.models === undefined ? {} : { models: [...wanted.models] }),
    created: timeOf(now),
    ...(wanted.lifetimeMs === undefined ? {} : { expires: timeOf(now + wanted.lifetimeMs) }),
  };
  checked(file, { tokens: [record] });
  return changing(file, (tokens) => {
    if (tokens.some((other) => other.name === name))
      throw conflict(`there is a token "${name}" in ${file}; choose another --name, or revoke it first`);
    return { tokens: [...tokens, record], result: { token, record } };
  });
}

/** @throws ParleyError NOT_FOUND where no token has that name */
export function revokeToken(file: string, name: string): Promise<TokenRecord> {
  return changing(file, (tokens) => {
    const record = tokens.find((other) => other.name === name);
    if (record === undefined) throw notFound(`there is no token "${name}" in ${file}; see "parley token list"`);
    return { tokens: tokens.filter((other) => other !== record), result: record };
  });
}

type Change<T> = (tokens: readonly TokenRecord[]) => { tokens: readonly TokenRecord[]; result: T };

async function changing<T>(file: string, change: Change<T>): Promise<T> {
  try {
    return await withFolderLock(
      `${file}.lock`,
      async () => {
        const { tokens, result } = change((await readOrNothing(file)) ?? []);
        await replace(file, `${HEADER}${stringify({ tokens })}`);
        return result;
      },
      LOCK_WAIT_MS,
    );
  } catch (cause) {
    const isSystems = cause instanceof Error && 'syscall' in cause;
    throw isSystems
      ? invalidInput(`the file of tokens "${file}" cannot be written: ${cause.message}`, { cause })
      : cause;
  }
}

/** It stays its owner's, as whom the server runs; a link stays one. */
async function replace(link: string, text: string): Promise<void> {
  const file = await realpath(link).catch(() => link),
    before = await stat(file).catch(() => undefined),
    next = `${file}.new`;
  try {
    await rm(next, { force: true });
    const handle = await open(next, 'wx', 0o600);
    try {
      if (before !== undefined) {
        // Only root may give it away.
        await handle.chown(before.uid, before.gid).catch(() => {});
      }
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, file);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}

async function readOrNothing(file: string): Promise<readonly TokenRecord[] | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (hasErrno(cause, 'ENOENT')) return undefined;
    throw invalidInput(`the file of tokens cannot be read: ${(cause as Error).message}`, { cause });
  }
  return checked(file, parsed(file, text));
}

function parsed(file: string, text: string): unknown {
  try {
    return parse(text, { prettyErrors: false }) as unknown;
  } catch {
    // The parser's own message may repeat what stands there.
    throw invalidInput(`${file} is not YAML; it must hold "tokens:" and a list, as "parley token create" writes it`);
  }
}

function checked(file: string, value: unknown): readonly TokenRecord[] {
  const outcome = FILE.safeParse(value ?? { tokens: [] });
  if (!outcome.success) {
    const problems = outcome.error.issues.map(
      ({ path, message, code }): Problem => ({
        path: `${file}: ${path
          .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
          .join('')
          .replace(/^\./, '')}`,
        message: code === 'unrecognized_keys' ? 'has a key that is not known' : message,
      }),
    );
    const [first] = problems;
    throw invalidInput(`${first!.path} ${first!.message}`, { problems });
  }
  const tokens = outcome.data.tokens ?? [];
  const twice = tokens.find(({ name }, index) => tokens.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) throw invalidInput(`${file} has two tokens "${twice.name}"; each needs a name of its own`);
  return tokens;
}

const timeOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
