import { mkdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Files } from '../core/workplace.ts';
import { replaceFile } from './page-file.ts';

/** Files below where the user works. @param base what relative paths are relative to */
export function userFiles(base: string): Files {
  return {
    resolve: (path) => resolve(base, path.replace(/^~(?=\/|$)/, homedir())),
    read: readIfThere,
    write: async (path, text, { secret }) => {
      try {
        await mkdir(dirname(path), { recursive: true, ...(secret && { mode: 0o700 }) });
        await replaceFile(path, text, secret ? 0o600 : 0o644);
      } catch (cause) {
        throw notWritten(path, cause);
      }
    },
    repositoryOf,
    home: homedir(),
  };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure('invalid-input', `${path} could not be read: ${why}`, {
      cause,
      hint: 'Check what lies there, and that this user may read it: `ls -ld` shows its owner and rights.',
    });
  }
}

/** The nearest folder above that git calls its own; in a worktree `.git` is a file. */
async function repositoryOf(path: string): Promise<string | undefined> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const isRepository = await stat(join(folder, '.git')).then(
      () => true,
      () => false,
    );
    if (isRepository) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function notWritten(path: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure('file-not-written', `${path} could not be written: ${why}`, {
    cause,
    hint: 'Name a folder that this user may write to, with room on its disk.',
  });
}
