import type { Readable } from 'node:stream';
import type { Compression, Encryption } from './codecs.ts';
import type { Facts, FactsLevel } from './facts.ts';
import type { ServerPlace } from './known-servers.ts';
import type { Log } from './log.ts';
import type { Artifact, ArtifactRole, EngineName, Manifest, RunInfo, Scope, ServerInfo } from './manifest.ts';
import type { Pages } from './pages.ts';
import type { Finding } from './report.ts';
import type { Schedules } from './schedules.ts';
import type { Tampering } from './self-test-trial.ts';

export type { Log } from './log.ts';

export interface StoredObject {
  /** Relative to the store's location. */
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** What a store says of one object, to be compared with what was written. */
export interface ObjectState extends StoredObject {
  /**
   * Opaque text that changes when the bytes do: an ETag, or size and modification time of a file.
   * Compare it only with a `tag` the same store gave for the same key.
   */
  readonly tag: string;
}

export interface PutOptions {
  /** Upper bound of the stored bytes; chooses the part size. Unknown: a small object. */
  readonly expectedBytes?: number;
  /** How many such uploads are under way at once, this one included: they share the memory of one. */
  readonly atOnce?: number;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes the store has taken since the last call; 0 is a sign of life. */
  readonly onBytes?: (bytes: number) => void;
}

export interface StoredCopy {
  readonly bytes: number;
  /** Of the bytes that were stored, lower-case hex. */
  readonly sha256: string;
  readonly tag: string;
}

/** Something that hides a key: a delete marker on a versioned bucket, or a version left behind by a deletion. */
export interface HiddenObject {
  readonly key: string;
  readonly hiddenAt: Date;
}

/** An upload that was begun and neither completed nor aborted (multipart, or a temporary file). */
export interface OpenUpload {
  readonly key: string;
  readonly startedAt: Date;
  readonly lastChangeAt: Date;
  abort(): Promise<void>;
}

/**
 * Keeps bytes under keys. A store knows nothing of databases, manifests or retention.
 *
 * Every method rejects with a `Failure` (`store-denied`, `store-unavailable`, `store-missing`,
 * `store-full`, `not-found`) and never with a raw SDK or `ENOENT` error. Implementations must pass
 * `test/contracts/store.contract.ts`.
 */
export interface Store {
  /** Where this is, safe to print: `s3://acme-backups/prod`, `file:///srv/backups`. */
  readonly location: string;

  /**
   * Writes all of `body` under a key that does not exist yet (objects are written once; only the
   * marks `in-progress.json` and `removing.json` are overwritten). Nobody can see `key` before the last byte is durable, and
   * the result is confirmed by the store: checksum, ETag, or reading back. `body` is consumed; when
   * it errors, or `signal` aborts, nothing is visible and nothing stays behind, and the error of
   * `body` is what this rejects with.
   */
  put(key: string, body: Readable, options?: PutOptions): Promise<StoredCopy>;

  /**
   * Opens an object, or `length` bytes of it from `start`. Large objects come in parallel ranges.
   * Rejects with `not-found` when `key` is absent; a read cut short makes the stream error.
   * The caller consumes or destroys the stream.
   */
  get(key: string, options?: { start?: number; length?: number; signal?: AbortSignal }): Promise<Readable>;

  /** What is stored under `key`, or undefined when nothing is. */
  head(key: string): Promise<ObjectState | undefined>;

  /**
   * Yields every object whose key begins with `prefix`, in ascending order of the key's UTF-8 bytes,
   * beginning after `after`. Never stops at a page boundary; temporary files never appear. A prefix
   * that does not exist yields nothing, a store that does not exist (bucket, base folder) rejects
   * with `store-missing`.
   */
  list(prefix: string, options?: { after?: string; signal?: AbortSignal }): AsyncIterable<StoredObject>;

  /** Names of the folders at the top, ascending, without a trailing slash: one listing, however full they are. */
  listFolders(): Promise<string[]>;

  /**
   * Removes keys, in the order given between batches; those already gone succeed. On a versioned bucket every version
   * and delete marker of the key goes. Resolves with the keys that are still there and why.
   */
  remove(keys: readonly string[]): Promise<{ key: string; reason: string }[]>;

  /**
   * Locks (retention or legal hold) on any object under `prefix`, all versions counted; empty where the store has none.
   * `until` is null for a legal hold.
   */
  locks(prefix: string): Promise<{ key: string; until: Date | null }[]>;

  /** Whether what is deleted lives on in older versions, as far as nobody deletes those. */
  keepsVersions(): Promise<boolean>;
  /** Keys under `prefix` that exist in an older version but are deleted or hidden now. Empty without versions. */
  hidden(prefix: string): AsyncIterable<HiddenObject>;
  /** Unfinished uploads under `prefix`, also those of a killed process. */
  openUploads(prefix: string): AsyncIterable<OpenUpload>;
  /** Room of the file system, in bytes; undefined where the idea makes no sense. */
  freeSpace(): Promise<{ freeBytes: number; totalBytes: number } | undefined>;
  /** How often a request met a passing error and was sent again, since the store was opened. */
  retries(): number;
  /** Ends connections; the store is not used afterwards. */
  close(): Promise<void>;
}

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
  /** Removes scratch servers, directories and sessions that killed runs left; says what it removed. */
  removeLeftovers(scratchDir: string): Promise<readonly string[]>;
  /** How often connecting to a server that is not our own met a passing error and was tried again. */
  retries(): number;
}

/** Everything an action may touch outside itself. `main.ts` builds the real one, tests a fake one. */
export interface World extends Pages {
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
}
