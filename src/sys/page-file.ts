import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, messageOf } from '../core/failure.ts';

/** In every page of ours, near its beginning. */
const OURS = '<meta name="generator" content="lifeboat';
/** A web server runs as somebody else. */
const READABLE = 0o644;

/**
 * Writes a page so that whoever reads it meanwhile gets the old one or the new one.
 *
 * @param path absolute; the file when it ends in `.html`, else a folder
 * @param stores URLs; in none of their folders, since a page would look like a source, or make a folder of a disk that is
 *               not mounted
 * @throws {Failure} `guard-refused` when another page lies there, `page-not-written` when the disk refuses
 */
export async function writePage(path: string, page: string, stores: readonly string[] = []): Promise<string> {
  const file = /\.html$/i.test(path) ? path : join(path, 'index.html');
  try {
    for (const store of stores) await refuseInside(file, store);
    await mkdir(dirname(file), { recursive: true });
    await refuseForeignPage(file);
    await replaceFile(file, page, READABLE);
    return file;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = messageOf(error);
    throw new Failure('page-not-written', `The status page could not be written to ${file}: ${why}`, {
      cause: error,
      hint: 'Name a folder that this user may write to, with room on its disk.',
    });
  }
}

async function refuseInside(file: string, store: string): Promise<void> {
  if (!store.startsWith('file:')) return;
  const folder = await realFolder(fileURLToPath(store));
  const place = await realFolder(dirname(file));
  if (place !== folder && !place.startsWith(`${folder}/`)) return;
  throw new Failure('guard-refused', `${file} lies in the store ${folder}; no status page was written.`, {
    hint: 'Name a folder outside of every store, e.g. one of the workspace.',
  });
}

/** With links resolved as far as there is something; what is not there yet has none. */
async function realFolder(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined || dirname(path) === path) return real ?? path;
  return join(await realFolder(dirname(path)), basename(path));
}

async function refuseForeignPage(file: string): Promise<void> {
  const there = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (there === undefined || (there.isFile() && (await readFile(file, 'utf8')).includes(OURS))) return;
  throw new Failure('guard-refused', `${file} is there and is no status page of Lifeboat; it was left alone.`, {
    hint: 'Name another folder, or remove that file.',
  });
}

/** Whoever reads it meanwhile gets the old text or the new one. */
export async function replaceFile(file: string, text: string, mode: number): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(4).toString('hex')}`);
  try {
    await using handle = await open(temporary, 'wx', mode);
    await handle.writeFile(text);
    await handle.sync();
    // The umask of the runner's service may have taken from it what others need to read it.
    await chmod(temporary, mode);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
