/** What a project's acceptance suite can be run on, and how it is named. */
import { basename } from 'node:path';
import type { ServerFlags, StoreFlags } from '../config.js';

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
export type ServerSubject = { readonly server: string; readonly token?: string } & Omit<ServerFlags, 'server'>;

export type Subject = FileSubject | VersionSubject | ServerSubject;

/** For people. */
export function subjectText(subject: Subject): string {
  if ('file' in subject) return basename(subject.file);
  return 'version' in subject ? `version ${subject.version.slice(0, 12)}` : subject.server;
}
