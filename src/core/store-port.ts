import type { Readable } from 'node:stream';
import type { LifecycleRule, LockTraits, StoreTraits } from './store-traits.ts';

export interface StoredObject {
  /** Relative to the store's location. */
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
  /** Where the store has classes, and this is not the usual one. */
  readonly storageClass?: string;
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
  /** Nobody else looks at the chunks of the body: the store may empty each when it has read it. */
  readonly ownsChunks?: boolean;
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

/** One version of a key in a store that keeps them, or the deletion that hides the versions before it. */
export interface ObjectVersion extends ObjectState {
  readonly versionId: string;
  /** Whether it is what `get` reads, or the deletion because of which `get` finds nothing. */
  readonly isCurrent: boolean;
  readonly isDeletion: boolean;
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

  /**
   * Names of the folders at the top, ascending, without a trailing slash: one listing, however full they are.
   *
   * @param options.deleted also those that exist in older versions only
   */
  listFolders(options?: { deleted?: boolean }): Promise<string[]>;

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
  /**
   * Every version of every key under `prefix`, in ascending order of keys, of each key the newest first. Empty without
   * versions.
   */
  versionsUnder(prefix: string, options?: { signal?: AbortSignal }): AsyncIterable<ObjectVersion>;
  /** Opens one version as `get` opens an object. Rejects with `not-found` where there is none of this name. */
  getVersion(
    version: Pick<ObjectVersion, 'key' | 'versionId' | 'bytes' | 'tag'>,
    options?: { start?: number; length?: number; signal?: AbortSignal },
  ): Promise<Readable>;
  /**
   * Makes a version the one that `get` reads: takes away the deletions above it or, where other bytes lie above it,
   * writes its own once more. No version is removed. Rejects with `not-found` where there is none of this name.
   */
  undelete(version: ObjectVersion, options?: { signal?: AbortSignal }): Promise<void>;
  /** Unfinished uploads under `prefix`, also those of a killed process. */
  openUploads(prefix: string): AsyncIterable<OpenUpload>;
  /** Room of the file system, in bytes; undefined where the idea makes no sense. */
  freeSpace(): Promise<{ freeBytes: number; totalBytes: number } | undefined>;
  /**
   * Enabled rules by which the store itself removes or moves what lies in it, as far as they reach keys of ours;
   * undefined where there is no such thing. Rejects with `store-denied` when they may not be read.
   */
  lifecycle(): Promise<readonly LifecycleRule[] | undefined>;
  /** What it does with locks; rejects with `store-denied` when it may not be asked. */
  lockTraits(): Promise<LockTraits>;
  /** Finds out what else it is like, by writing under `key`, which must hold an object of the caller's already. */
  traits(key: string): Promise<StoreTraits>;
  /** Moves an object into another class, its bytes unchanged; absent where there are no classes. `archived`: thaw it first. */
  setStorageClass?(key: string, storageClass: string): Promise<void>;
  /** How often a request met a passing error and was sent again, since the store was opened. */
  retries(): number;
  /** Ends connections; the store is not used afterwards. */
  close(): Promise<void>;
}
