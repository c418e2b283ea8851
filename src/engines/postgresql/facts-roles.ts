import type { RoleFact } from '../../core/facts.ts';
import type { Session } from './session.ts';

interface RoleRow {
  name: string;
  attributes: (string | null)[];
  memberOf: string[] | null;
  settings: string[] | null;
}

/**
 * Roles of the cluster without PostgreSQL's own (`pg_*`), from what everybody may read: pg_roles and
 * not pg_authid, so without passwords. Memberships in PostgreSQL's own roles count.
 */
export async function readRoles(session: Session, major: number): Promise<RoleFact[]> {
  const options =
    major >= 16
      ? `CASE WHEN bool_or(m.inherit_option) THEN NULL ELSE 'INHERIT FALSE' END,
         CASE WHEN bool_or(m.set_option) THEN NULL ELSE 'SET FALSE' END`
      : 'NULL';
  const rows = await session.query<RoleRow>(`
    SELECT r.rolname AS name, jsonb_build_array(
        CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN NOT r.rolinherit THEN 'NOINHERIT' END,
        CASE WHEN r.rolcanlogin THEN 'LOGIN' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
        CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN r.rolconnlimit <> -1 THEN 'CONNECTION LIMIT ' || r.rolconnlimit END,
        'VALID UNTIL ' || r.rolvaliduntil::text) AS attributes,
      (SELECT jsonb_agg(g.line) FROM (
        SELECT g.rolname || coalesce(' WITH ' || nullif(concat_ws(', ',
            CASE WHEN bool_or(m.admin_option) THEN 'ADMIN' END, ${options}), ''), '') AS line
        FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid GROUP BY g.rolname) AS g
      ) AS "memberOf",
      to_jsonb(r.rolconfig) AS settings
    FROM pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname COLLATE "C"`);
  return rows.map(({ name, attributes, memberOf, settings }) => ({
    name,
    attributes: attributes.filter((word) => word !== null).sort(),
    memberOf: (memberOf ?? []).sort(),
    settings: (settings ?? []).sort(),
  }));
}
