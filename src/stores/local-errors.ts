import { Failure, type FailureCode, messageOf } from '../core/failure.ts';

const MEANINGS: Record<string, { code: FailureCode; hint: string }> = {
  ENOSPC: { code: 'store-full', hint: 'Free space on that file system, or prune older backups first.' },
  EDQUOT: { code: 'store-full', hint: 'Raise the disk quota of the user the runner runs as, or prune older backups.' },
  EFBIG: { code: 'store-full', hint: 'The file system or a limit (`ulimit -f`) allows no file of this size.' },
  EACCES: { code: 'store-denied', hint: 'Give the user the runner runs as read and write access to this folder.' },
  EPERM: { code: 'store-denied', hint: 'Give the user the runner runs as read and write access to this folder.' },
  EROFS: { code: 'store-denied', hint: 'The file system is mounted read-only: remount it for writing.' },
  ELOOP: {
    code: 'store-denied',
    hint: 'A symbolic link stands where a file or folder of the store belongs: remove it.',
  },
  ENOTDIR: { code: 'store-denied', hint: 'A file stands where the store needs a folder: move it away.' },
  EEXIST: { code: 'store-denied', hint: 'A file stands where the store needs a folder: move it away.' },
  ENAMETOOLONG: { code: 'store-denied', hint: 'The file system takes no name of this length: use a shorter folder.' },
};

const UNAVAILABLE = {
  code: 'store-unavailable' as const,
  hint: 'Check the disk and its mount: `dmesg`, `df`, `mount`.',
};

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Whether `error` says that a file or folder is not there. */
export function isAbsent(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** An error of the file system as a failure an operator can act on. */
export function localFailure(error: unknown, doing: string): Failure {
  if (error instanceof Failure) return error;
  const { code, hint } = MEANINGS[errorCode(error) ?? ''] ?? UNAVAILABLE;
  return new Failure(code, `${doing} failed: ${messageOf(error)}`, {
    hint,
    cause: error,
  });
}

/** Runs one step on the file system; its errors become failures that say what was being done. */
export async function onDisk<T>(doing: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw localFailure(error, doing);
  }
}
