import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsent, onDisk } from './local-errors.ts';
import { TEMPORARY } from './local-folder.ts';

export interface FoundFile {
  readonly key: string;
  readonly path: string;
  readonly stats: Stats;
}

interface Entry {
  /** Folders with a slash at the end, which is how their keys sort. */
  readonly key: string;
  readonly name: string;
  readonly isFolder: boolean;
}

/**
 * Walks the regular files in folders that may hold keys with this prefix, in ascending order of the
 * keys' bytes, folder by folder. Links, sockets and names that are no UTF-8 are not ours and do not
 * appear; folders that lie wholly before `after` are not opened.
 *
 * @param wanted which files to yield; a file is looked at only when it is wanted
 */
export async function* walk(
  base: string,
  prefix: string,
  wanted: (file: { key: string; name: string }) => boolean,
  after = '',
): AsyncGenerator<FoundFile> {
  const top = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  yield* walkFolder(top);

  async function* walkFolder(folder: string): AsyncGenerator<FoundFile> {
    let files: Entry[] = [];
    for (const entry of await entriesOf(base, folder)) {
      if (isBefore(entry, after)) continue;
      if (!entry.isFolder) {
        if (wanted(entry)) files.push(entry);
        continue;
      }
      if (!entry.key.startsWith(prefix) && !prefix.startsWith(entry.key)) continue;
      yield* await look(base, files);
      files = [];
      yield* walkFolder(entry.key);
    }
    yield* await look(base, files);
  }
}

async function entriesOf(base: string, folder: string): Promise<Entry[]> {
  const found = await readFolder(join(base, folder));
  const entries = found
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => {
      const isFolder = entry.isDirectory();
      return { key: folder + entry.name + (isFolder ? '/' : ''), name: entry.name, isFolder };
    });
  return entries.sort((a, b) => compareBytes(a.key, b.key));
}

/** What is in a folder; nothing when it does not exist (any more). */
async function readFolder(path: string): Promise<Dirent[]> {
  return onDisk(`Reading ${path}`, async () => {
    try {
      return await readdir(path, { withFileTypes: true });
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  });
}

function isBefore(entry: Entry, after: string): boolean {
  if (after === '') return false;
  if (entry.isFolder && after.startsWith(entry.key)) return false;
  return compareBytes(entry.key, after) <= 0;
}

async function look(base: string, entries: readonly Entry[]): Promise<FoundFile[]> {
  const found = await Promise.all(entries.map((entry) => lookAt(entry.key, join(base, entry.key))));
  return found.filter((file) => file !== undefined);
}

async function lookAt(key: string, path: string): Promise<FoundFile | undefined> {
  return onDisk(`Looking at ${path}`, async () => {
    try {
      return { key, path, stats: await lstat(path) };
    } catch (error) {
      // Gone since the folder was read, or a name that is no UTF-8 and so cannot be asked for.
      if (isAbsent(error)) return undefined;
      throw error;
    }
  });
}

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY);
}
