import { setTimeout as sleep } from 'node:timers/promises';
import type { TargetRequest } from '../../core/ports.ts';
import type { Client } from './programs.ts';
import type { ConnectedContext } from './scratch.ts';
import { openSession, type Session } from './session.ts';

/** The server of a restore, as everything that works on it sees it. */
export interface Lent {
  readonly request: TargetRequest;
  readonly context: ConnectedContext;
  /** Connects to the maintenance database unless another one is named. */
  readonly client: Client;
  /** In the maintenance database, not bound to the signal: it cleans up when we are cancelled. */
  readonly session: Session;
  /** Aborts when the server gives no answer any more. */
  readonly silence: AbortSignal;
  /** Name of the target's database. */
  readonly name: string;
  /** Of the server. */
  readonly major: number;
  readonly user: { readonly name: string; readonly superuser: boolean };
  /** For the lists that pg_restore reads. */
  readonly folder: string;
  /** Shown to whoever finds the lock taken or a connection of ours. */
  readonly applicationName: string;
  /** Databases that were made and are not finished, with the statements that finish them. */
  readonly building: Map<string, readonly FinishingStatement[]>;
  isLocked: boolean;
}

/** A statement for a database, by the name it then has. */
export type FinishingStatement = (quotedName: string) => string;

/** A session in one database of the server; ends when we are cancelled. */
export async function inDatabase<T>(lent: Lent, database: string, use: (session: Session) => Promise<T>): Promise<T> {
  const { client, request, applicationName } = lent;
  const session = await openSession(client, { applicationName, database, signal: request.signal });
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** One more in the maintenance database, that outlives a cancelled run. */
export function openBeside({ client, applicationName, silence }: Lent): Promise<Session> {
  return openSession(client, { applicationName, signal: silence });
}

/** Between tries on new connections: of a server that was started again the old ones are gone. */
const AGAIN_MS = [0, 1_000, 2_000, 4_000];

/** The same on a connection of its own, for when that of `lent` may be gone; tried again while the server comes back. */
export async function onNewSession<T>(lent: Lent, use: (session: Session) => Promise<T>): Promise<T> {
  let failed: unknown;
  for (const pauseMs of AGAIN_MS) {
    if (lent.silence.aborted) break;
    await sleep(pauseMs);
    try {
      const session = await openBeside(lent);
      return await use(session).finally(() => session.close());
    } catch (error) {
      failed = error;
    }
  }
  throw failed ?? lent.silence.reason;
}

export function applicationNameOf(restoreId: string): string {
  // PostgreSQL cuts it at 63 bytes.
  return `lifeboat restore ${restoreId}`.slice(0, 63);
}
