/** Certificates, made with openssl. */
import { join } from 'node:path';
import { run } from './toolchain.js';

export interface Certificate {
  /** Files of PEM. */
  readonly cert: string;
  readonly key: string;
  /** The certificate of who signed it: not every library takes one that is its own authority. */
  readonly authority: string;
}

const KIND = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];

/** For this machine's loopback. @returns undefined where there is no openssl */
export function makeCertificate(folder: string, name = 'server'): Certificate | undefined {
  const file = (end: string) => join(folder, `${name}-${end}.pem`),
    [cert, key, authority, authorityKey] = [file('cert'), file('key'), file('ca'), file('ca-key')];
  const make = (subject: string, ...args: string[]) =>
    run('openssl', ['req', '-x509', ...KIND, '-subj', `/CN=${subject}`, ...args]).status === 0;
  const extensions = ['subjectAltName=IP:127.0.0.1,DNS:localhost', 'basicConstraints=critical,CA:FALSE'];
  const made =
    make(`${name} authority`, '-keyout', authorityKey, '-out', authority) &&
    make(
      'localhost',
      ...['-CA', authority, '-CAkey', authorityKey, '-keyout', key, '-out', cert],
      ...extensions.flatMap((extension) => ['-addext', extension]),
    );
  return made ? { cert, key, authority } : undefined;
}
