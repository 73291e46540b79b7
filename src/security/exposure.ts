/** Which addresses may be listened on with which protection. */
import { isIPv4 } from 'node:net';
import { invalidInput } from '../errors.js';

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/** What an address that other machines reach needs: TLS or the word that it needs none, and who may call. @throws ParleyError INVALID_INPUT */
export function checkExposure(
  host: string,
  has: { readonly tls: boolean; readonly insecure: boolean; readonly tokens: boolean; readonly anonymous: boolean },
): void {
  if (isLoopback(host)) return;
  const missing = [
    ...(has.tls || has.insecure
      ? []
      : ['--tls-cert FILE and --tls-key FILE, or --insecure if everything on the way is trusted']),
    ...(has.tokens || has.anonymous
      ? []
      : ['--tokens FILE, or --anonymous ROLES for callers without a token (such as --anonymous predict)']),
  ];
  if (missing.length === 0) return;
  throw invalidInput(
    `${host} can be reached from other machines; add ${missing.join('; and add ')}; or listen on 127.0.0.1 (docs/security.md)`,
  );
}
