import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, rename, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Failure, messageOf } from '../core/failure.ts';
import { formatBytes } from '../core/size.ts';
import { childEnvironment } from './environment.ts';
import { runText } from './process.ts';
import { isAlive, ownIdentity, ProcessIdentity, processesIn } from './process-identity.ts';

/** A folder of one run, marked so that a later run knows whose it was. */
export interface ScratchDir {
  readonly path: string;
  /** Ends what still runs in it, and removes it; rejects with `scratch-failed` when the disk refuses. */
  remove(): Promise<void>;
  /** Leaves it to a person for a day; nobody else may enter. */
  keep(): Promise<void>;
}

const OWNER_FILE = 'owner.json';
const NAME = /^scratch-[A-Za-z0-9._-]+$/;
/** Being made or removed by the process that its name says: a moment in which there may be no file to say it. */
const HALF = /^\.half-([A-Za-z0-9_-]+)\.[0-9a-f]+$/;
const REMOVE_ROUNDS = 5;
const KEPT_MS = 24 * 3_600_000;
/** How long a folder is left alone whose owner cannot be judged from here (another container, no owner). */
const UNCLEAR_MS = 24 * 3_600_000;
const TMPFS = new Set([0x01021994, 0x858458f6]);

const Owner = ProcessIdentity.extend({
  createdAt: z.iso.datetime(),
  keptUntil: z.iso.datetime().optional(),
});
type Owner = z.output<typeof Owner>;

/**
 * Makes `scratch-<name>` below `base`, which is made too when it is not there.
 *
 * @param neededBytes free space there must be
 * @throws {Failure} `scratch-failed` when `base` is not safe or not on disk, `disk-full`
 */
export async function makeScratchDir(base: string, name: string, neededBytes: number): Promise<ScratchDir> {
  await prepareBase(base);
  await checkSpace(base, neededBytes);
  const path = join(base, `scratch-${name}`);
  const owner: Owner = { ...ownIdentity(), createdAt: new Date().toISOString() };
  await makeOwned(path, owner).catch((cause: unknown) => {
    throw unusable(base, `nothing can be written to it (${messageOf(cause)})`, cause);
  });
  return {
    path,
    remove: async () => void (await removeDir(path)),
    keep: async () => {
      await writeOwner(path, { ...owner, keptUntil: new Date(Date.now() + KEPT_MS).toISOString() });
      await chmod(path, 0o700);
    },
  };
}

async function makeOwned(path: string, owner: Owner): Promise<void> {
  const half = halfName(dirname(path));
  await mkdir(half, { mode: 0o711 });
  // The umask of the runner's service may have taken from it what the server's user needs to pass.
  await chmod(half, 0o711);
  await writeOwner(half, owner);
  await rename(half, path);
}

function halfName(base: string): string {
  const identity = Buffer.from(JSON.stringify(ownIdentity())).toString('base64url');
  return join(base, `.half-${identity}.${randomBytes(6).toString('hex')}`);
}

/** Undefined when the name does not say it. */
function makerOf(name: string): ProcessIdentity | undefined {
  try {
    const identity = Buffer.from(HALF.exec(name)?.[1] ?? '', 'base64url').toString('utf8');
    return ProcessIdentity.parse(JSON.parse(identity));
  } catch {
    return undefined; // not one of ours
  }
}

async function writeOwner(path: string, owner: Owner): Promise<void> {
  await writeFile(join(path, OWNER_FILE), `${JSON.stringify(owner)}\n`, { mode: 0o600 });
}

async function prepareBase(base: string): Promise<void> {
  const made = await mkdir(base, { recursive: true, mode: 0o711 }).catch((cause: unknown) => {
    throw unusable(base, 'it could not be made', cause);
  });
  if (made !== undefined) await chmod(base, 0o711);
  const state = await lstat(base);
  if (state.isSymbolicLink()) throw unusable(base, 'it is a symbolic link');
  if (!state.isDirectory()) throw unusable(base, 'it is no folder');
  if (!isTrusted(state)) throw unusable(base, 'it belongs to somebody else, or others may write to it');
  const { type } = await statfs(base);
  if (TMPFS.has(type)) throw unusable(base, 'it is on tmpfs: a database restored there would fill the memory');
}

/** Ours or the administrator's, and nobody else may put something in our folder's place. */
function isTrusted(state: Stats): boolean {
  const isSticky = (state.mode & 0o1000) !== 0;
  const othersWrite = (state.mode & 0o022) !== 0;
  return (state.uid === process.getuid?.() || state.uid === 0) && (isSticky || !othersWrite);
}

function unusable(base: string, why: string, cause?: unknown): Failure {
  return new Failure('scratch-failed', `The scratch folder ${base} cannot be used: ${why}.`, {
    cause,
    hint: 'Name with `scratch-dir` a folder on disk that belongs to the user of this runner and that only it may write to.',
  });
}

/** The nearest folder above `path` that another user cannot pass; undefined when all let it through. */
export async function closedFolderAbove(path: string): Promise<string | undefined> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** What an ordinary user may still write to the file system of `path`. */
export async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

async function checkSpace(base: string, neededBytes: number): Promise<void> {
  const freeBytes = await freeBytesOf(base);
  if (freeBytes >= neededBytes) return;
  const numbers = `${formatBytes(freeBytes)} are free, about ${formatBytes(neededBytes)} are needed`;
  throw new Failure('disk-full', `The scratch folder ${base} has too little room: ${numbers}.`, {
    hint: 'Free space there, or name a folder on a larger disk with `scratch-dir`.',
  });
}

/**
 * Removes folders below `base` that killed runs left or whose day as a kept one is over. Never
 * touches the folder of a live run, nor what does not bear our mark.
 *
 * @returns what was removed, one sentence each
 */
export async function removeLeftoverDirs(base: string): Promise<string[]> {
  const state = await lstat(base).catch(() => undefined);
  if (state === undefined || !state.isDirectory() || !isTrusted(state)) return [];
  const removed: string[] = [];
  for (const name of await readdir(base)) {
    const path = join(base, name);
    const why = NAME.test(name) || HALF.test(name) ? await whyLeftover(path) : undefined;
    if (why === undefined) continue;
    const ended = await removeDir(path);
    removed.push(`${path} (${why}${ended > 0 ? `; ${ended} processes still ran in it` : ''})`);
  }
  return removed;
}

async function whyLeftover(path: string): Promise<string | undefined> {
  const state = await lstat(path).catch(() => undefined);
  if (state === undefined || !state.isDirectory() || state.uid !== process.getuid?.()) return undefined;
  const isOld = Date.now() - state.mtimeMs > UNCLEAR_MS;
  const maker = makerOf(basename(path));
  if (maker !== undefined) return whyGone(maker, isOld);
  const owner = await readOwner(path);
  if (owner === undefined) return isOld ? 'it has no owner' : undefined;
  if (owner.keptUntil !== undefined) return Date.parse(owner.keptUntil) < Date.now() ? 'kept for a day' : undefined;
  return whyGone(owner, isOld);
}

function whyGone(owner: ProcessIdentity, isOld: boolean): string | undefined {
  const alive = isAlive(owner);
  if (alive === undefined) return isOld ? 'a day old, and its owner is not here' : undefined;
  return alive ? undefined : `left by process ${owner.pid}, which is gone`;
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return Owner.parse(JSON.parse(await readFile(join(path, OWNER_FILE), 'utf8')));
  } catch {
    return undefined; // not ours, or damaged; the age of the folder decides
  }
}

/** Resolves with how many processes had to be ended first. */
async function removeDir(path: string): Promise<number> {
  const ended = await endProcessesIn(path);
  const half = halfName(dirname(path));
  try {
    await rename(path, half);
    await removeTree(half);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
      throw unusable(dirname(path), `${path} cannot be removed (${messageOf(cause)})`, cause);
  }
  return ended;
}

/** Not with node's own, to which every file is a promise of the same moment: 60 MB for twelve thousand tables. */
async function removeTree(path: string): Promise<void> {
  const env = childEnvironment(process.env, { libpq: false });
  for (let round = 1; ; round += 1) {
    try {
      return void (await runText({ program: 'rm', args: ['-rf', '--', path], env }));
    } catch (error) {
      // Something was still writing to it.
      if (round === REMOVE_ROUNDS) throw error;
      await sleep(50);
    }
  }
}

/** A server is known by the data folder it works in, never by its name or number. */
async function endProcessesIn(path: string): Promise<number> {
  const ended = new Set<number>();
  for (let round = 0; round < 100; round += 1) {
    const running = processesIn(path);
    if (running.length === 0) break;
    for (const pid of running) {
      ended.add(pid);
      kill(pid);
    }
    await sleep(20);
  }
  return ended.size;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended by itself between the look and the signal.
  }
}
