import type { Readable } from 'node:stream';
import type { Facts } from './facts.ts';
import type { Artifact, Manifest, ServerInfo } from './manifest.ts';
import type { Connection } from './ports.ts';
import type { Finding } from './report.ts';

/** Which part of a backup is restored: `schema` without rows and large objects, `data` in tables without indexes, keys and triggers. */
export type RestoredPart = 'all' | 'schema' | 'data';

export interface TargetRequest {
  /** The server; the database in its URL is the target, whether it exists or not. */
  readonly connection: Connection;
  readonly manifest: Manifest;
  readonly facts: Facts | undefined;
  readonly restoreId: string;
  /** For the lists that pg_restore reads. */
  readonly scratchDir: string;
  /** Streams restored at a time; undefined: as many as the backup has, at most one a core. */
  readonly jobs?: number;
  readonly stallMs: number;
  readonly part: RestoredPart;
  readonly ownership: {
    /** False leaves ownership and grants out: everything belongs to `role`, or to who connects. */
    readonly owner: boolean;
    /** Role that the restore is done as (`SET ROLE`). */
    readonly role?: string;
    /** Create roles of the backup's globals that the server lacks. */
    readonly createRoles: boolean;
  };
  readonly signal: AbortSignal;
}

/** What is on the server now. Read only: nothing was changed to find it out. */
export interface TargetState {
  /** Of the target's database where it exists, else of the one we are connected to, `database` being the target's name all the same. */
  readonly server: Omit<ServerInfo, 'clockOffsetSeconds'>;
  /** Name of who is connected, and whether they may do what a restore does. */
  readonly user: {
    readonly name: string;
    readonly superuser: boolean;
    readonly mayCreateDatabases: boolean;
    /** What this restore needs and they may not do, a sentence each with the SQL that allows it. */
    readonly lacks: readonly { readonly what: string; readonly sql: string }[];
  };
  /** The server's location without credentials. */
  readonly location: string;
  /** Undefined when there is no database of this name. */
  readonly database:
    | {
        readonly bytes: number;
        readonly tables: number;
        /** Holds no table, view, sequence, function or large object of its own. */
        readonly isEmpty: boolean;
        /** `commits`: from track_commit_timestamp; `files`: when the server last wrote a file of it, so up to a checkpoint late. Null: not to be found out. */
        readonly newestWrite: { readonly at: Date; readonly from: 'commits' | 'files' } | null;
        readonly connections: readonly {
          readonly user: string;
          readonly application: string;
          readonly count: number;
        }[];
        /** Logical replication slots of this database; they do not follow a rename, and keep a database from being dropped. */
        readonly slots: readonly string[];
        readonly subscriptions: readonly string[];
        readonly publications: readonly string[];
        /** Prepared transactions by their global identifiers; each keeps the database from being renamed or dropped. */
        readonly prepared: readonly { readonly gid: string; readonly seconds: number }[];
      }
    | undefined;
  /** Free bytes where the server keeps its data; null with the reason when it cannot be asked (another machine). */
  readonly freeBytes: number | null;
  readonly freeUnknown: string | undefined;
  /** Roles the backup needs and the server lacks: owners, grantees, whose settings it holds. From its facts; without them only what the manifest says. */
  readonly missingRoles: readonly string[];
  readonly missingExtensions: readonly string[];
  /** Databases that earlier restores to this target left, by the mark in their comment: half-restored or kept. */
  readonly leftDatabases: readonly {
    readonly name: string;
    readonly what: 'unfinished' | 'kept';
    readonly bytes: number;
  }[];
}

/**
 * A server that a restore works on, lent by `Engine.withTarget`. What it makes bears a mark (a comment with the id of
 * the restore) until it is finished; it drops only what bears such a mark, or what it is told to by name in `drop`.
 * Connections are gone when `use` settles; a database that was being built and is not finished is dropped then, also
 * on cancel.
 */
export interface Target {
  /** Name of the target's database. */
  readonly name: string;
  inspect(): Promise<TargetState>;
  /** Refuses with `guard-refused` while another restore works on this target; held until `use` settles. */
  lock(): Promise<void>;
  /** Drops databases that killed restores to this target left half-restored; takes the lock, which proves them dead. */
  dropLeft(): Promise<readonly string[]>;
  /**
   * Creates `database`, which must not exist, marked as unfinished, with the settings, owner, grants and limit that the backup recorded of
   * its own, and restores into it. Connections of others are not allowed to it until it is finished.
   *
   * @returns what was left out or could not be applied
   * @throws {Failure} `restore-failed`, `disk-full`, `target-failed` (the server, which says nothing of the backup),
   *                   `guard-refused`, what the stored bytes errored with; the database is gone then
   */
  build(database: string, open: (artifact: Artifact) => Promise<Readable>): Promise<readonly Finding[]>;
  /** Of a database of this server, as `Scratch.readFacts`. */
  readFacts(database: string, level: 'counts' | 'fingerprints'): Promise<Facts>;
  countRows(database: string, tables: readonly string[]): Promise<readonly { table: string; rows: number | null }[]>;
  analyze(database: string): Promise<void>;
  reindex(database: string): Promise<void>;
  /** Finishes `database`, one that `build` made and that is not to take the target's place, with a mark that says why it is kept. */
  keep(database: string, why: string): Promise<void>;
  /** Takes the mark off and lets connections in; it is a database like any other now. */
  finish(database: string): Promise<void>;
  /**
   * Puts `restored` (finished or not; it is finished by it) in the place of the target, in one transaction: new
   * connections to both wait, those that are there are ended, both are renamed, and who waited finds the new one or
   * connects again. The old one is kept as `keepAs` with a mark that says since when and why. On failure, and when we
   * are killed, both are as before.
   *
   * @throws {Failure} `guard-refused` (prepared transactions), `target-failed` (naming a connection that does not end)
   * @returns how many connections were ended
   */
  swap(restored: string, keepAs: string): Promise<{ ended: number }>;
  /** Gives `database`, one that `build` made, the target's name, which must be free; finishes it in the same transaction. */
  rename(database: string): Promise<void>;
  /**
   * Ends connections to `database` and drops it.
   *
   * @throws {Failure} `guard-refused` when it is neither the target nor bears the mark of a restore to it
   */
  drop(database: string): Promise<void>;
  /** Roles of the backup that can log in and have no password here, each with psql's command that sets one; none when we may not know. */
  rolesWithoutPassword(): Promise<readonly { role: string; command: string }[]>;
}
