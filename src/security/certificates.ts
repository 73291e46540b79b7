/** The certificate that a server shows, from PEM files, and what it takes from its callers. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type TlsOptions } from 'node:tls';
import { checkPem, readPem } from '../store/certificates.js';

/** Paths of PEM files. */
export interface TlsFiles {
  /** With the chain behind it, if there is one. */
  readonly cert: string;
  readonly key: string;
  /** Only callers whose certificate it signed are served. */
  readonly clientCa?: string;
}

/** TLS 1.3 and 1.2 with Node's ciphers. */
export type ServerTls = Pick<TlsOptions, 'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized' | 'minVersion'>;

/** @throws ParleyError INVALID_INPUT for files that cannot be read, are no PEM or do not belong together */
export function readServerTls({ cert, key, clientCa }: TlsFiles): ServerTls {
  const pair = { cert: readPem(cert, "the server's certificate"), key: readPem(key, "the server's key") };
  checkPem([cert], () => new X509Certificate(pair.cert));
  checkPem([cert, key], () => createSecureContext(pair));
  if (clientCa === undefined) return { ...pair, minVersion: 'TLSv1.2' };
  const ca = readPem(clientCa, "the CA of callers' certificates");
  // One that is none would be passed over without a word.
  checkPem([clientCa], () => new X509Certificate(ca));
  return { ...pair, ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' };
}

/** A certificate that may be replaced while it is used. */
export class Certificates {
  readonly #listeners: ((tls: ServerTls) => void)[] = [];
  #tls: ServerTls | undefined;

  constructor(readonly files: TlsFiles) {}

  get tls(): ServerTls {
    if (this.#tls === undefined) this.read();
    return this.#tls!;
  }

  /** Reads the files; whoever asked to be told is. @throws ParleyError INVALID_INPUT, and nothing has changed */
  read(): void {
    this.#tls = readServerTls(this.files);
    for (const listener of this.#listeners) listener(this.#tls);
  }

  onChange(listener: (tls: ServerTls) => void): void {
    this.#listeners.push(listener);
  }
}
