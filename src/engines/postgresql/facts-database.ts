import type { Facts } from '../../core/facts.ts';
import type { Session } from './session.ts';

/** Extensions with their schema. The version is told, and not proof of anything. */
export async function readExtensions(session: Session): Promise<Facts['extensions']> {
  return await session.query(`
    SELECT e.extname AS name, e.extversion AS version, quote_ident(n.nspname) AS schema
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.extname COLLATE "C"`);
}

/** `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`; those of roles everywhere are the roles' facts. */
export async function readSettings(session: Session): Promise<Facts['settings']> {
  return await session.query(`
    SELECT r.rolname AS role, setting FROM pg_db_role_setting s
    JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
    LEFT JOIN pg_roles r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS setting
    ORDER BY r.rolname COLLATE "C" NULLS FIRST, setting COLLATE "C"`);
}

/**
 * How many large objects there are, and the sum of their sizes: with holes, since a dump fills them.
 * Without access to pg_largeobject each is opened and its end sought, which needs SELECT on each.
 */
export async function readLargeObjects(session: Session): Promise<{ count: number; bytes: number }> {
  const { count, readable } = await session.one<{ count: number; readable: boolean }>(`
    SELECT (SELECT count(*) FROM pg_largeobject_metadata) AS count,
      has_table_privilege('pg_catalog.pg_largeobject', 'SELECT') AS readable`);
  if (count === 0) return { count, bytes: 0 };
  const { bytes } = await session.one<{ bytes: number }>(readable ? SIZES_BY_PAGES : SIZES_BY_SEEKING);
  return { count, bytes };
}

const SIZES_BY_PAGES = `
  SELECT coalesce(sum(size), 0) AS bytes FROM (
    SELECT max(pageno::int8 * (current_setting('block_size')::int8 / 4) + length(data)) AS size
    FROM pg_largeobject GROUP BY loid) AS sizes`;

// 262144 is INV_READ, 2 is SEEK_END. Closed one by one: a descriptor each for a million of them is memory.
const SIZES_BY_SEEKING = `
  SELECT coalesce(sum(size), 0) AS bytes FROM (
    SELECT lo_lseek64(fd, 0, 2) AS size, lo_close(fd) FROM (
      SELECT lo_open(oid, 262144) AS fd FROM pg_largeobject_metadata OFFSET 0) AS opened OFFSET 0) AS sizes`;
