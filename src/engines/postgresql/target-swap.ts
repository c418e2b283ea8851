import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, messageOf } from '../../core/failure.ts';
import { identifier, literal, type Session } from './session.ts';
import { hasDatabase, listDatabases } from './target-databases.ts';
import { type Lent, onNewSession, openBeside } from './target-lent.ts';
import { keptMark, leftMark } from './target-mark.ts';

/** A try waits five seconds in the server for connections to end. */
const TRIES = 4;
const BETWEEN_MS = 100;
const BUSY = /is being accessed by other users|lock timeout/;

/** Puts `restored` in the place of the target, which is kept as `keepAs`. */
export async function swapDatabases(lent: Lent, restored: string, keepAs: string): Promise<{ ended: number }> {
  const { session, name, request } = lent;
  await refuseTaken(session, keepAs);
  await refusePrepared(session, [name, restored]);
  const [old] = (await listDatabases(session, name)).filter((one) => one.name === name);
  const comment = old?.mark === undefined ? (old?.comment ?? null) : null;
  const { since } = await session.one<{ since: string }>(
    `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since`,
  );
  const mark = keptMark({ target: name, restore: request.restoreId, since, comment });
  const [kept, target] = [identifier(keepAs), identifier(name)];
  const statements = [
    `ALTER DATABASE ${target} RENAME TO ${kept}`,
    `ALTER DATABASE ${identifier(restored)} RENAME TO ${target}`,
    ...(lent.building.get(restored) ?? []).map((statement) => statement(target)),
    `COMMENT ON DATABASE ${kept} IS ${literal(mark)}`,
    `COMMENT ON DATABASE ${target} IS ${comment === null ? 'NULL' : literal(comment)}`,
  ];
  const ended = await inOneTransaction(lent, { databases: [name, restored], restored, statements });
  lent.building.delete(restored);
  return { ended };
}

/** Gives `database` the target's name, finished: whoever is killed leaves it marked as unfinished, or in its place. */
export async function renameToTarget(lent: Lent, database: string): Promise<void> {
  const { session, name, building } = lent;
  await refuseTaken(session, name);
  await refusePrepared(session, [database]);
  const target = identifier(name);
  const statements = [
    `ALTER DATABASE ${identifier(database)} RENAME TO ${target}`,
    ...(building.get(database) ?? []).map((statement) => statement(target)),
    `COMMENT ON DATABASE ${target} IS NULL`,
  ];
  await inOneTransaction(lent, { databases: [database], restored: database, statements });
  building.delete(database);
}

/** Takes the mark off and lets connections in. */
export async function finishDatabase(lent: Lent, database: string): Promise<void> {
  const statements = lent.building.get(database);
  if (statements === undefined) return;
  const name = identifier(database);
  const all = [...statements.map((statement) => statement(name)), `COMMENT ON DATABASE ${name} IS NULL`];
  await transact(lent.session, all);
  lent.building.delete(database);
}

/** The same for one that stays beside the target: its mark says why. */
export async function keepDatabase(lent: Lent, database: string, why: string): Promise<void> {
  const statements = lent.building.get(database);
  if (statements === undefined) return;
  const name = identifier(database);
  const mark = leftMark({ target: lent.name, restore: lent.request.restoreId, why });
  const all = [...statements.map((statement) => statement(name)), `COMMENT ON DATABASE ${name} IS ${literal(mark)}`];
  await transact(lent.session, all);
  lent.building.delete(database);
}

async function refuseTaken(session: Session, name: string): Promise<void> {
  if (!(await hasDatabase(session, name))) return;
  throw new Failure('guard-refused', `There is a database ${name} already.`, {
    hint: 'Look what it holds, rename or drop it, and try again.',
  });
}

async function refusePrepared(session: Session, databases: readonly string[]): Promise<void> {
  const prepared = await session.query<{ gid: string; database: string }>(`
    SELECT gid, database FROM pg_catalog.pg_prepared_xacts WHERE database IN (${databases.map(literal).join(', ')})`);
  if (prepared.length === 0) return;
  const named = prepared.map(({ gid, database }) => `${gid} in ${database}`).join(', ');
  const commands = prepared.map(({ gid }) => `ROLLBACK PREPARED ${literal(gid)}; (or COMMIT PREPARED)`).join(' ');
  throw new Failure('guard-refused', `Prepared transactions keep a database from being renamed: ${named}.`, {
    hint: `Whoever prepared them must end them. In that database: ${commands}`,
  });
}

async function transact(session: Session, statements: readonly string[]): Promise<void> {
  await session.execute('BEGIN');
  try {
    await session.execute(`SET LOCAL lock_timeout = '5s'`);
    for (const statement of statements) await session.execute(statement);
    await session.execute('COMMIT');
  } catch (error) {
    await session.execute('ROLLBACK').catch(() => {}); // of a session that ended the server does it
    throw error;
  }
}

interface Renaming {
  /** Whose connections are ended. */
  readonly databases: readonly string[];
  /** Has another name once it is done. */
  readonly restored: string;
  readonly statements: readonly string[];
}

/**
 * Renames while nobody is connected. The rename itself takes a lock that new connections wait for, and then waits a few
 * seconds for those that are there, which another session ends meanwhile: a client that connects again in a loop cannot
 * get between. Nothing but the transaction closes the databases, so that whoever is killed leaves them open.
 *
 * @returns how many connections were ended
 */
async function inOneTransaction(lent: Lent, { databases, restored, statements }: Renaming): Promise<number> {
  const { session, request } = lent;
  const beside = await openBeside(lent);
  const ended = new Set<number>();
  try {
    for (let tries = 1; ; tries += 1) {
      request.signal.throwIfAborted();
      const over = new AbortController();
      const ending = keepEnding(beside, { databases, ended, over: over.signal });
      try {
        await transact(session, statements);
        return ended.size;
      } catch (error) {
        if (await isRenamedAllTheSame(lent, { databases, restored, error })) return ended.size;
        if (!(error instanceof Failure) || !BUSY.test(error.message)) throw notRenamed(databases, error);
        if (tries === TRIES) throw await stuck(beside, databases, error);
      } finally {
        over.abort();
        await ending;
      }
    }
  } finally {
    await beside.close();
  }
}

/**
 * A connection that is cut while it commits does not say how that ended: the server is asked anew.
 *
 * @throws {Failure} `target-failed` when nobody can tell
 */
async function isRenamedAllTheSame(
  lent: Lent,
  { databases, restored, error }: Pick<Renaming, 'databases' | 'restored'> & { readonly error: unknown },
): Promise<boolean> {
  if (await lent.session.query('SELECT 1 AS one').catch(() => undefined)) return false;
  const there = await onNewSession(lent, (session) => hasDatabase(session, restored)).catch((cause: unknown) => {
    const message = `The connection was lost while ${databases.join(' and ')} were renamed, and nobody can tell whether they were: ${messageOf(error)}`;
    throw new Failure('target-failed', message, {
      cause,
      hint: `Once the server answers, look which databases there are (\`psql -l\`): they were renamed if there is no ${restored} any more. It was one transaction: both were, or none.`,
    });
  });
  return !there;
}

function notRenamed(databases: readonly string[], error: unknown): unknown {
  if (!(error instanceof Failure) || error.code === 'stalled') return error;
  const message = `${databases.join(' and ')} could not be renamed, and nothing was changed: ${error.message}`;
  return new Failure('target-failed', message, {
    cause: error,
    hint: 'Renaming needs CREATEDB and the rights of the owner of each database: GRANT <owner> TO <role>, or give a superuser in `target-url`.',
  });
}

interface Ending {
  readonly databases: readonly string[];
  readonly ended: Set<number>;
  readonly over: AbortSignal;
}

async function keepEnding(session: Session, { databases, ended, over }: Ending): Promise<void> {
  while (!over.aborted) {
    for (const { pid } of await connectionsTo(session, databases).catch(() => [])) {
      // Each by itself: one that we may not end must not save the others.
      const [answer] = await session
        .query<{ ok: boolean }>(`SELECT pg_terminate_backend(${pid}) AS ok`)
        .catch(() => []);
      if (answer?.ok) ended.add(pid);
    }
    await sleep(BETWEEN_MS, undefined, { signal: over }).catch(() => {});
  }
}

interface Connected {
  pid: number;
  user: string | null;
  application: string | null;
  state: string | null;
}

function connectionsTo(session: Session, databases: readonly string[]): Promise<Connected[]> {
  return session.query(`
    SELECT pid, usename AS user, application_name AS application, state FROM pg_catalog.pg_stat_activity
    WHERE datname IN (${databases.map(literal).join(', ')}) AND pid <> pg_backend_pid() ORDER BY pid`);
}

async function stuck(session: Session, databases: readonly string[], cause: Failure): Promise<Failure> {
  const left = await connectionsTo(session, databases).catch((): Connected[] => []);
  const named = left.map(({ pid, user, application, state }) =>
    [`pid ${pid}`, `role ${user ?? 'unknown'}`, application, state].filter(Boolean).join(', '),
  );
  const message = `${databases.join(' and ')} could not be renamed, and nothing was changed: connections to them did not end (${named.join('; ') || cause.message}).`;
  const commands = left.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`).join(' ');
  return new Failure('target-failed', message, {
    cause,
    hint: `Stop the application that holds them, or end them as a superuser: ${commands} A process that does not even end then waits for the system (its disk, its network); look at it on the server.`,
  });
}
