import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Failure } from '../core/failure.ts';

export interface LockOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/**
 * Runs `use` while no other process on this machine holds the lock.
 *
 * The lock is the kernel's, which node cannot take itself: `flock` holds it for as long as the `cat` behind it waits
 * for the end of its input. So it is free at the moment its holder is gone, SIGKILL included. There is no stale lock,
 * and the file means nothing while nobody holds it.
 *
 * @throws {Failure} `tool-missing`, `source-busy` when the lock was not free in time, else what `use` throws
 */
export async function withFileLock<T>(path: string, options: LockOptions, use: () => Promise<T>): Promise<T> {
  const holder = await acquire(path, options);
  try {
    return await use();
  } finally {
    const closed = once(holder, 'close');
    holder.stdin.end();
    await closed;
  }
}

async function acquire(path: string, { env, signal }: LockOptions): Promise<ChildProcessWithoutNullStreams> {
  const { PATH = '/usr/bin:/bin', RUNNER_TRACKING_ID } = env;
  const child = spawn('flock', ['-x', path, 'cat'], {
    env: { PATH, ...(RUNNER_TRACKING_ID !== undefined && { RUNNER_TRACKING_ID }) },
  });
  // A holder that ends early breaks the pipe; its exit says why.
  child.stdin.on('error', () => {});
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  // What `cat` gives back says that the lock is held.
  child.stdin.write('?');
  const stop = () => child.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    await answerOf(child);
    return child;
  } catch (cause) {
    throw signal.aborted ? busy(path, cause) : cannotLock(path, cause, Buffer.concat(said).toString('utf8').trim());
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Resolves when the lock is held; rejects when the program could not be started or ended before. */
async function answerOf(child: ChildProcessWithoutNullStreams): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout.once('data', () => resolve());
  child.once('error', reject);
  child.once('close', (code, signal) => reject(new Error(`flock ended with ${code ?? signal}`)));
  await promise;
}

function busy(path: string, cause: unknown): Failure {
  return new Failure('source-busy', `Another process held the lock ${path} all the time.`, {
    cause,
    hint: `Find it with \`fuser ${path}\`: it hangs, or it was stopped.`,
  });
}

function cannotLock(path: string, cause: unknown, said: string): Failure {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
    return new Failure('tool-missing', 'The program `flock` is missing, so two runs could overwrite each other.', {
      cause,
      hint: 'Install util-linux on this runner.',
    });
  }
  const why = said || (cause instanceof Error ? cause.message : String(cause));
  return new Failure('tool-failed', `The lock ${path} could not be taken: ${why}`, {
    cause,
    hint: 'Make the folder of `metrics-file`, and let the user of this runner write there.',
  });
}
