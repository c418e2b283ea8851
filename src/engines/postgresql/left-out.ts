import { Failure } from '../../core/failure.ts';
import type { DumpRequest } from '../../core/ports.ts';
import type { Session } from './session.ts';
import type { Relation, SelectedTables } from './tables.ts';

interface Counts {
  subscriptions: number;
  foreignTables: number;
  closedMappings: number;
  tablespaces: number;
}

/** What this backup does not hold, and why: said in the manifest, so that nobody is surprised by a restore. */
export async function listLeftOut(
  session: Session,
  request: DumpRequest,
  given: { selected: SelectedTables; superuser: boolean; standby: boolean; unlogged: boolean },
): Promise<{ what: string; why: string }[]> {
  const counts = await session.one<Counts>(`SELECT
    (SELECT count(*) FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
      WHERE d.datname = current_database())::int4 AS subscriptions,
    (SELECT count(*) FROM pg_catalog.pg_foreign_table)::int4 AS "foreignTables",
    (SELECT count(*) FROM pg_catalog.pg_user_mappings WHERE umoptions IS NULL)::int4 AS "closedMappings",
    (SELECT count(*) FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_')::int4 AS tablespaces`);
  const { selected } = given;
  const out: { what: string; why: string }[] = [];
  const say = (when: boolean, what: string, why: string) => when && out.push({ what, why });
  say(selected.excluded.length > 0, `${selected.excluded.length} tables`, 'exclude-tables');
  say(request.excludeTableData.length > 0, `rows of ${selected.withoutRows.length} tables`, 'exclude-table-data');
  say(request.scope === 'tables', `rows of ${selected.withoutRows.length} other tables, large objects`, 'tables');
  say(request.scope === 'schema', 'all rows', 'schema-only');
  say(
    counts.subscriptions > 0 && !given.superuser,
    `${counts.subscriptions} subscriptions`,
    'only a superuser can dump them',
  );
  say(counts.foreignTables > 0, `rows of ${counts.foreignTables} foreign tables`, 'they live on another server');
  // pg_dump writes those it may not see without their options, and says nothing.
  say(
    counts.closedMappings > 0 && !given.superuser,
    `user names and passwords of ${counts.closedMappings} user mappings`,
    'only a superuser or the owner of the foreign server can dump them',
  );
  say(given.standby && given.unlogged, 'rows of unlogged tables', 'a standby has none');
  say(!request.rolePasswords, 'passwords of roles', 'role-passwords is false');
  say(counts.tablespaces > 0, 'files of tablespaces', 'a logical backup restores into the default tablespace');
  return out;
}

/**
 * A view over, or a child of, a table that is not dumped would break the restore: refused before
 * anything is written.
 */
export async function refuseDependents(session: Session, excluded: readonly Relation[]): Promise<void> {
  if (excluded.length === 0) return;
  const oids = excluded.map((one) => one.oid).join(', ');
  const dependents = await session.query<{ name: string }>(`
    SELECT DISTINCT c.oid::regclass::text AS name FROM (
      SELECT r.ev_class AS oid FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
        WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid IN (${oids})
      UNION SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent IN (${oids})) AS c
    WHERE c.oid NOT IN (${oids}) ORDER BY 1`);
  if (dependents.length === 0) return;
  const names = dependents.map((one) => one.name).join(', ');
  throw new Failure(
    'invalid-input',
    `\`exclude-tables\` leaves out tables that others are built on: ${names}. Such a backup cannot be restored.`,
    {
      hint: 'Leave those out too, or keep the definition and drop only the rows with `exclude-table-data`.',
    },
  );
}
