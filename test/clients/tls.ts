/** Certificates, made with openssl. */
import { join } from 'node:path';
import { run } from './toolchain.js';

export interface Certificate {
  /** Files of PEM; the certificate is its own authority. */
  readonly cert: string;
  readonly key: string;
}

/** For this machine's loopback. @returns undefined where there is no openssl */
export function makeCertificate(folder: string, name = 'server'): Certificate | undefined {
  const [cert, key] = [join(folder, `${name}-cert.pem`), join(folder, `${name}-key.pem`)];
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost';
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const { status } = run('openssl', [
    'req',
    ...kind,
    ...['-subj', '/CN=localhost', '-addext', names, '-keyout', key, '-out', cert],
  ]);
  return status === 0 ? { cert, key } : undefined;
}
