import { type Readable, Transform } from 'node:stream';
import { Failure } from '../core/failure.ts';
import { onAbort } from '../core/on-abort.ts';

/** Why a call ended early: the reason the signal was given, when that can be shown, else `cancelled`. */
export function cancelled(signal: AbortSignal): Failure {
  const reason: unknown = signal.reason;
  if (reason instanceof Failure) return reason;
  return new Failure('cancelled', 'It was cancelled before it was finished.', { cause: reason });
}

/**
 * Hands every chunk of `body` to `take`, one at a time. The body is destroyed when `take` rejects or
 * `signal` aborts, so that the program behind it ends.
 *
 * @throws what `body` errored with, what `take` rejected with, or the reason of the signal
 */
export async function readInto(
  body: Readable,
  signal: AbortSignal | undefined,
  take: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  const stop = guardBody(body, signal);
  try {
    for await (const chunk of body) await take(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk));
    if (signal?.aborted === true) throw cancelled(signal);
  } finally {
    stop();
  }
}

/**
 * Destroys `body` with the reason as soon as `signal` aborts. Returns what ends the watch. An error
 * of the body before anybody reads it is kept for the reader and does not end the process.
 */
export function guardBody(body: Readable, signal: AbortSignal | undefined): () => void {
  body.on('error', () => {});
  if (signal === undefined) return () => {};
  const destroy = () => void body.destroy(cancelled(signal));
  if (!signal.aborted) return onAbort(signal, destroy);
  destroy();
  return () => {};
}

/** Passes bytes through, and errors unless they are `length` in all: a short read must never look like the end. */
export function exactly(length: number, key: string): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      done(seen === length ? null : endedEarly(key, seen, length));
    },
  });
}

export function endedEarly(key: string, seen: number, length: number): Failure {
  return new Failure('artifact-corrupt', `${key} ended after ${seen} of ${length} bytes.`, {
    hint: 'It was changed or truncated while it was read: find out by whom, and check the disk.',
  });
}
