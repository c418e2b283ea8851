import type { Finding } from '../../core/report.ts';
import { finding } from '../../core/report.ts';
import { identifier, type Session } from './session.ts';
import { listRelations } from './tables.ts';

/** Names shown of a list; the number says how many there are. */
const MOST_NAMES = 5;

// No `has_largeobject_privilege` before 18.
const UNREADABLE = `
  SELECT
    (SELECT count(*)::int4 FROM pg_catalog.pg_largeobject_metadata AS l
      WHERE NOT pg_has_role(l.lomowner, 'USAGE') AND current_setting('lo_compat_privileges') <> 'on'
        AND NOT EXISTS (SELECT FROM aclexplode(l.lomacl) AS a WHERE a.privilege_type = 'SELECT'
          AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))) AS "largeObjects",
    (SELECT count(*)::int4 FROM pg_catalog.pg_largeobject_metadata) AS "allLargeObjects",
    (SELECT coalesce(jsonb_agg(name), '[]') FROM (SELECT format('%I.%I', n.nspname, c.relname) AS name
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e'
          AND d.classid = 'pg_catalog.pg_class'::regclass)
        AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
      ORDER BY 1) AS s) AS sequences,
    (SELECT coalesce(jsonb_agg(name), '[]') FROM unnest('{pg_roles,pg_auth_members,pg_db_role_setting,pg_tablespace}'::text[]) AS name
      WHERE NOT has_table_privilege('pg_catalog.' || name, 'SELECT')) AS globals,
    has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS "identifies"`;

interface Unreadable {
  readonly largeObjects: number;
  readonly allLargeObjects: number;
  readonly sequences: readonly string[];
  readonly globals: readonly string[];
  readonly identifies: boolean;
}

/** Judges whether this role may read all that a full backup reads; a finding for each kind of thing. */
export async function examineRights(session: Session, role: string): Promise<Finding[]> {
  const who = identifier(role);
  const relations = (await listRelations(session)).filter(({ extension, configuration, kind }) => {
    return (extension === null || configuration) && kind !== 'f';
  });
  const found = await session.one<Unreadable>(UNREADABLE);
  const closed = relations.filter(({ canSelect }) => !canSelect).map(({ name }) => name);
  const hidden = relations.filter(({ rowsHidden }) => rowsHidden).map(({ name }) => name);
  const readAll = `\`GRANT pg_read_all_data TO ${who};\` in psql, as a superuser`;
  const say = (missing: boolean, good: string, bad: string, hint: string) =>
    finding('database-access', missing ? 'fail' : 'pass', missing ? bad : good, missing ? { hint } : {});
  return [
    say(
      closed.length > 0,
      `${role} may read all ${relations.length} tables and materialized views.`,
      `${role} may not read ${named(closed, 'table')}.`,
      readAll,
    ),
    say(
      hidden.length > 0,
      'Row security hides no rows.',
      `Row security hides rows of ${named(hidden, 'table')}.`,
      `\`ALTER ROLE ${who} BYPASSRLS;\` in psql, as a superuser`,
    ),
    say(
      found.sequences.length > 0,
      `${role} may read every sequence.`,
      `${role} may not read ${named(found.sequences, 'sequence')}.`,
      readAll,
    ),
    judgeLargeObjects(found, role, say),
    say(
      found.globals.length > 0,
      `${role} may read roles, memberships and tablespaces.`,
      `${role} may not read ${found.globals.join(', ')}, so no roles can be dumped.`,
      found.globals.map((name) => `\`GRANT SELECT ON pg_catalog.${name} TO ${who};\``).join(' '),
    ),
    ...judgeIdentity(found, who),
  ];
}

function judgeLargeObjects(
  found: Unreadable,
  role: string,
  say: (missing: boolean, good: string, bad: string, hint: string) => Finding,
): Finding {
  const all = found.allLargeObjects;
  return say(
    found.largeObjects > 0,
    all === 0 ? 'There are no large objects.' : `${role} may read all ${all} large objects.`,
    `${role} may not read ${found.largeObjects} of ${all} large objects.`,
    'Run the block for large objects (README, "The database role"), again whenever new ones came; `lifeboat init` writes it.',
  );
}

/** By it a drill and a restore tell whom they must not touch. */
function judgeIdentity({ identifies }: Unreadable, who: string): Finding[] {
  if (identifies) return [];
  const hint = `\`GRANT EXECUTE ON FUNCTION pg_catalog.pg_control_system() TO ${who};\` in psql, as a superuser`;
  return [finding('database-access', 'warn', 'The system identifier of the server may not be read.', { hint })];
}

function named(names: readonly string[], what: string): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  const more = names.length > MOST_NAMES ? ' and others' : '';
  return `${names.length} ${what}${names.length === 1 ? '' : 's'} (${shown}${more})`;
}
