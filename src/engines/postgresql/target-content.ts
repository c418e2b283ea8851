import type { TargetState } from '../../core/ports.ts';
import { notMember, userSchema } from './facts-scope.ts';
import { identifier, literal, type Session } from './session.ts';

type Content = NonNullable<TargetState['database']>;

/** More takes longer than somebody who looks at a plan wants to wait. */
const MOST_SCANNED_BYTES = 1 << 30;
const TABLES_A_QUERY = 100;
const SEGMENT_BYTES = 1 << 30;

const OWN_RELATIONS = `
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE ${userSchema('n.nspname')} AND ${notMember('pg_class', 'c.oid')}`;

/**
 * What a database holds, and who is connected to it.
 *
 * @param session in that database
 * @param applicationName of connections that are ours
 */
export async function readContent(session: Session, database: string, applicationName: string): Promise<Content> {
  const name = literal(database);
  const { bytes, tables, objects } = await session.one<{ bytes: number; tables: number; objects: number }>(`
    SELECT pg_database_size(current_database()) AS bytes,
      (SELECT count(*) ${OWN_RELATIONS} AND c.relkind IN ('r', 'p')) AS tables,
      (SELECT count(*) ${OWN_RELATIONS})
        + (SELECT count(*) FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
           WHERE ${userSchema('n.nspname')} AND ${notMember('pg_proc', 'p.oid')})
        + (SELECT count(*) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
           WHERE ${userSchema('n.nspname')} AND ${notMember('pg_type', 't.oid')})
        + (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata) AS objects`);
  const named = async (sql: string) => (await session.query<{ name: string }>(sql)).map((row) => row.name);
  return {
    bytes,
    tables,
    isEmpty: objects === 0,
    newestWrite: await readNewestWrite(session, bytes),
    connections: await session.query(`
      SELECT coalesce(usename, '') AS user, coalesce(application_name, '') AS application, count(*)::int4 AS count
      FROM pg_catalog.pg_stat_activity
      WHERE datname = ${name} AND usename IS NOT NULL AND application_name <> ${literal(applicationName)}
        AND coalesce(backend_type, 'client backend') = 'client backend'
      GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`),
    slots: await named(
      `SELECT slot_name AS name FROM pg_catalog.pg_replication_slots WHERE database = ${name} ORDER BY 1`,
    ),
    subscriptions: await named(`
      SELECT subname AS name FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
      WHERE d.datname = ${name} ORDER BY 1`),
    publications: await named('SELECT pubname AS name FROM pg_catalog.pg_publication ORDER BY 1'),
    prepared: await session.query(`
      SELECT gid, extract(epoch FROM now() - prepared)::int4 AS seconds
      FROM pg_catalog.pg_prepared_xacts WHERE database = ${name} ORDER BY prepared, gid`),
  };
}

/** By commits where the server keeps their times, else by its files; either may be denied. */
async function readNewestWrite(session: Session, bytes: number): Promise<Content['newestWrite']> {
  const { tracked } = await session.one<{ tracked: boolean }>(
    `SELECT current_setting('track_commit_timestamp')::bool AS tracked`,
  );
  const tries = [
    ...(tracked && bytes <= MOST_SCANNED_BYTES ? [['commits', newestCommit] as const] : []),
    ['files', newestFile] as const,
  ];
  for (const [from, read] of tries) {
    const at = await read(session).catch(() => null);
    if (at !== null) return { at: new Date(at), from };
  }
  return null;
}

/** In milliseconds. Rows that were deleted tell nothing any more. */
async function newestCommit(session: Session): Promise<number | null> {
  const tables = await session.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name ${OWN_RELATIONS} AND c.relkind IN ('r', 'm')`,
  );
  let newest: number | null = null;
  for (let at = 0; at < tables.length; at += TABLES_A_QUERY) {
    const parts = tables
      .slice(at, at + TABLES_A_QUERY)
      .map(
        ({ schema, name }) =>
          `SELECT max(pg_xact_commit_timestamp(xmin)) AS at FROM ONLY ${identifier(schema)}.${identifier(name)}`,
      );
    const found = await session.one<{ at: number | null }>(
      `SELECT floor(extract(epoch FROM max(at)) * 1000)::int8 AS at FROM (${parts.join(' UNION ALL ')}) AS each`,
    );
    if (found.at !== null) newest = Math.max(newest ?? 0, found.at);
  }
  return newest;
}

/** In milliseconds: when the server last wrote rows of a table to disk, which it does with each checkpoint. */
async function newestFile(session: Session): Promise<number | null> {
  const { at } = await session.one<{ at: number | null }>(`
    SELECT floor(extract(epoch FROM max((pg_stat_file(f.path, true)).modification)) * 1000)::int8 AS at
    FROM (SELECT pg_relation_filepath(c.oid) || CASE WHEN part > 0 THEN '.' || part ELSE '' END AS path
      FROM pg_catalog.pg_class c, generate_series(0, pg_relation_size(c.oid) / ${SEGMENT_BYTES}) AS part
      WHERE c.oid IN (SELECT c.oid ${OWN_RELATIONS} AND c.relkind IN ('r', 'm', 'S'))) AS f`);
  return at;
}
