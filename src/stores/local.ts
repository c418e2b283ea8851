import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { Failure } from '../core/failure.ts';
import type {
  HiddenObject,
  LockTraits,
  ObjectState,
  ObjectVersion,
  OpenUpload,
  PutOptions,
  Store,
  StoredCopy,
  StoreTraits,
} from '../core/ports.ts';
import { fileSystemOf } from '../core/store-traits.ts';
import { cancelled, endedEarly, exactly, guardBody } from './body.ts';
import { isAbsent, localFailure, onDisk } from './local-errors.ts';
import { Folder, syncFolder } from './local-folder.ts';
import { compareBytes, isTemporary, walk } from './local-list.ts';
import { nameOfTemporary, writeDurably } from './local-write.ts';
import type { FilePlace } from './store-url.ts';
import { noVersions } from './versions.ts';
import { alreadyThere, isRewritten } from './write-once.ts';

const READ_BYTES = 1024 * 1024;
/** Read at once: thousands of manifests as streams of a file take several times the memory, and longer. */
const SMALL_BYTES = 64 * 1024;

/**
 * A folder as a store. Files are 0600, folders 0700. The base folder is created by the first `put`
 * when its parent exists; before that, and while a disk is not mounted, everything that reads rejects
 * with `store-missing`.
 */
export function localStore(place: Pick<FilePlace, 'folder' | 'location'>): Store {
  return new Local(new Folder(place.folder, place.location));
}

class Local implements Store {
  readonly location: string;
  readonly #folder: Folder;

  constructor(folder: Folder) {
    this.#folder = folder;
    this.location = folder.location;
  }

  async put(key: string, body: Readable, options: PutOptions = {}): Promise<StoredCopy> {
    const stop = guardBody(body, options.signal);
    try {
      const path = await this.#pathToWrite(key);
      const written = await writeDurably(this.#folder, path, body, options);
      const stats = await onDisk(`Looking at ${path}`, () => lstat(path, { bigint: true }));
      return { ...written, tag: tagOf(stats) };
    } finally {
      stop();
      body.destroy(); // no effect on a body that was read to its end
    }
  }

  async get(key: string, options: { start?: number; length?: number; signal?: AbortSignal } = {}): Promise<Readable> {
    if (options.signal?.aborted === true) throw cancelled(options.signal);
    const path = await this.#folder.safePathOf(key);
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error) =>
      this.#refuseAbsent(key, error),
    );
    const stats = await handle.stat();
    if (!stats.isFile()) {
      await handle.close();
      throw new Failure('not-found', `${key} in ${this.location} is no file.`);
    }
    const start = options.start ?? 0;
    const length = Math.max(0, Math.min(options.length ?? stats.size, stats.size - start));
    if (length <= SMALL_BYTES) return readAtOnce(handle, { start, length, key }, options.signal);
    const file = handle.createReadStream({ start, end: start + length - 1, highWaterMark: READ_BYTES });
    return checkedStream(file, length, key, options.signal);
  }

  async head(key: string): Promise<ObjectState | undefined> {
    const path = await this.#folder.safePathOf(key);
    try {
      const stats = await lstat(path, { bigint: true });
      if (!stats.isFile()) return undefined;
      return { key, bytes: Number(stats.size), modifiedAt: stats.mtime, tag: tagOf(stats) };
    } catch (error) {
      if (!isAbsent(error)) throw localFailure(error, `Looking at ${path}`);
      await this.#folder.mustExist();
      return undefined;
    }
  }

  async *list(prefix: string, options: { after?: string; signal?: AbortSignal } = {}) {
    await this.#checkPrefix(prefix);
    const isWanted = ({ key, name }: { key: string; name: string }) => key.startsWith(prefix) && !isTemporary(name);
    const files = walk(this.#folder.base, prefix, isWanted, options.after);
    for await (const { key, stats } of files) {
      if (options.signal?.aborted === true) throw cancelled(options.signal);
      yield { key, bytes: stats.size, modifiedAt: stats.mtime };
    }
  }

  async listFolders(): Promise<string[]> {
    await this.#folder.mustExist();
    const { base } = this.#folder;
    const entries = await onDisk(`Reading ${base}`, () => readdir(base, { withFileTypes: true }));
    const folders = entries.filter((entry) => entry.isDirectory() && !isTemporary(entry.name));
    return folders.map((entry) => entry.name).sort(compareBytes);
  }

  async remove(keys: readonly string[]): Promise<{ key: string; reason: string }[]> {
    await this.#folder.mustExist();
    const left: { key: string; reason: string }[] = [];
    const touched = new Map<string, string>();
    for (const key of keys) {
      const path = await this.#folder.safePathOf(key);
      const reason = await removeFile(path);
      if (reason === undefined) touched.set(dirname(path), path);
      else left.push({ key, reason });
    }
    for (const [folder, path] of touched) {
      await syncFolder(folder).catch(refuseUnlessGone);
      await this.#folder.removeEmptyParents(path);
    }
    return left;
  }

  async locks(): Promise<{ key: string; until: Date | null }[]> {
    return [];
  }

  async keepsVersions(): Promise<boolean> {
    return false;
  }

  async *hidden(): AsyncIterable<HiddenObject> {}

  async *versionsUnder(): AsyncIterable<ObjectVersion> {}

  async getVersion({ key }: Pick<ObjectVersion, 'key'>): Promise<never> {
    throw noVersions(key, this.location);
  }

  async undelete({ key }: Pick<ObjectVersion, 'key'>): Promise<never> {
    throw noVersions(key, this.location);
  }

  async *openUploads(prefix: string): AsyncIterable<OpenUpload> {
    await this.#checkPrefix(prefix);
    for await (const { key, path, stats } of walk(this.#folder.base, prefix, ({ name }) => isTemporary(name))) {
      const name = nameOfTemporary(basename(path));
      const target = name === undefined ? undefined : join(dirname(key), name);
      if (target === undefined || !target.startsWith(prefix)) continue;
      const abort = () => this.#abort(path);
      yield { key: target, startedAt: stats.birthtime, lastChangeAt: stats.mtime, abort };
    }
  }

  async freeSpace(): Promise<{ freeBytes: number; totalBytes: number }> {
    const { base } = this.#folder;
    const space = await statfs(base).catch(async (error: unknown) => {
      if (!isAbsent(error)) throw localFailure(error, `Looking at ${base}`);
      // Before the first backup the base is missing, and will be on the file system of its parent.
      return statfs(dirname(base)).catch(async () => {
        await this.#folder.mustExist();
        throw localFailure(error, `Looking at ${base}`);
      });
    });
    return { freeBytes: space.bavail * space.bsize, totalBytes: space.blocks * space.bsize };
  }

  async lifecycle(): Promise<undefined> {
    return undefined;
  }

  async lockTraits(): Promise<LockTraits> {
    return { isPossible: false, byDefault: undefined };
  }

  async traits(key: string): Promise<StoreTraits> {
    const path = await this.#folder.safePathOf(key);
    const { type } = await onDisk(`Looking at ${path}`, () => statfs(path));
    // A name is taken by a link, which the kernel refuses where there is one.
    const conditionalWrites = { whole: 'honoured', inParts: 'honoured' } as const;
    return { conditionalWrites, clockOffsetSeconds: undefined, fileSystem: fileSystemOf(type) };
  }

  retries(): number {
    return 0;
  }

  async close(): Promise<void> {}

  async #pathToWrite(key: string): Promise<string> {
    await this.#folder.createBase();
    const path = await this.#folder.safePathOf(key);
    const isTaken = !isRewritten(key) && (await this.head(key)) !== undefined;
    if (isTaken) throw alreadyThere(`${key} in ${this.location}`);
    return path;
  }

  async #checkPrefix(prefix: string): Promise<void> {
    await this.#folder.mustExist();
    const folder = prefix.slice(0, prefix.lastIndexOf('/'));
    if (prefix.includes('/')) await this.#folder.safePathOf(`${folder}/x`);
  }

  async #refuseAbsent(key: string, error: unknown): Promise<never> {
    if (!isAbsent(error)) throw localFailure(error, `Opening ${key} in ${this.location}`);
    await this.#folder.mustExist();
    throw new Failure('not-found', `${key} is not in ${this.location}.`, { cause: error });
  }

  async #abort(path: string): Promise<void> {
    await onDisk(`Removing ${path}`, () => rm(path, { force: true }));
    await this.#folder.removeEmptyParents(path);
  }
}

async function removeFile(path: string): Promise<string | undefined> {
  try {
    await rm(path);
    return undefined;
  } catch (error) {
    return isAbsent(error) ? undefined : localFailure(error, 'Removing it').message;
  }
}

function refuseUnlessGone(error: Failure): void {
  if (!isAbsent(error.cause)) throw error;
}

function tagOf(stats: BigIntStats): string {
  return `${stats.size} bytes of ${stats.mtimeNs}`;
}

/** The bytes as a stream that errors where they are fewer; the file is closed. */
async function readAtOnce(
  handle: FileHandle,
  { start, length, key }: { start: number; length: number; key: string },
  signal: AbortSignal | undefined,
): Promise<Readable> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  await onDisk(`Reading ${key}`, async () => {
    await using file = handle;
    for (let read = -1; read !== 0 && filled < length; filled += read) {
      read = (await file.read(bytes, filled, length - filled, start + filled)).bytesRead;
    }
  });
  const stream = new Readable({
    read() {
      if (filled > 0) this.push(bytes.subarray(0, filled));
      if (filled === length) this.push(null);
      else this.destroy(endedEarly(key, filled, length));
    },
  });
  return stream.once('close', guardBody(stream, signal));
}

/** `file`, erroring when it ends early; destroying what is returned closes the file. */
function checkedStream(file: Readable, length: number, key: string, signal: AbortSignal | undefined): Readable {
  const checked = exactly(length, key);
  const stop = guardBody(checked, signal);
  pipeline(file, checked, stop);
  return checked;
}
