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

/** Where the walk goes next: a folder, by its key with a slash at the end, or the keys of some of its files. */
type Step = string | readonly string[];

interface Taken {
  readonly found: readonly FoundFile[];
  readonly rest: readonly Step[];
}

/** Folders read, and files looked at, ahead of whoever takes them. */
const AHEAD = 16;
/** Files looked at together. */
const MOST_FILES = 256;

interface Sought {
  readonly base: string;
  readonly prefix: string;
  readonly wanted: (file: { key: string; name: string }) => boolean;
  readonly after: string;
}

/**
 * Walks the regular files in folders that may hold keys with this prefix, in ascending order of the
 * keys' bytes, folder by folder. Links, sockets and names that are no UTF-8 are not ours and do not
 * appear; folders that lie wholly before `after` are not opened. Of what is far ahead only names are kept.
 *
 * @param wanted which files to yield; a file is looked at only when it is wanted
 */
export async function* walk(
  base: string,
  prefix: string,
  wanted: Sought['wanted'],
  after = '',
): AsyncGenerator<FoundFile> {
  const ahead = new Map<Step, Promise<Taken>>();
  const begin = (step: Step): Promise<Taken> => {
    const taken = ahead.get(step) ?? take(step, { base, prefix, wanted, after });
    // What went wrong is told when its turn has come, if it comes.
    taken.catch(() => undefined);
    ahead.set(step, taken);
    return taken;
  };
  // The next step is the last one.
  const left: Step[] = [prefix.slice(0, prefix.lastIndexOf('/') + 1)];
  for (let step = left.at(-1); step !== undefined; step = left.at(-1)) {
    for (const next of left.slice(-AHEAD)) void begin(next);
    const { found, rest } = await begin(step);
    ahead.delete(step);
    left.pop();
    yield* found;
    for (const next of rest.toReversed()) left.push(next);
  }
}

async function take(step: Step, sought: Sought): Promise<Taken> {
  if (typeof step !== 'string') return { found: await look(sought.base, step), rest: [] };
  const [first, ...rest] = stepsIn(step, await namesIn(step, sought), sought);
  if (first === undefined) return { found: [], rest };
  if (typeof first === 'string') return { found: [], rest: [first, ...rest] };
  return { found: await look(sought.base, first), rest };
}

function stepsIn(folder: string, names: readonly string[], { prefix, wanted }: Sought): Step[] {
  const steps: Step[] = [];
  let files: string[] = [];
  for (const name of names) {
    const key = folder + name;
    if (name.endsWith('/')) {
      files = [];
      if (key.startsWith(prefix) || prefix.startsWith(key)) steps.push(key);
    } else if (wanted({ key, name })) {
      if (files.length === 0) steps.push(files);
      files.push(key);
      if (files.length === MOST_FILES) files = [];
    }
  }
  return steps;
}

/** What is in a folder after a key, in order; folders with a slash at the end, which is how their keys sort. */
async function namesIn(folder: string, { base, after }: Sought): Promise<string[]> {
  if (!after.startsWith(folder) && compareBytes(folder, after) < 0) return [];
  const start = after.startsWith(folder) ? after.slice(folder.length) : '';
  const names: string[] = [];
  for (const entry of await readFolder(join(base, folder))) {
    const isFolder = entry.isDirectory();
    const name = isFolder ? `${entry.name}/` : entry.name;
    if ((isFolder || entry.isFile()) && !isBefore(name, start)) names.push(name);
  }
  return names.sort(compareBytes);
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

function isBefore(name: string, start: string): boolean {
  if (start === '' || (name.endsWith('/') && start.startsWith(name))) return false;
  return compareBytes(name, start) <= 0;
}

async function look(base: string, keys: readonly string[]): Promise<FoundFile[]> {
  const found = await Promise.all(keys.map((key) => lookAt(key, join(base, key))));
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

/** Where UTF-16 may order in another way than UTF-8 does. */
const HIGH = /[\uD800-\uFFFF]/;

export function compareBytes(a: string, b: string): number {
  if (HIGH.test(a) || HIGH.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY);
}
