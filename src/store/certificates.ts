/** The certificates for TLS to Redis, read from files. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { invalidInput } from '../errors.js';
import type { Certificates, RedisAddress } from './address.js';

/** Paths of PEM files. */
export interface CertificateFiles {
  /** Who signed Redis's certificate, where that is nobody whom the system trusts. */
  readonly ca?: string;
  /** What we show to a Redis that wants to know its clients, with its key. */
  readonly cert?: string;
  readonly key?: string;
}

/** @throws INVALID_INPUT for files that cannot be read, are no PEM or do not belong together, and for an address without TLS */
export function withCertificates(address: RedisAddress, files: CertificateFiles): RedisAddress {
  const given = Object.values(files).filter((path) => path !== undefined);
  if (given.length === 0) return address;
  if (!address.tls) {
    throw invalidInput(
      `certificates for TLS are given (${given.join(', ')}), and ${address.text} is reached without TLS; write rediss instead ` +
        'of redis in the address',
    );
  }
  if ((files.cert === undefined) !== (files.key === undefined))
    throw invalidInput('a client certificate for Redis needs its key, and a key its certificate; give both files');
  return { ...address, certificates: read(files) };
}

function read({ ca, cert, key }: CertificateFiles): Certificates {
  const certificates = {
    ...(ca === undefined ? {} : { ca: pemOf(ca, "Redis's CA") }),
    ...(cert === undefined ? {} : { cert: pemOf(cert, 'the client certificate for Redis') }),
    ...(key === undefined ? {} : { key: pemOf(key, "the client certificate's key") }),
  };
  // A CA that is none would be passed over without a word.
  if (certificates.ca !== undefined) check([ca], () => new X509Certificate(certificates.ca!));
  check([cert, key], () => createSecureContext(certificates));
  return certificates;
}

function pemOf(path: string, what: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidInput(`the file of ${what} cannot be read (${why})`, { cause });
  }
  if (text.includes('-----BEGIN ')) return text;
  throw invalidInput(`${path}, given as ${what}, is not a PEM file (one that holds "-----BEGIN …")`);
}

function check(paths: readonly (string | undefined)[], use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidInput(`TLS cannot be set up with ${paths.join(' and ')} (${why})`, { cause });
  }
}
