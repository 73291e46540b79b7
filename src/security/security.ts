/** A server's protection, as one process has it: who may call, and the certificate. Follows its files by itself. */
import type { Logger } from 'pino';
import { Access } from './access.js';
import { Certificates, type TlsFiles } from './certificates.js';
import type { Role } from './roles.js';
import { readTokens } from './token-file.js';
import { WatchedFiles } from './watched-files.js';

const TICK_MS = 1_000;

export interface SecuritySettings {
  readonly tokensFile?: string;
  /** Absent: callers without a token may do nothing, where tokens are asked for. */
  readonly anonymous?: readonly Role[];
  readonly tls?: TlsFiles;
}

export class Security {
  readonly #watched: WatchedFiles[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(
    /** Absent: everybody may do everything. */
    readonly access: Access | undefined,
    readonly certificates: Certificates | undefined,
  ) {}

  /** @throws ParleyError NOT_FOUND, INVALID_INPUT for files that cannot be used; nothing stays open then */
  static async open({ tokensFile, anonymous, tls }: SecuritySettings, log: Logger): Promise<Security> {
    const isOpen = tokensFile === undefined && anonymous === undefined;
    const access = isOpen ? undefined : new Access(anonymous ?? [], tokensFile !== undefined),
      certificates = tls === undefined ? undefined : new Certificates(tls),
      security = new Security(access, certificates);
    try {
      if (tokensFile !== undefined) {
        const load = async () => access!.replace(await readTokens(tokensFile));
        security.#watched.push(await WatchedFiles.open([tokensFile], { what: 'the file of tokens', load, log }));
        security.#timer = setInterval(() => access!.tick(), TICK_MS).unref();
      }
      if (tls !== undefined) {
        const files = [tls.cert, tls.key, ...(tls.clientCa === undefined ? [] : [tls.clientCa])];
        const load = () => certificates!.read();
        security.#watched.push(await WatchedFiles.open(files, { what: 'the certificate', load, log }));
      }
    } catch (error) {
      security.close();
      throw error;
    }
    return security;
  }

  /** Whether there is anything to read again. */
  get follows(): boolean {
    return this.#watched.length > 0;
  }

  /** Reads all files again; what cannot be used is told in the log. Never rejects. */
  async reload(): Promise<void> {
    for (const watched of this.#watched) await watched.look(true);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const watched of this.#watched) watched.close();
  }
}
