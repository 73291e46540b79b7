/** Certificates from PEM files: those for TLS to Redis, and the reading that servers and clients share. */
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
    ...(ca === undefined ? {} : { ca: readPem(ca, "Redis's CA") }),
    ...(cert === undefined ? {} : { cert: readPem(cert, 'the client certificate for Redis') }),
    ...(key === undefined ? {} : { key: readPem(key, "the client certificate's key") }),
  };
  // A CA that is none would be passed over without a word.
  if (certificates.ca !== undefined) checkPem([ca], () => new X509Certificate(certificates.ca!));
  checkPem([cert, key], () => createSecureContext(certificates));
  return certificates;
}

/** @param what for people, such as "the server's key" @throws ParleyError INVALID_INPUT for what cannot be read or is no PEM */
export function readPem(path: string, what: string): string {
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

/** @throws ParleyError INVALID_INPUT, naming the files, for what `use` throws */
export function checkPem(paths: readonly (string | undefined)[], use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalidInput(`TLS cannot be set up with ${paths.join(' and ')} (${why})`, { cause });
  }
}
