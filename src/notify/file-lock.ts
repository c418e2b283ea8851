import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Failure, messageOf } from '../core/failure.ts';

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
 * @throws {Failure} `tool-missing`, `source-busy` when the lock was not free in time, what `use` throws, else
 * `tool-failed` when the holder ended before `use` did
 */
export async function withFileLock<T>(path: string, options: LockOptions, use: () => Promise<T>): Promise<T> {
  const { child, ended } = await acquire(path, options);
  let result: T;
  try {
    result = await use();
  } finally {
    child.stdin.end();
    await ended;
  }
  // By itself `cat` ends with 0 at the end of its input, and `flock` with what `cat` ended with.
  const how = await ended;
  if (how !== 0) throw lost(path, how);
  return result;
}

interface Holder {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when nobody holds the lock any more, with the status or the signal; also when that was long ago. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

function startHolder(path: string, env: LockOptions['env']): Holder {
  const { PATH = '/usr/bin:/bin', RUNNER_TRACKING_ID } = env;
  const child = spawn('flock', ['-x', path, 'cat'], {
    env: { PATH, ...(RUNNER_TRACKING_ID !== undefined && { RUNNER_TRACKING_ID }) },
    // Ctrl-C on a terminal goes to the whole group: it is for us. When we are gone, its input is at an end.
    detached: true,
  });
  const ended: Holder['ended'] = new Promise((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  return { child, ended };
}

async function acquire(path: string, { env, signal }: LockOptions): Promise<Holder> {
  const holder = startHolder(path, env);
  const { child } = holder;
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
    await answerOf(holder);
    return holder;
  } catch (cause) {
    throw signal.aborted ? busy(path, cause) : cannotLock(path, cause, Buffer.concat(said).toString('utf8').trim());
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Resolves when the lock is held; rejects when the program could not be started or ended before. */
async function answerOf({ child, ended }: Holder): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stdout.once('data', () => resolve());
  child.once('error', reject);
  void ended.then((how) => reject(new Error(`flock ended with ${how}`)));
  await promise;
}

function busy(path: string, cause: unknown): Failure {
  return new Failure('source-busy', `Another process held the lock ${path} all the time.`, {
    cause,
    hint: `Find it with \`fuser ${path}\`: it hangs, or it was stopped.`,
  });
}

function lost(path: string, how: unknown): Failure {
  return new Failure(
    'tool-failed',
    `The lock ${path} was lost before the work under it was done: flock ended with ${how}.`,
    {
      hint: 'Another run may have written at the same time, so numbers may be missing until the next run. Find out what ended `flock`.',
    },
  );
}

function cannotLock(path: string, cause: unknown, said: string): Failure {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
    return new Failure('tool-missing', 'The program `flock` is missing, so two runs could overwrite each other.', {
      cause,
      hint: 'Install util-linux on this runner.',
    });
  }
  const why = said || messageOf(cause);
  return new Failure('tool-failed', `The lock ${path} could not be taken: ${why}`, {
    cause,
    hint: 'Make the folder of `metrics-file`, and let the user of this runner write there.',
  });
}
