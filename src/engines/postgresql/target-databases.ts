import { isRestoredName } from '../../core/restore-names.ts';
import { literal, type Session } from './session.ts';
import { BUILDING_LIMIT, type RestoreMark, readMark } from './target-mark.ts';

/** A database of the target's server, by what its comment says of restores. */
export interface ListedDatabase {
  readonly name: string;
  readonly comment: string | null;
  /** Zero when it may not be known. */
  readonly bytes: number;
  readonly mark: RestoreMark | undefined;
}

interface Row {
  name: string;
  comment: string | null;
  bytes: number;
  limit: number;
}

const MAY_SEE_SIZE = `has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')`;

/** Databases that restores to `target` made or kept, and `target` itself. */
export async function listDatabases(session: Session, target: string): Promise<ListedDatabase[]> {
  const rows = await session.query<Row>(`
    SELECT datname AS name, shobj_description(oid, 'pg_database') AS comment, datconnlimit AS limit,
      CASE WHEN ${MAY_SEE_SIZE} THEN pg_database_size(oid) ELSE 0 END AS bytes
    FROM pg_catalog.pg_database d
    WHERE datname = ${literal(target)} OR datconnlimit = ${BUILDING_LIMIT}
      OR shobj_description(oid, 'pg_database') LIKE 'Lifeboat restore, %'
    ORDER BY datname COLLATE "C"`);
  return rows
    .map(({ limit, ...row }) => ({ ...row, mark: readMark(row.comment) ?? unmarked(row, limit, target) }))
    .filter(({ name, mark }) => name === target || mark?.target === target);
}

/** Killed between its first moment and its comment. */
function unmarked({ name, comment }: Row | Omit<Row, 'limit'>, limit: number, target: string): RestoreMark | undefined {
  const isOurs = comment === null && limit === BUILDING_LIMIT && isRestoredName(name, target);
  return isOurs ? { what: 'unfinished', target, restore: '' } : undefined;
}

export async function hasDatabase(session: Session, name: string): Promise<boolean> {
  const found = await session.query(`SELECT 1 AS one FROM pg_catalog.pg_database WHERE datname = ${literal(name)}`);
  return found.length > 0;
}
