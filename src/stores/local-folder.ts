import { lstat, mkdir, open, realpath, rmdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Failure } from '../core/failure.ts';
import { errorCode, isAbsent, localFailure, onDisk } from './local-errors.ts';

export const TEMPORARY = '.tmp-';

/** The base folder of a local store: which paths keys have, and that none leaves it. */
export class Folder {
  readonly base: string;
  readonly location: string;
  #real: Promise<string> | undefined;

  constructor(base: string, location: string) {
    this.base = base;
    this.location = location;
  }

  /**
   * The path of a key, or of the folder part of a prefix. Keys come from manifests too, which
   * somebody else may have written: `..` must not lead out.
   */
  pathOf(key: string): string {
    const names = key.split('/');
    const odd = names.some((name) => name === '' || name === '.' || name === '..' || name.startsWith(TEMPORARY));
    if (!odd && !key.includes('\0')) return join(this.base, key);
    throw new Failure('store-denied', `The key ${JSON.stringify(key)} cannot be a path in ${this.location}.`, {
      hint: 'Keys have no empty, `.` or `..` parts. Whoever wrote this key did not write it with this program.',
    });
  }

  /** The same, after checking that no symbolic link on the way leads out of the base. */
  async safePathOf(key: string): Promise<string> {
    const path = this.pathOf(key);
    const [inside, base] = await Promise.all([realFolder(dirname(path)), this.#realBase()]);
    if (inside === base || inside.startsWith(base + sep)) return path;
    throw new Failure('store-denied', `${dirname(path)} is a link that leads out of ${this.location}.`, {
      hint: 'Use the folder it points to as a store of its own, or mount it in place (`mount --bind`).',
    });
  }

  /** Asked once: it stays where it is, and one that is exchanged for a link in between no longer matches. */
  #realBase(): Promise<string> {
    this.#real ??= realFolder(this.base);
    return this.#real;
  }

  /** Rejects with `store-missing` when the base does not exist: an unmounted disk is not an empty store. */
  async mustExist(): Promise<void> {
    if (await isFolder(this.base)) return;
    throw new Failure('store-missing', `The folder of the store ${this.location} does not exist.`, {
      hint: 'Mount the disk, or create the folder: the first backup creates it only below an existing folder.',
    });
  }

  /** Creates the base itself, but nothing above it: a missing parent is a disk that is not mounted. */
  async createBase(): Promise<void> {
    if (await isFolder(this.base)) return;
    if (!(await isFolder(dirname(this.base)))) await this.mustExist();
    await this.#create(this.base);
  }

  /** Creates the folder of a path below the base, durable up to the base. */
  async createParent(path: string): Promise<void> {
    await this.#create(dirname(path));
  }

  /** Step by step: `mkdir` with `recursive` reports a read-only file system as ENOENT. */
  async #create(folder: string): Promise<void> {
    try {
      await mkdir(folder, { mode: 0o700 });
    } catch (error) {
      if (errorCode(error) === 'EEXIST' && (await isFolder(folder))) return;
      if (errorCode(error) !== 'ENOENT' || folder === this.base) throw localFailure(error, `Creating ${folder}`);
      await this.#create(dirname(folder));
      return this.#create(folder);
    }
    await syncFolder(dirname(folder));
  }

  /** Removes the folder of a path and those above it, as long as they are empty; never the base. */
  async removeEmptyParents(path: string): Promise<void> {
    for (let folder = dirname(path); folder.startsWith(this.base + sep); folder = dirname(folder)) {
      try {
        await rmdir(folder);
      } catch {
        return; // not empty, already gone, or not ours to remove: an empty folder does no harm
      }
    }
  }
}

/** Makes a creation, rename or removal in `folder` survive a power cut, where the file system can do that. */
export async function syncFolder(folder: string): Promise<void> {
  await onDisk(`Syncing ${folder}`, async () => {
    await using handle = await open(folder, 'r');
    await handle.sync().catch((error: unknown) => {
      // Network file systems (SMB, some of FUSE) know no such thing for folders.
      if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(errorCode(error) ?? '')) throw error;
    });
  });
}

async function isFolder(path: string): Promise<boolean> {
  return onDisk(`Looking at ${path}`, async () => {
    try {
      return (await lstat(await realpath(path))).isDirectory();
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
  });
}

/** Links resolved as far as the path exists; what is created below cannot be a link. */
async function realFolder(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isAbsent(error) || path === dirname(path)) return onDisk(`Looking at ${path}`, () => Promise.reject(error));
    return join(await realFolder(dirname(path)), path.slice(dirname(path).length));
  }
}
