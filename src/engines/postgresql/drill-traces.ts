import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../core/failure.ts';
import type { Log } from '../../core/ports.ts';
import { DRILL_PREFIX, drillDatabase, drillMark, isDeadMark } from './drill-mark.ts';
import type { Client } from './programs.ts';
import { identifier, literal, openSession, type Session } from './session.ts';

/** A drill on a server that is not ours, and what it left there. */
export interface Dropping {
  readonly client: Client;
  readonly session: Session;
  /** Aborts when the server gives no answer any more. */
  readonly silence: AbortSignal;
  readonly drillId: string;
}

/** Between tries on new connections: of a server that was started again the old ones are gone. */
const AGAIN_MS = [0, 1_000, 2_000, 4_000];

/**
 * Removes database and roles of one drill, and ends its session.
 *
 * @throws {Failure} `scratch-failed` when the server does not let us
 */
export async function dropSurely({ client, session, silence, drillId }: Dropping): Promise<void> {
  let failed = await failureIn(() => dropOwn(session, drillId).finally(() => session.close()));
  for (const pauseMs of AGAIN_MS) {
    if (failed === undefined || silence.aborted) break;
    await sleep(pauseMs);
    failed = await failureIn(() => dropAnew(client, drillId, silence));
  }
  if (failed === undefined) return;
  const message = `The database ${drillDatabase(drillId)} of this drill and its roles could not be removed from the server of \`scratch-url\`.`;
  throw new Failure('scratch-failed', message, {
    cause: failed.error,
    hint: 'The next drill on this runner with this `scratch-url` removes them. Look why that server does not answer.',
  });
}

async function failureIn(use: () => Promise<void>): Promise<{ error: unknown } | undefined> {
  return use().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
}

async function dropAnew(client: Client, drillId: string, signal: AbortSignal): Promise<void> {
  const session = await openSession(client, { applicationName: 'lifeboat', signal });
  await dropOwn(session, drillId).finally(() => session.close());
}

async function dropOwn(session: Session, drillId: string): Promise<void> {
  const mark = drillMark(drillId);
  const roles = await markedRoles(session, (comment) => comment === mark);
  const own = (await drillDatabases(session)).find(({ name }) => name === drillDatabase(drillId));
  if (own !== undefined && isOf(own, (comment) => comment === mark, roles)) await dropDatabase(session, own.name);
  for (const name of roles) await dropRole(session, name);
}

/**
 * Removes databases and roles that bear the mark of a run on this machine which is over.
 *
 * @returns what was removed, for the log
 */
export async function dropDead(session: Session, log: Log): Promise<string[]> {
  const roles = await markedRoles(session, isDeadMark);
  const dead = (await drillDatabases(session)).filter((one) => isOf(one, isDeadMark, roles)).map(({ name }) => name);
  const gone: string[] = [];
  const attempt = (what: string, drop: Promise<void>) =>
    drop.then(
      () => void gone.push(what),
      // Made by a drill with another role in its URL; ours goes on without.
      (error: unknown) => log.warning(`The ${what} of a killed drill could not be removed: ${error}`),
    );
  for (const name of dead) await attempt(`database ${name}`, dropDatabase(session, name));
  for (const name of roles) await attempt(`role ${name}`, dropRole(session, name));
  return gone;
}

interface DrillDatabase {
  readonly name: string;
  readonly comment: string | null;
}

/** A database gets its comment after it was made; until then the role of its name, which was there before it, tells. */
function isOf(
  { name, comment }: DrillDatabase,
  isMark: (comment: string | null) => boolean,
  roles: readonly string[],
): boolean {
  return comment === null ? roles.includes(name) : isMark(comment);
}

export async function hasDatabase(session: Session, name: string): Promise<boolean> {
  return (await drillDatabases(session)).some((one) => one.name === name);
}

/** By name only: the comment says whose each is. */
function drillDatabases(session: Session): Promise<DrillDatabase[]> {
  return session.query(`
    SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database
    WHERE starts_with(datname, ${literal(DRILL_PREFIX)})`);
}

async function dropDatabase(session: Session, name: string): Promise<void> {
  await session.execute(`DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`);
}

async function markedRoles(session: Session, isOurs: (comment: string | null) => boolean): Promise<string[]> {
  const roles = await session.query<{ name: string; comment: string | null }>(`
    SELECT rolname AS name, shobj_description(oid, 'pg_authid') AS comment FROM pg_catalog.pg_roles`);
  return roles.filter(({ comment }) => isOurs(comment)).map(({ name }) => name);
}

async function dropRole(session: Session, name: string): Promise<void> {
  await session.execute(`DROP ROLE IF EXISTS ${identifier(name)}`);
}
