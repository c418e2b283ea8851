import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import type { Client } from './programs.ts';
import { openSession, type Session } from './session.ts';

const MOST_BETWEEN_MS = 5_000;

export interface Heartbeat {
  readonly client: Client;
  /** Milliseconds without an answer after which the server is given up. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
}

/** Both abort with the failure when the server falls silent. */
export interface Alive {
  /** Aborts when the caller's does, too. */
  readonly signal: AbortSignal;
  /** For what must outlive a cancelled run. */
  readonly silence: AbortSignal;
}

/**
 * Asks a server on a connection of its own, while `use` works on others, whether it still answers. Bytes
 * that move cannot tell: an index is built without any, and a lost network keeps a sender waiting for ever.
 *
 * @throws what `use` rejects with; the reason of both signals is a `scratch-failed`
 */
export async function whileAnswering<T>(heartbeat: Heartbeat, use: (alive: Alive) => Promise<T>): Promise<T> {
  const silent = new AbortController();
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(fellSilent(heartbeat)), heartbeat.stallMs);
  };
  heard();
  const asking = keepAsking(heartbeat, over.signal, heard);
  try {
    return await use({ signal: AbortSignal.any([heartbeat.signal, silent.signal]), silence: silent.signal });
  } finally {
    over.abort();
    await asking;
    clearTimeout(timer);
  }
}

async function keepAsking({ client, stallMs }: Heartbeat, over: AbortSignal, heard: () => void): Promise<void> {
  const everyMs = Math.min(MOST_BETWEEN_MS, stallMs / 4);
  let session: Session | undefined;
  // The first one late: whether the server lets us in, the caller finds out.
  while (await waited(everyMs, over)) {
    try {
      session ??= await openSession(client, { applicationName: 'lifeboat', signal: over });
      await session.one('SELECT 1 AS alive');
      heard();
    } catch {
      // Somebody ended it: no answer, but no silence yet. The next one may get through.
      session = undefined;
    }
  }
  await session?.close();
}

async function waited(ms: number, over: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal: over }).catch(() => {});
  return !over.aborted;
}

function fellSilent({ client, stallMs }: Heartbeat): Failure {
  const message = `The server of \`scratch-url\` (${client.target.label}) gave no answer for ${formatDuration(stallMs)}.`;
  return new Failure('scratch-failed', message, {
    hint: 'That server or the network to it hangs: look at both, and drill again. If it is only slow, raise `stall-timeout`.',
  });
}
