/** What a project's acceptance suite can be run on, and how it is named. */
import { basename } from 'node:path';
import {
  DEFAULT_HOST,
  DEFAULT_PORT,
  type ServerAddress,
  type ServerFlags,
  type StoreFlags,
  serverAddress,
  serverTls,
} from '../config.js';

/** A plain graph, an envelope, or what `parley export` wrote. */
export interface FileSubject {
  readonly file: string;
  /** Of a plain graph: its model type, deduced when absent. */
  readonly modelType?: string;
  /** Of an archive: which of the model's versions; the one in production when absent. */
  readonly modelVersion?: string;
}

/** A version in a store: 8 or more characters of its digest. */
export type VersionSubject = { readonly version: string } & StoreFlags;

/** What a running server answers, asked as any caller asks it. */
export interface ServerSubject extends Omit<ServerFlags, 'server'> {
  /** `127.0.0.1:9090`; undefined: that of PARLEY_SERVER, or of this machine. */
  readonly server: string | undefined;
  readonly token?: string;
}

export type Subject = FileSubject | VersionSubject | ServerSubject;

/** For people. */
export function subjectText(subject: Subject): string {
  if ('file' in subject) return basename(subject.file);
  if ('version' in subject) return `version ${subject.version.slice(0, 12)}`;
  const { host, port } = addressOf(subject);
  return `${host}:${port}`;
}

/** @throws ParleyError INVALID_INPUT for what is no address */
export function addressOf({ server, ...flags }: ServerSubject): ServerAddress {
  const named = serverAddress(server === undefined ? flags : { server, ...flags });
  return named ?? { host: DEFAULT_HOST, port: DEFAULT_PORT, ...serverTls(flags) };
}
