import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/failure.ts';
import { asSentence } from '../../core/plain-text.ts';
import type { Log } from '../../core/ports.ts';
import type { Client } from './programs.ts';
import { openSession, type Session } from './session.ts';

/** A server that restarts is back by then, and whoever mistyped the port learns it soon enough. */
const WAITS_MS: readonly number[] = [1_000, 2_000, 4_000];

/** What waiting can help with. A password, a name or a certificate that is wrong stays wrong. */
const PASSING = new RegExp(
  [
    'the database system is (starting up|shutting down|in recovery mode|not yet accepting connections)',
    'too many (clients|connections)|remaining connection slots',
    'Connection refused|Connection reset by peer|server closed the connection unexpectedly',
    // Of a socket that is not there: a server takes it along when it stops.
    'Is the server running locally',
    'terminating connection due to administrator command',
  ].join('|'),
);

/** Connects to servers that others run, patiently, and counts. */
export interface Connecting {
  /** As `openSession`; `patience` ends the waiting between tries, also where the session outlives it. */
  open(
    client: Client,
    given: { applicationName: string; signal?: AbortSignal },
    patience: AbortSignal,
  ): Promise<Session>;
  /** How often a passing error was met and connecting tried again. */
  retries(): number;
}

export function connecting({ env, log }: { env: NodeJS.ProcessEnv; log: Log }): Connecting {
  const share = Number(env.LIFEBOAT_TEST_RETRY_WAIT ?? 1);
  /** Where a session was opened before. */
  const known = new Set<string>();
  let retries = 0;
  const wait = async (ms: number, error: Failure, signal: AbortSignal) => {
    log.info(`${asSentence(error.message.trim().split('\n')[0] ?? '')} Trying again in ${ms / 1000} s.`);
    await sleep(ms * share, undefined, { signal }).catch(() => signal.throwIfAborted());
    retries += 1;
  };
  return {
    open: async (client, given, patience) => {
      const { label } = client.target;
      const session = await patiently(
        () => openSession(client, { ...given, isKnown: known.has(label) }),
        (ms, error) => wait(ms, error, patience),
      );
      known.add(label);
      return session;
    },
    retries: () => retries,
  };
}

/** Tries again while the error is a passing one and there are waits left. */
export async function patiently<T>(
  connect: () => Promise<T>,
  wait: (ms: number, error: Failure) => Promise<void>,
): Promise<T> {
  for (const ms of WAITS_MS) {
    try {
      return await connect();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await wait(ms, error);
    }
  }
  return connect();
}

/** Of several hosts in one URL each may have its own reason; what another try cannot mend comes first in `explain`. */
function isPassing(error: unknown): error is Failure {
  if (!(error instanceof Failure) || !PASSING.test(error.message)) return false;
  return error.code === 'source-unreachable' || error.code === 'source-busy';
}
