import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure } from '../core/failure.ts';
import type { PutOptions } from '../core/ports.ts';
import { cancelled, readInto } from './body.ts';
import { errorCode, isAbsent, onDisk } from './local-errors.ts';
import { type Folder, syncFolder, TEMPORARY } from './local-folder.ts';
import { alreadyThere, isRewritten } from './write-once.ts';

const READ_BACK_BYTES = 4 * 1024 * 1024;
const TEMPORARY_NAME = /^\.tmp-\d+\.[^.]+\.[0-9a-f]{8}\.(.+)$/s;

/**
 * Writes `body` so that `path` is absent or complete at every moment: a temporary file beside it,
 * synced and read back, then given its name. Leaves nothing behind when it rejects.
 */
export async function writeDurably(
  folder: Folder,
  path: string,
  body: Readable,
  options: PutOptions,
): Promise<{ bytes: number; sha256: string }> {
  const { handle, temporary } = await openTemporary(folder, path);
  try {
    const written = await fill(handle, temporary, body, options).finally(() => handle.close());
    await readBack(temporary, written, options);
    await giveName(temporary, path);
    await syncFolder(dirname(path));
    return written;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // openUploads finds what cannot be removed now
    await folder.removeEmptyParents(path);
    throw error;
  }
}

/** The name a temporary file will get, or undefined when it is none of ours. */
export function nameOfTemporary(name: string): string | undefined {
  return TEMPORARY_NAME.exec(name)?.[1];
}

async function openTemporary(folder: Folder, path: string): Promise<{ handle: FileHandle; temporary: string }> {
  const host = hostname().replaceAll(/[^A-Za-z0-9_-]/g, '-') || 'unknown';
  const name = `${TEMPORARY}${process.pid}.${host}.${randomBytes(4).toString('hex')}.${basename(path)}`;
  const temporary = join(dirname(path), name);
  for (let attempt = 1; ; attempt += 1) {
    await folder.createParent(path);
    try {
      return { handle: await open(temporary, 'wx', 0o600), temporary };
    } catch (error) {
      // Somebody who removed the last backup beside us also removes the folder just created.
      if (!isAbsent(error) || attempt === 3) return onDisk(`Writing ${path}`, () => Promise.reject(error));
    }
  }
}

async function fill(
  handle: FileHandle,
  temporary: string,
  body: Readable,
  options: PutOptions,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await readInto(body, options.signal, async (chunk) => {
    await onDisk(`Writing ${temporary}`, () => handle.writeFile(chunk));
    hash.update(chunk);
    bytes += chunk.length;
    options.onBytes?.(chunk.length);
  });
  await onDisk(`Syncing ${temporary}`, () => handle.sync());
  return { bytes, sha256: hash.digest('hex') };
}

async function readBack(
  temporary: string,
  written: { bytes: number; sha256: string },
  options: PutOptions,
): Promise<void> {
  const hash = createHash('sha256');
  await onDisk(`Reading back ${temporary}`, async () => {
    await using handle = await open(temporary, 'r');
    for await (const chunk of handle.createReadStream({ highWaterMark: READ_BACK_BYTES, autoClose: false })) {
      hash.update(chunk);
      options.onBytes?.(0); // a sign of life, so that nobody takes the reading for a stall
      if (options.signal?.aborted === true) throw cancelled(options.signal);
    }
  });
  if (hash.digest('hex') === written.sha256) return;
  throw new Failure('artifact-corrupt', `${temporary} held other bytes than were written to it.`, {
    hint: 'The disk or its memory is damaged: check `dmesg` and SMART before writing backups there.',
  });
}

async function giveName(temporary: string, path: string): Promise<void> {
  await onDisk(`Naming ${path}`, async () => {
    if (isRewritten(path)) return rename(temporary, path);
    try {
      // link() refuses a name that is taken, which rename() would silently overwrite.
      await link(temporary, path);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') throw alreadyThere(path);
      // No hard links here (exFAT, many network mounts): the name was free a moment ago.
      return rename(temporary, path);
    }
    await rm(temporary);
  });
}
