import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { chmod, constants, lstat, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Standing } from '../core/change.ts';
import { Failure, messageOf } from '../core/failure.ts';

/** Where a run finds how things stood after the one before it. */
export interface VerdictMemory {
  /** Undefined when nothing is remembered, and when what is there cannot be read: that is no worse. */
  read(): Promise<Standing | undefined>;
  /** @throws {Failure} `disk-full`, `scratch-failed` when it cannot be kept */
  write(standing: Standing): Promise<void>;
}

const FOLDER = 'verdicts';
const NAME = /^[0-9a-f]{32}\.json(\.[0-9a-f-]{36}\.tmp)?$/;
/** What no run has written to for so long, none compares itself with. */
const KEPT_MS = 90 * 24 * 3_600_000;
const MAX_BYTES = 65_536;

/**
 * One small file below `base`, which is the folder of this user for everything that lives between jobs.
 * Written whole under another name and renamed, so that runs side by side read one or the other.
 *
 * @param key 32 hex digits
 */
export function verdictMemory(base: string, key: string): VerdictMemory {
  const folder = join(base, FOLDER);
  const path = join(folder, `${key}.json`);
  return {
    read: async () => ((await isOurs(folder)) ? readStanding(path) : undefined),
    write: async (standing) => {
      try {
        await prepare(base, folder);
        await writeWhole(path, `${JSON.stringify(standing)}\n`);
        await removeOld(folder);
      } catch (cause) {
        throw cause instanceof Failure ? cause : unusable(folder, messageOf(cause), cause);
      }
    },
  };
}

async function readStanding(path: string): Promise<Standing | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
      return Standing.parse(JSON.parse(buffer.subarray(0, bytesRead).toString('utf8')));
    } finally {
      await file.close();
    }
  } catch {
    return undefined; // No run before, or a file that somebody damaged.
  }
}

async function prepare(base: string, folder: string): Promise<void> {
  const made = await mkdir(base, { recursive: true, mode: 0o711 });
  // Drills have scratch servers there, whose user has to pass, whatever the umask takes away.
  if (made !== undefined) await chmod(base, 0o711);
  if (!(await isOurs(base))) throw unusable(base, 'it belongs to somebody else, or others may write to it');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!(await isOurs(folder))) throw unusable(folder, 'it belongs to somebody else, or others may write to it');
}

/** /var/tmp is everybody's: somebody else may have been there first. */
async function isOurs(path: string): Promise<boolean> {
  const state: Stats | undefined = await lstat(path).catch(() => undefined);
  return state?.isDirectory() === true && state.uid === process.getuid?.() && (state.mode & 0o022) === 0;
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function removeOld(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => NAME.test(each))) {
    const path = join(folder, name);
    const state = await lstat(path).catch(() => undefined);
    if (state !== undefined && Date.now() - state.mtimeMs > KEPT_MS) await rm(path, { force: true });
  }
}

function unusable(path: string, why: string, cause?: unknown): Failure {
  return new Failure('scratch-failed', `${path} cannot keep the verdict for the next run: ${why}.`, {
    ...(cause !== undefined && { cause }),
    hint: 'Give the user of this runner that folder, on a disk with room, or remove it. Until then each failure counts as a new one.',
  });
}
