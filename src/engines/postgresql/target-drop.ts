import { Failure } from '../../core/failure.ts';
import { identifier, literal, type Session } from './session.ts';
import { type ListedDatabase, listDatabases } from './target-databases.ts';
import { type Lent, onNewSession } from './target-lent.ts';
import { refusedAs } from './target-words.ts';

const MOST_DROP_MINUTES = 10;

/** Ends connections to `database` and drops it, when it is the target or bears the mark of a restore to it. */
export async function dropNamed(lent: Lent, database: string): Promise<void> {
  const listed = (await listDatabases(lent.session, lent.name)).find(({ name }) => name === database);
  if (listed === undefined) {
    throw new Failure(
      'guard-refused',
      `The database ${database} was not dropped: it is not ${lent.name}, and bears no mark of a restore to it.`,
      { hint: `Look what it holds. If nobody needs it: DROP DATABASE ${identifier(database)};` },
    );
  }
  await dropDatabase(lent.session, database).catch((error: unknown) => finishDrop(lent, database, error));
  lent.building.delete(database);
}

/** `datconnlimit` of a database whose drop was cut off: it can be dropped, and nothing else. */
const INVALID = -2;

/** A drop that was cut off may have come to its end, or have destroyed what is still there by name. */
async function finishDrop(lent: Lent, database: string, error: unknown): Promise<void> {
  const isGone = await onNewSession(lent, async (session) => {
    const [one] = await session.query<{ limit: number }>(
      `SELECT datconnlimit AS limit FROM pg_catalog.pg_database WHERE datname = ${literal(database)}`,
    );
    if (one?.limit === INVALID) await dropDatabase(session, database);
    return one === undefined || one.limit === INVALID;
  }).catch(() => false);
  if (!isGone) throw error;
}

/** It waits for every process of the server to take note: one that hangs must not hold us for ever. */
async function dropDatabase(session: Session, database: string): Promise<void> {
  const name = identifier(database);
  await session.execute(`SET statement_timeout = '${MOST_DROP_MINUTES}min'`);
  await refusedAs(
    session
      .execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
      .finally(() => session.execute('SET statement_timeout = 0').catch(() => {})),
    `The database ${database} could not be dropped`,
    'What keeps it: prepared transactions (pg_prepared_xacts), logical replication slots in use (pg_replication_slots), subscriptions in it (pg_subscription), or connections that this role may not end. Remove them, and drop it again.',
  );
}

/** What killed restores left half-restored. The caller holds the lock: whoever made it is gone. */
export async function dropLeft(lent: Lent): Promise<string[]> {
  const left = (await listDatabases(lent.session, lent.name)).filter(
    (one) => one.mark?.what === 'unfinished' && one.name !== lent.name && !lent.building.has(one.name),
  );
  for (const { name } of left) {
    await dropDatabase(lent.session, name);
    lent.context.log.info(`Removed the database ${name}, which a killed restore left unfinished.`);
  }
  return left.map(({ name }) => name);
}

/**
 * Drops what was made and not finished, also when the run was cancelled or its session was ended.
 *
 * @throws {Failure} `target-failed` when the server does not let us
 */
export async function dropUnfinished(lent: Lent): Promise<void> {
  if (lent.building.size === 0) return;
  let failed = await failureIn(() => dropBuilding(lent, lent.session));
  if (failed !== undefined)
    failed = await failureIn(() => onNewSession(lent, (session) => dropBuilding(lent, session)));
  if (failed === undefined) return;
  const message = `The database ${[...lent.building.keys()].join(', ')}, which was not finished, could not be removed.`;
  throw new Failure('target-failed', message, {
    cause: failed.error,
    hint: 'The next restore to this target removes it. Look why the server does not answer.',
  });
}

async function dropBuilding(lent: Lent, session: Session): Promise<void> {
  const isOurs = ({ mark }: ListedDatabase) =>
    mark?.what === 'unfinished' && (mark.restore === lent.request.restoreId || mark.restore === '');
  const listed = await listDatabases(session, lent.name);
  for (const name of [...lent.building.keys()]) {
    if (listed.some((one) => one.name === name && isOurs(one))) await dropDatabase(session, name);
    lent.building.delete(name);
  }
}

async function failureIn(use: () => Promise<void>): Promise<{ error: unknown } | undefined> {
  return use().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
}
