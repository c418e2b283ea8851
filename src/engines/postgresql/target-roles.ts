import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import type { Manifest } from '../../core/manifest.ts';
import type { TargetState } from '../../core/ports.ts';
import { missingRoles } from './scratch-role.ts';
import { identifier, literal } from './session.ts';
import type { Lent } from './target-lent.ts';

/** Roles that a restore needs before it starts, by what the records of the backup say. */
export function neededRoles({ request }: Pick<Lent, 'request'>): string[] {
  const { manifest, facts, ownership } = request;
  const { owner, role } = ownership;
  const names = [...(role === undefined ? [] : [role]), ...(owner ? rolesOfDatabase(manifest, facts) : [])];
  return [...new Set(names)].filter((name) => !name.startsWith('pg_'));
}

function rolesOfDatabase({ server }: Manifest, facts: Facts | undefined): string[] {
  const grantees = (server.acl ?? []).map(granteeOf).filter((name) => name !== '');
  return [server.owner, ...grantees, ...(facts === undefined ? [] : rolesInSchema(facts, NAMED))];
}

/** `app=CTc/shop` or `"odd one"=c/shop`; an empty one is PUBLIC. */
function granteeOf(item: string): string {
  const [, written = ''] = /^("(?:[^"]|"")*"|[^=]*)=/.exec(item) ?? [];
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}

type Naming = Readonly<Record<string, (identity: string, role: string) => boolean>>;

const OWNING: Naming = {
  owner: (identity, role) => identity.endsWith(` owned by ${role}`),
  'large-objects': (identity, role) => identity.startsWith(`owned by ${role},`),
};
/** How facts of each kind name a role. */
const NAMED: Naming = {
  ...OWNING,
  grant: (identity, role) => identity.endsWith(` to ${role}`),
  'default-privileges': (identity, role) =>
    identity.startsWith(`of ${role} on `) || identity.startsWith(`of ${role} in schema `),
};

function rolesInSchema(facts: Facts, naming: Naming): string[] {
  const named = facts.schema.filter(({ kind }) => naming[kind] !== undefined);
  const isNamed = (role: string) =>
    [role, identifier(role)].some((written) => named.some(({ kind, identity }) => naming[kind]?.(identity, written)));
  return facts.roles.map(({ name }) => name).filter(isNamed);
}

export async function readMissingRoles(lent: Lent): Promise<string[]> {
  return missingRoles(lent.session, neededRoles(lent));
}

/** Whether this role may do what the restore does, said before anything is begun. */
export async function readUser(lent: Lent, missing: readonly string[]): Promise<TargetState['user']> {
  const { session, request } = lent;
  const me = await session.one<{ name: string; superuser: boolean; databases: boolean; roles: boolean }>(`
    SELECT rolname AS name, rolsuper AS superuser, rolsuper OR rolcreatedb AS databases,
      rolsuper OR rolcreaterole AS roles FROM pg_catalog.pg_roles WHERE rolname = current_user`);
  const name = identifier(me.name);
  const creates = request.ownership.createRoles && missing.length > 0;
  const lacks = [
    ...(me.databases ? [] : [{ what: 'create and rename databases', sql: `ALTER ROLE ${name} CREATEDB;` }]),
    ...(me.roles || !creates ? [] : [{ what: 'create roles', sql: `ALTER ROLE ${name} CREATEROLE;` }]),
    ...(me.superuser ? [] : await readMembershipsLacking(lent, name)),
    ...(await readTemplateLacking(lent)),
  ];
  return { name: me.name, superuser: me.superuser, mayCreateDatabases: me.databases, lacks };
}

async function readMembershipsLacking({ session, name, request, major }: Lent, me: string) {
  const { facts, manifest, ownership } = request;
  const owners = ownership.owner
    ? [manifest.server.owner, ...(facts === undefined ? [] : rolesInSchema(facts, OWNING))]
    : [];
  const others = new Set([...owners, ...(ownership.role === undefined ? [] : [ownership.role])]);
  // From 16 on a member may be one that cannot become the role.
  const become = major >= 16 ? 'SET' : 'MEMBER';
  const cannot = (condition: string) =>
    session.query<{ role: string }>(`
      SELECT rolname AS role FROM pg_catalog.pg_roles
      WHERE (${condition}) AND NOT (pg_has_role(oid, 'USAGE') AND pg_has_role(oid, '${become}'))`);
  const given = others.size === 0 ? [] : await cannot(`rolname IN (${[...others].map(literal).join(', ')})`);
  const databaseOwner = await cannot(
    `oid = (SELECT datdba FROM pg_catalog.pg_database WHERE datname = ${literal(name)})`,
  );
  const line = (what: string, role: string) => ({ what, sql: `GRANT ${identifier(role)} TO ${me};` });
  return [
    ...given.map(({ role }) => line(`give objects to ${role}`, role)),
    ...databaseOwner.map(({ role }) => line(`rename or drop the database ${name}, which belongs to ${role}`, role)),
  ];
}

/** A template can be renamed, by nobody be dropped, and new databases may be copies of it. */
async function readTemplateLacking({ session, name }: Lent) {
  const templates = await session.query(
    `SELECT 1 AS one FROM pg_catalog.pg_database WHERE datname = ${literal(name)} AND datistemplate`,
  );
  const what = `rename or drop the database ${name}, which is a template`;
  return templates.map(() => ({ what, sql: `ALTER DATABASE ${identifier(name)} IS_TEMPLATE false;` }));
}

/** Refuses what a restore would otherwise find out at its first grant to a role that is not there. */
export async function refuseMissingRoles(lent: Lent): Promise<void> {
  const missing = await readMissingRoles(lent);
  if (missing.length === 0) return;
  const verb = missing.length === 1 ? 'role' : 'roles';
  throw new Failure(
    'guard-refused',
    `The target server lacks the ${verb} ${missing.join(', ')}, which the backup needs.`,
    {
      hint: 'Create them first, let the restore do it with `create-roles: true`, or leave owners and grants out with `owner: false`.',
    },
  );
}

/** Of the backup's roles, but for the one this server was made with, those that log in without a password. Empty where pg_authid is closed to us. */
export async function readRolesWithoutPassword(lent: Lent): Promise<{ role: string; command: string }[]> {
  const { session, request } = lent;
  const names = [...new Set([...(request.facts?.roles.map(({ name }) => name) ?? []), ...neededRoles(lent)])];
  const { readable } = await session.one<{ readable: boolean }>(
    `SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS readable`,
  );
  if (!readable || names.length === 0) return [];
  const rows = await session.query<{ role: string }>(`
    SELECT rolname AS role FROM pg_catalog.pg_authid
    WHERE rolcanlogin AND rolpassword IS NULL AND oid <> 10 AND rolname IN (${names.map(literal).join(', ')}) ORDER BY 1`);
  // psql asks for it and sends it hashed: it is in no history and no log.
  return rows.map(({ role }) => ({ role, command: `\\password ${identifier(role)}` }));
}
