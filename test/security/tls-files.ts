/** Certificates made by openssl in a temporary folder: a CA, what it signs, and what it should not be trusted for. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../store/redis-server.js';

const KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
const HERE = 'IP:127.0.0.1,DNS:localhost';

/** PEM files by path. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export class TlsFiles {
  readonly folder = temporaryFolder();

  readonly path = (name: string): string => join(this.folder, name);

  private openssl(command: string): void {
    execFileSync('openssl', command.split(' '), { cwd: this.folder, stdio: 'pipe' });
  }

  /** @returns the CA's certificate */
  authority(name: string): string {
    this.openssl(`req -x509 ${KEY} -days 2 -keyout ${name}.key -out ${name}.crt -subj /CN=${name}`);
    return this.path(`${name}.crt`);
  }

  /** @param days below 0: it has expired */
  issue(
    name: string,
    { by = 'ca', names = HERE, days = 2 }: { by?: string; names?: string; days?: number } = {},
  ): Pair {
    this.openssl(`req ${KEY} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
    writeFileSync(this.path(`${name}.ext`), `subjectAltName=${names}\n`);
    this.openssl(
      `x509 -req -in ${name}.csr -CA ${by}.crt -CAkey ${by}.key -CAcreateserial -days ${days} -extfile ${name}.ext -out ${name}.crt`,
    );
    return this.pair(name);
  }

  selfSigned(name: string): Pair {
    this.openssl(
      `req -x509 ${KEY} -days 2 -keyout ${name}.key -out ${name}.crt -subj /CN=${name} -addext subjectAltName=${HERE}`,
    );
    return this.pair(name);
  }

  pair(name: string): Pair {
    return { cert: this.path(`${name}.crt`), key: this.path(`${name}.key`) };
  }

  /** Puts one pair into another's files. */
  replace(to: Pair, from: Pair): void {
    copyFileSync(from.cert, to.cert);
    copyFileSync(from.key, to.key);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
