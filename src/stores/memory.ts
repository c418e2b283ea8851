import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Failure } from '../core/failure.ts';
import type {
  HiddenObject,
  LifecycleRule,
  LockTraits,
  ObjectState,
  ObjectVersion,
  OpenUpload,
  PutOptions,
  Store,
  StoredCopy,
  StoreTraits,
} from '../core/ports.ts';
import { cancelled, guardBody, readInto } from './body.ts';
import { noVersions } from './versions.ts';
import { alreadyThere, isRewritten } from './write-once.ts';

const CHUNK_BYTES = 64 * 1024;

interface Entry {
  readonly bytes: Buffer;
  readonly modifiedAt: Date;
  readonly tag: string;
}

/** A store with handles to bring about what takes a person or a crash elsewhere. */
export interface MemoryStore extends Store {
  /** Locks an object as object lock would; null is a legal hold. */
  lock(key: string, until: Date | null): void;
  /** Hides an object as a delete marker would. */
  hide(key: string): void;
  /** Leaves an unfinished upload behind, as a killed process does. */
  leaveUpload(key: string, lastChangeAt: Date): void;
  /** Changes the bytes under a key, or adds an object, without any of the checks of `put`. */
  overwrite(key: string, bytes: Buffer, modifiedAt?: Date): void;
  setFreeSpace(space: { freeBytes: number; totalBytes: number } | undefined): void;
  /** The rules of its bucket, or why they may not be read. */
  setLifecycle(rules: readonly LifecycleRule[] | Failure): void;
  /** What it is found to be like. */
  setTraits(traits: Partial<StoreTraits>, locks?: LockTraits): void;
  /** Makes every later call reject with this, until undefined is given. */
  failWith(failure: Failure | undefined): void;
  /** How often `get` and `list` were called: thousands of manifests are not opened one by one. */
  readonly calls: { get: number; list: number };
}

/** Keeps bytes in memory, for tests. Object lock and versions are there only through the handles. */
export function memoryStore(options: { now?: () => Date; location?: string } = {}): MemoryStore {
  return new InMemory(options.now ?? (() => new Date()), options.location ?? 'memory:');
}

class InMemory implements MemoryStore {
  readonly location: string;
  readonly calls = { get: 0, list: 0 };
  readonly #now: () => Date;
  readonly #entries = new Map<string, Entry>();
  readonly #locks = new Map<string, Date | null>();
  readonly #hidden = new Map<string, Date>();
  readonly #uploads = new Set<{ key: string; at: Date }>();
  #lifecycle: readonly LifecycleRule[] | Failure | undefined;
  #lockTraits: LockTraits = { isPossible: false, byDefault: undefined };
  #traits: StoreTraits = {
    conditionalWrites: { whole: 'honoured', inParts: 'honoured' },
    clockOffsetSeconds: undefined,
    fileSystem: undefined,
  };
  #space: { freeBytes: number; totalBytes: number } | undefined;
  #failure: Failure | undefined;
  #writes = 0;

  constructor(now: () => Date, location: string) {
    this.#now = now;
    this.location = location;
  }

  async put(key: string, body: Readable, options: PutOptions = {}): Promise<StoredCopy> {
    const chunks: Buffer[] = [];
    const stop = guardBody(body, undefined);
    try {
      this.#refuseTaken(key);
      await readInto(body, options.signal, async (chunk) => {
        this.#check();
        chunks.push(chunk);
        options.onBytes?.(chunk.length);
      });
      this.#refuseTaken(key);
    } finally {
      stop();
      body.destroy();
    }
    const bytes = Buffer.concat(chunks);
    this.overwrite(key, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { bytes: bytes.length, sha256, tag: this.#entry(key).tag };
  }

  async get(key: string, options: { start?: number; length?: number; signal?: AbortSignal } = {}): Promise<Readable> {
    this.#check();
    this.calls.get += 1;
    const { bytes } = this.#entry(key);
    if (options.signal?.aborted === true) throw cancelled(options.signal);
    const start = options.start ?? 0;
    const stream = streamOf(bytes.subarray(start, start + (options.length ?? bytes.length)));
    stream.once('close', guardBody(stream, options.signal));
    return stream;
  }

  async head(key: string): Promise<ObjectState | undefined> {
    this.#check();
    const entry = this.#entries.get(key);
    return entry && { key, bytes: entry.bytes.length, modifiedAt: entry.modifiedAt, tag: entry.tag };
  }

  async *list(prefix: string, options: { after?: string; signal?: AbortSignal } = {}) {
    this.#check();
    this.calls.list += 1;
    for (const key of this.#keys(prefix)) {
      if (options.signal?.aborted === true) throw cancelled(options.signal);
      const entry = this.#entries.get(key);
      const isAfter = options.after === undefined || Buffer.compare(Buffer.from(key), Buffer.from(options.after)) > 0;
      if (entry !== undefined && isAfter) yield { key, bytes: entry.bytes.length, modifiedAt: entry.modifiedAt };
    }
  }

  async listFolders(options: { deleted?: boolean } = {}): Promise<string[]> {
    this.#check();
    const all = [...this.#keys(''), ...(options.deleted === true ? this.#hidden.keys() : [])];
    const nested = all.filter((key) => key.includes('/'));
    return sortedByBytes(new Set(nested.map((key) => key.slice(0, key.indexOf('/')))));
  }

  async remove(keys: readonly string[]): Promise<{ key: string; reason: string }[]> {
    this.#check();
    for (const key of keys.filter((key) => !this.#isLocked(key))) {
      this.#entries.delete(key);
      this.#hidden.delete(key);
    }
    return keys.filter((key) => this.#isLocked(key)).map((key) => ({ key, reason: 'locked' }));
  }

  async locks(prefix: string): Promise<{ key: string; until: Date | null }[]> {
    this.#check();
    return [...this.#locks]
      .filter(([key]) => key.startsWith(prefix) && this.#isLocked(key))
      .map(([key, until]) => ({ key, until }));
  }

  async keepsVersions(): Promise<boolean> {
    return false;
  }

  async *hidden(prefix: string): AsyncIterable<HiddenObject> {
    this.#check();
    for (const [key, hiddenAt] of this.#hidden) if (key.startsWith(prefix)) yield { key, hiddenAt };
  }

  async *versionsUnder(): AsyncIterable<ObjectVersion> {}

  async getVersion({ key }: Pick<ObjectVersion, 'key'>): Promise<never> {
    throw noVersions(key, this.location);
  }

  async undelete({ key }: Pick<ObjectVersion, 'key'>): Promise<never> {
    throw noVersions(key, this.location);
  }

  async *openUploads(prefix: string): AsyncIterable<OpenUpload> {
    this.#check();
    for (const upload of [...this.#uploads].filter(({ key }) => key.startsWith(prefix))) {
      const abort = async () => void this.#uploads.delete(upload);
      yield { key: upload.key, startedAt: upload.at, lastChangeAt: upload.at, abort };
    }
  }

  async freeSpace() {
    this.#check();
    return this.#space;
  }

  async lifecycle() {
    this.#check();
    if (this.#lifecycle instanceof Failure) throw this.#lifecycle;
    return this.#lifecycle;
  }

  async lockTraits() {
    this.#check();
    return this.#lockTraits;
  }

  async traits(key: string) {
    this.#check();
    this.#entry(key);
    return this.#traits;
  }

  retries(): number {
    return 0;
  }

  async close(): Promise<void> {}

  lock(key: string, until: Date | null): void {
    this.#locks.set(key, until);
  }

  hide(key: string): void {
    this.#entries.delete(key);
    this.#hidden.set(key, this.#now());
  }

  leaveUpload(key: string, lastChangeAt: Date): void {
    this.#uploads.add({ key, at: lastChangeAt });
  }

  overwrite(key: string, bytes: Buffer, modifiedAt: Date = this.#now()): void {
    this.#writes += 1;
    this.#hidden.delete(key);
    this.#entries.set(key, { bytes, modifiedAt, tag: `write ${this.#writes}` });
  }

  setFreeSpace(space: { freeBytes: number; totalBytes: number } | undefined): void {
    this.#space = space;
  }

  setLifecycle(rules: readonly LifecycleRule[] | Failure): void {
    this.#lifecycle = rules;
  }

  setTraits(traits: Partial<StoreTraits>, locks: LockTraits = this.#lockTraits): void {
    this.#traits = { ...this.#traits, ...traits };
    this.#lockTraits = locks;
  }

  failWith(failure: Failure | undefined): void {
    this.#failure = failure;
  }

  #refuseTaken(key: string): void {
    this.#check();
    if (this.#entries.has(key) && !isRewritten(key)) throw alreadyThere(`${key} in ${this.location}`);
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #entry(key: string): Entry {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new Failure('not-found', `${key} is not in ${this.location}.`);
    return entry;
  }

  #isLocked(key: string): boolean {
    const until = this.#locks.get(key);
    return until === null || (until !== undefined && until > this.#now());
  }

  #keys(prefix: string): string[] {
    return sortedByBytes([...this.#entries.keys()].filter((key) => key.startsWith(prefix)));
  }
}

function sortedByBytes(names: Iterable<string>): string[] {
  return [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function streamOf(bytes: Buffer): Readable {
  function* chunks() {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) yield bytes.subarray(start, start + CHUNK_BYTES);
  }
  return Readable.from(chunks(), { objectMode: false });
}
