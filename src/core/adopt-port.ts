import type { FactsLevel } from './facts.ts';
import type { Snapshot } from './ports.ts';

/** A file that holds a dump, as reading it once told. */
export interface DumpFile {
  /** Absolute. */
  readonly path: string;
  /** Without its folder. */
  readonly name: string;
  readonly modifiedAt: Date;
  readonly bytes: number;
  /** Of the file as it lies there, lower-case hex. */
  readonly sha256: string;
  readonly format: 'pg_dump-custom' | 'sql';
  readonly isGzipped: boolean;
  /** Without gzip. */
  readonly plainBytes: number;
  /** Versions of the server and of pg_dump, as the dump tells. */
  readonly server: string | undefined;
  readonly client: string | undefined;
  /** When it was begun, as its own header says: a wall clock without a zone, here read as UTC. */
  readonly createdAt: Date | undefined;
  readonly database: string | undefined;
  readonly encoding: string;
  /** Undefined where the dump does not tell: made without `--create`. */
  readonly locale: DumpLocale | undefined;
  /** Roles that it makes owners or grants something to. */
  readonly roles: readonly string[];
  /** Statements that create something, about. */
  readonly objects: number;
}

export interface DumpLocale {
  readonly provider: 'libc' | 'icu' | 'builtin';
  readonly collate: string;
  readonly ctype: string;
  readonly icuLocale?: string;
}

export interface AdoptRequest {
  readonly file: DumpFile;
  readonly source: string;
  readonly facts: FactsLevel;
  readonly jobs?: number;
  readonly binDir?: string;
  readonly scratchDir: string;
  /** Of the folder that is made for it; an id, as a drill's. */
  readonly scratchId: string;
  readonly stallMs: number;
  readonly holder: string;
  readonly signal: AbortSignal;
}

/** The file's content in a scratch server, ready to be dumped like any database. */
export interface Adopted {
  /** Of the restored database. Its `server` holds nothing that the file did not tell. */
  readonly snapshot: Snapshot;
  readonly notIsolated: readonly string[];
}
