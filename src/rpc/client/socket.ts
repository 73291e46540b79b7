/** Reaching a server, over TLS or without, and saying why it could not be reached. */
import { X509Certificate } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, createSecureContext, connect as tlsConnect } from 'node:tls';
import { type ParleyError, storeUnavailable } from '../../errors.js';
import { checkPem, readPem } from '../../store/certificates.js';

const CONNECT_TIMEOUT_MS = 5_000;

export interface Address {
  readonly host: string;
  readonly port: number;
  /** For TLS, paths of PEM files; absent: without TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly connectTimeoutMs?: number;
  /** How advice is worded: for the command line when absent. */
  readonly advice?: Advice;
}

/** What a person would change, by the names that they know. */
export interface Advice {
  readonly start: string;
  readonly tls: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly withoutTls: string;
}

const FLAGS: Advice = {
  start: 'start one with "parley serve" or name another with --server HOST:PORT',
  tls: '--tls',
  ca: '--tls-ca FILE',
  cert: '--tls-cert FILE',
  key: '--tls-key FILE',
  withoutTls: 'leave out --tls and PARLEY_SERVER_TLS',
};
export const adviceFor = ({ advice }: Address): Advice => advice ?? FLAGS;

/** @throws ParleyError STORE_UNAVAILABLE when nothing answers there or it cannot be trusted, INVALID_INPUT for unusable files */
export function openSocket(address: Address): Promise<Socket> {
  const options = tlsOptions(address);
  return new Promise((resolve, reject) => {
    const socket = options === undefined ? connect(address) : tlsConnect({ ...address, ...options });
    const timer = setTimeout(() => fail(undefined), address.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
    const fail = (error: Error | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      reject(unreachable(address, error === undefined ? 'it does not answer' : whyNot(address, error), error));
    };
    socket.once('error', fail);
    // The end of a connection that has not got through TLS is no error to Node everywhere.
    socket.once('close', () => fail(new Error('the connection has ended')));
    socket.once(options === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error').removeAllListeners('close');
      resolve(socket);
    });
  });
}

/** Names are asked for, addresses cannot be: TLS knows no such request. */
const servername = (host: string): { servername?: string } => (/^[\d.]+$|:/.test(host) ? {} : { servername: host });

/** @returns undefined: without TLS @throws ParleyError INVALID_INPUT for unusable files */
export function tlsOptions({ host, tls }: Pick<Address, 'host' | 'tls'>): ConnectionOptions | undefined {
  if (tls === undefined) return undefined;
  const { ca, cert, key } = tls;
  const options = {
    ...(ca === undefined ? {} : { ca: readPem(ca, "the CA of the server's certificate") }),
    ...(cert === undefined ? {} : { cert: readPem(cert, 'the certificate to show to the server') }),
    ...(key === undefined ? {} : { key: readPem(key, "that certificate's key") }),
  };
  // A CA that is none would be passed over without a word.
  if (options.ca !== undefined) checkPem([ca], () => new X509Certificate(options.ca!));
  checkPem(
    [cert, key].filter((path) => path !== undefined),
    () => createSecureContext(options),
  );
  return { ...options, ...servername(host), minVersion: 'TLSv1.2' };
}

export function unreachable({ host, port }: Address, why: string, cause?: Error): ParleyError {
  return storeUnavailable(`no Parley server can be reached at ${host}:${port}: ${why}`, { cause });
}

const UNKNOWN_SIGNERS = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

/** What a socket's error means, and what to do. */
export function whyNot(address: Address, error: Error): string {
  const code = 'code' in error ? String(error.code) : '',
    advice = adviceFor(address);
  if (code === 'ECONNREFUSED') return `nothing listens there; ${advice.start}`;
  if (address.tls === undefined) return error.message;
  if (UNKNOWN_SIGNERS.has(code))
    return address.tls.ca === undefined
      ? `nobody whom this machine trusts signed its certificate; give the file of its CA, or the certificate itself if it signed itself, with ${advice.ca}`
      : `its certificate was not signed by ${address.tls.ca}; give the file of its own CA with ${advice.ca}`;
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired; whoever runs the server must renew it';
  if (code === 'CERT_NOT_YET_VALID') return "its certificate is not valid yet; compare both machines' clocks";
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is not for "${address.host}" but for ${namesOf(error)}; use a name or address that it is for`;
  if (code === 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' || code === 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE')
    return `it serves only callers who show a certificate; give ${advice.cert} and ${advice.key}`;
  if (code === 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' || code === 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE')
    return `it does not take the certificate of ${advice.cert}`;
  if (code === 'ECONNRESET' || code === 'EPROTO' || code.startsWith('ERR_SSL') || code === '')
    return `it does not answer as a TLS server does (${error.message}); without TLS there, ${advice.withoutTls}`;
  return error.message;
}

/** What Node found in the certificate that it refused. */
function namesOf(error: Error): string {
  const certificate = 'cert' in error ? (error.cert as { subjectaltname?: string } | undefined) : undefined;
  return certificate?.subjectaltname ?? 'nobody, having no subjectAltName';
}
