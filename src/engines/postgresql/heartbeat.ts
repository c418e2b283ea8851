import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../../core/failure.ts';
import type { Client } from './programs.ts';
import { openSession, type Session } from './session.ts';

const MOST_BETWEEN_MS = 5_000;

export interface Heartbeat {
  /** Resolves with an answer of the server; ends what it opened when `over` aborts. */
  ask(over: AbortSignal): Promise<void>;
  /** Milliseconds without an answer after which the server is given up. */
  readonly stallMs: number;
  readonly signal: AbortSignal;
  /** What both signals then abort with. */
  fellSilent(): Failure;
}

/** Both abort with the failure when the server falls silent. */
export interface Alive {
  /** Aborts when the caller's does, too. */
  readonly signal: AbortSignal;
  /** For what must outlive a cancelled run. */
  readonly silence: AbortSignal;
}

/**
 * Asks a server every few seconds, while `use` works with it, whether it still answers. Bytes that move
 * cannot tell: an index is built without any, and a lost network keeps a sender waiting for ever.
 *
 * @throws what `use` rejects with
 */
export async function whileAnswering<T>(heartbeat: Heartbeat, use: (alive: Alive) => Promise<T>): Promise<T> {
  const silent = new AbortController();
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(heartbeat.fellSilent()), heartbeat.stallMs);
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

async function keepAsking({ ask, stallMs }: Heartbeat, over: AbortSignal, heard: () => void): Promise<void> {
  const everyMs = Math.min(MOST_BETWEEN_MS, stallMs / 4);
  // The first one late: whether the server lets us in, the caller finds out.
  while (await waited(everyMs, over)) await ask(over).then(heard, () => {});
}

/** Asks on a connection of its own. One that was ended is no answer, but the next may get through. */
export function askAnew(client: Client): Heartbeat['ask'] {
  let session: Session | undefined;
  return async (over) => {
    try {
      session ??= await openSession(client, { applicationName: 'lifeboat', signal: over, isKnown: true });
      await session.one('SELECT 1 AS alive');
    } catch (error) {
      session = undefined;
      throw error;
    }
  };
}

async function waited(ms: number, over: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal: over }).catch(() => {});
  return !over.aborted;
}
