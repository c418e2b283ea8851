import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/duration.ts';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports.ts';
import { literal, type Session } from './session.ts';

const POLL_MS = 1_000;
/** Between two lines that say who is waited for. */
const SAY_MS = 10_000;

interface Holder {
  application: string;
  since: string;
  address: string | null;
}

/**
 * Takes the lock of a source for as long as the session lives: an advisory lock, which a read-only role
 * and a standby have too, and which ends with its holder, however that dies. It is per database; a
 * primary and its standby do not share it.
 *
 * @param given.waitMs how long to wait for another run; 0 refuses at once
 * @throws {Failure} `source-busy`, saying who holds it
 */
export async function lockSource(
  session: Session,
  given: {
    readonly source: string;
    readonly waitMs: number;
    readonly signal: AbortSignal;
    readonly log: Pick<Log, 'info'>;
  },
): Promise<void> {
  const { source, waitMs, signal, log } = given;
  const key = lockKey(source);
  for (let waited = 0; ; waited += POLL_MS) {
    const { taken } = await session.one<{ taken: boolean }>(`SELECT pg_try_advisory_lock(${key}) AS taken`);
    if (taken) return;
    if (waited >= waitMs) throw busy(source, await holderOf(session, key), waitMs);
    if (waited % SAY_MS === 0) {
      const who = describeBusy(source, await holderOf(session, key));
      log.info(`Waiting, at most ${formatDuration(waitMs)}: the ${who}`);
    }
    await sleep(Math.min(POLL_MS, waitMs - waited), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** A signed 64-bit number that is the same for a source everywhere. */
export function lockKey(source: string): string {
  return advisoryKey(`lifeboat source ${source}`);
}

export function advisoryKey(what: string): string {
  const digest = createHash('sha256').update(what).digest();
  return `'${digest.readBigInt64BE(0)}'::int8`;
}

export async function holderOf(session: Session, key: string): Promise<Holder | undefined> {
  const [holder] = await session.query<Holder>(`
    SELECT a.application_name AS application, to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since,
      host(a.client_addr) AS address
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND (l.classid::int8 << 32) | l.objid::int8 = ${key}
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`);
  return holder;
}

function describeBusy(source: string, holder: Holder | undefined): string {
  return `source ${source} is being backed up by ${describeHolder(holder)}.`;
}

export function describeHolder(holder: Holder | undefined): string {
  const who = holder === undefined ? 'another run' : `"${holder.application}"`;
  const since =
    holder?.since == null
      ? ''
      : `, connected since ${holder.since}${holder.address == null ? '' : ` from ${holder.address}`}`;
  return `${who}${since}`;
}

function busy(source: string, holder: Holder | undefined, waitMs: number): Failure {
  const waited = waitMs > 0 ? ` It did not end within ${formatDuration(waitMs)}.` : '';
  return new Failure('source-busy', `The ${describeBusy(source, holder)}${waited}`, {
    hint: 'Let the other run finish, or wait for it with `lock-timeout: 30m`. Give both jobs the same `concurrency` group so that they queue.',
  });
}

/** Ends every connection that carries our name but this one, also those of programs inside a container. */
export async function endOwnBackends(session: Session, applicationName: string): Promise<void> {
  await session.query(`
    SELECT pg_terminate_backend(pid) AS ended FROM pg_catalog.pg_stat_activity
    WHERE application_name = ${literal(applicationName)} AND usename = current_user AND pid <> pg_backend_pid()`);
}
