import type { Readable } from 'node:stream';
import type { Adopted, AdoptRequest, DumpFile } from './adopt-port.ts';
import type { Application } from './application.ts';
import type { Compression, Encryption } from './codecs.ts';
import type { Facts, FactsLevel } from './facts.ts';
import type { ServerPlace } from './known-servers.ts';
import type { Loaded, LoadRequest } from './load-port.ts';
import type { Log } from './log.ts';
import type { Artifact, ArtifactRole, EngineName, Manifest, RunInfo, Scope, ServerInfo } from './manifest.ts';
import type { Pages } from './pages.ts';
import type { Finding } from './report.ts';
import type { Schedules } from './schedules.ts';
import type { Tampering } from './self-test-trial.ts';
import type { Store } from './store-port.ts';
import type { Target, TargetRequest } from './target-port.ts';
import type { Workplace } from './workplace.ts';

export type { Loaded, LoadRequest } from './load-port.ts';
export type { Log } from './log.ts';
export type {
  HiddenObject,
  ObjectState,
  ObjectVersion,
  OpenUpload,
  PutOptions,
  Store,
  StoredCopy,
  StoredObject,
} from './store-port.ts';
export type { ConditionalWrite, FileSystem, LifecycleRule, LockTraits, StoreTraits } from './store-traits.ts';
export type { RestoredPart, Target, TargetRequest, TargetState } from './target-port.ts';

/** Where a database is, before anything was asked of it. Text from the user, secrets included. */
export interface Connection {
  /** `postgresql://…`, or empty: libpq's environment says where. */
  readonly url: string;
  /** Where client and server programs are; undefined: found by themselves. */
  readonly binDir?: string;
  /** Words that wrap every database program, e.g. `docker exec -i db`. */
  readonly toolsPrefix?: readonly string[];
  /** The server's address as the wrapped programs see it. */
  readonly toolsHost?: string;
}

export interface DumpRequest {
  readonly source: string;
  readonly connection: Connection;
  readonly scope: Scope;
  readonly tables: readonly string[];
  readonly excludeTables: readonly string[];
  readonly excludeTableData: readonly string[];
  readonly facts: FactsLevel;
  readonly rolePasswords: boolean;
  /** Milliseconds to wait for another run of this source; 0 refuses at once. */
  readonly lockTimeoutMs: number;
  /** Milliseconds to wait for a table lock that DDL holds. */
  readonly tableLockTimeoutMs: number;
  readonly allowNewerClient: boolean;
  readonly stallMs: number;
  readonly jobs?: number;
  /** Shown to another run that finds the lock taken, at most 40 characters. */
  readonly holder: string;
  readonly signal: AbortSignal;
}

/** One stream of a dump, before compression and encryption. */
export interface DumpStream {
  readonly role: ArtifactRole;
  /** Key without the endings of compression and encryption: `database.dump`, `globals.sql`. */
  readonly name: string;
  readonly format: Artifact['format'];
  /** Upper bound in bytes, from the size of the database. */
  readonly estimatedBytes: number;
  /**
   * Starts the tool with its stdout piped through `zstd` (OS pipes). `compressed` yields bytes that
   * end only after every program exited with 0, else it errors; destroying it ends the programs.
   * `plainBytes()` is how much went into compression so far.
   */
  open(compression: { level: number }): DumpOutput;
}

export interface DumpOutput {
  readonly compressed: Readable;
  plainBytes(): number | undefined;
}

/** A guarded snapshot of a source, lent by `Engine.withSnapshot`. */
export interface Snapshot {
  readonly server: ServerInfo;
  readonly takenAt: Date;
  readonly client: string;
  readonly databaseBytes: number;
  /** Tables whose rows are dumped. */
  readonly tables: number;
  readonly findings: readonly Finding[];
  readonly leftOut: readonly { what: string; why: string }[];
  /** Streams of data and globals; facts are not among them. */
  readonly streams: readonly DumpStream[];
  /**
   * Facts in this snapshot; undefined with `facts: none`. May run beside the streams. The first part (sequences
   * before) was read when the snapshot opened; the second is read here, so call `finish` after the last stream ended.
   */
  readFacts(): Promise<Facts | undefined>;
  /** Reads what must be read after the dump (sequences), merges, and says what could not be compared. */
  finish(facts: Facts | undefined): Promise<{ facts: Facts | undefined; findings: readonly Finding[] }>;
}

export interface ScratchRequest {
  readonly manifest: Manifest;
  readonly facts: Facts | undefined;
  /** Another server to restore into, given up after `stallMs` without an answer; undefined: an own one. */
  readonly scratchUrl?: string;
  readonly stallMs: number;
  /** Servers that backups in the stores come from: `scratchUrl` must be none of them. */
  readonly knownServers?: readonly ServerPlace[];
  readonly connection: Omit<Connection, 'url'>;
  /** Lines for postgresql.conf, already checked against the allow-list. */
  readonly settings: readonly string[];
  /** Where own scratch servers live; its free space is checked, by what is restored. */
  readonly scratchDir: string;
  readonly artifactBytes: number;
  /** Leave the data directory for a person to look at when `use` failed or asked for it. */
  readonly keepOnFailure: boolean;
  /** Streams restored at a time; undefined: as many as the backup has, at most one a core. */
  readonly jobs?: number;
  readonly drillId: string;
  readonly signal: AbortSignal;
}

/** An empty server of the right major, lent by `Engine.withScratch`. */
export interface Scratch {
  /** `own`, or the location of the `scratch-url` server without credentials. */
  readonly server: string;
  readonly version: string;
  readonly notIsolated: readonly string[];
  /**
   * Restores one backup. `open` gives the decrypted, still compressed bytes of an artifact, which end only after the
   * stored bytes matched their SHA-256, and error with `artifact-corrupt` otherwise. Resolves with findings about roles,
   * settings and what was left out; rejects with `restore-failed` when the database could not be built.
   */
  restore(open: (artifact: Artifact) => Promise<Readable>): Promise<readonly Finding[]>;
  readFacts(level: 'counts' | 'fingerprints'): Promise<Facts>;
  /** Runs one statement that must yield exactly one true. */
  assert(name: string, sql: string): Promise<Finding>;
  amcheck(): Promise<readonly Finding[]>;
  /** Row counts of the live database beside the restored ones, informative. */
  compareWith(live: Connection): Promise<readonly { table: string; live: number | null; restored: number | null }[]>;
  /** Damages the restored database in one way after the other, each taken back; `known`: its facts while sound. */
  tamper(known: Facts): AsyncIterable<Tampering>;
  /** Call when the drill failed, so that `keepOnFailure` applies. Resolves with where to look. */
  keep(): Promise<string | undefined>;
}

export interface ExamineRequest {
  /** The database; undefined: only what is on this machine. Empty: libpq's environment says where. */
  readonly url: string | undefined;
  readonly programs: Omit<Connection, 'url'>;
  /** Where scratch servers would live. */
  readonly scratchDir: string;
  readonly signal: AbortSignal;
}

/** One kind of database server. A new one is a folder, one line in the registry and one call of the contract suite. */
export interface Engine {
  readonly name: EngineName;
  /**
   * Takes the source's lock and a guarded snapshot, and lends it. Locks, transaction and sessions
   * are gone when `use` settles. Rejects with `source-busy` and who holds the lock.
   */
  withSnapshot<T>(request: DumpRequest, use: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /** Lends an empty server; processes and directories are gone when `use` settles. */
  withScratch<T>(request: ScratchRequest, use: (scratch: Scratch) => Promise<T>): Promise<T>;
  /** Reads a dump that lies in a file, and runs nothing of it. Rejects with `invalid-input`, `backup-invalid`. */
  inspectDump(
    path: string,
    given: { readonly binDir: string | undefined; readonly signal: AbortSignal },
  ): Promise<DumpFile>;
  /** Restores such a file into a scratch server and lends what is there, to be dumped; all is gone when `use` settles. */
  withAdopted<T>(request: AdoptRequest, use: (adopted: Adopted) => Promise<T>): Promise<T>;
  /** Lends the server that a restore works on. Rejects with `source-unreachable`, `source-denied`, `tool-missing`. */
  withTarget<T>(request: TargetRequest, use: (target: Target) => Promise<T>): Promise<T>;
  /** Puts tables, or rows into tables, beside what a database holds: whole or not at all. */
  loadTables(request: LoadRequest): Promise<Loaded>;
  /** Looks at programs, database and isolation and changes nothing; whatever stands in the way is a finding. */
  examine(request: ExamineRequest): Promise<readonly Finding[]>;
  /** Runs statements as whoever `connection` names; nothing of them is in argv or in a log of ours. */
  administer(connection: Connection, statements: readonly string[], signal: AbortSignal): Promise<void>;
  /** Removes scratch servers, directories and sessions that killed runs left; says what it removed. */
  removeLeftovers(scratchDir: string): Promise<readonly string[]>;
  /** How often connecting to a server that is not our own met a passing error and was tried again. */
  retries(): number;
}

/** Everything an action may touch outside itself. `main.ts` builds the real one, tests a fake one. */
export interface World extends Pages, Workplace {
  now(): Date;
  /** `bytes` random bytes as lower-case hex. */
  randomHex(bytes: number): string;
  openStore(url: string): Promise<Store>;
  openEngine(name: EngineName): Promise<Engine>;
  readonly encryption: Encryption;
  readonly compression: Compression;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts; holds no process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  readonly log: Log;
  /** Aborts on SIGINT, SIGTERM and the step's `timeout`. */
  readonly signal: AbortSignal;
  readonly run: RunInfo;
  /** Schedules of the repository this runs in; undefined outside of one. */
  openSchedules(token: string): Promise<Schedules | undefined>;
  /** Of this machine and process, for the marks that killed runs leave. */
  readonly process: { readonly host: string; readonly pid: number };
  readonly tool: { readonly name: string; readonly version: string };
  /** Default folder for scratch servers: per user, under /var/tmp. */
  readonly scratchDir: string;
  /** Of a restore: what uses the database. */
  readonly application: Application;
}
