import { Failure } from '../../core/failure.ts';
import type { ArchiveEntry } from './archive-list.ts';
import type { Where } from './restore-failure.ts';
import { identifier, literal, type Session } from './session.ts';

const TARGET_OTHERWISE = 'Or leave owners and grants out with `owner: false`, or give a superuser in `target-url`.';

/** What the role of `scratch-url` may do on its server. */
interface Rights {
  readonly name: string;
  readonly databases: boolean;
  readonly roles: boolean;
}

const OTHERWISE = 'Or give a superuser in `scratch-url`, on a server of no value, or leave it out.';

function rightsOf(session: Session): Promise<Rights> {
  return session.one<Rights>(`
    SELECT rolname AS name, rolsuper OR rolcreatedb AS databases, rolsuper OR rolcreaterole AS roles
    FROM pg_catalog.pg_roles WHERE rolname = current_user`);
}

/**
 * Refuses a role that could not even make the database, before anything is made.
 *
 * @param missing roles that the backup needs and this server has not
 * @throws {Failure} `scratch-failed`
 */
export async function refuseWeakRole(session: Session, missing: readonly string[]): Promise<void> {
  const { name, databases, roles } = await rightsOf(session);
  const lacks = [...(databases ? [] : ['CREATEDB']), ...(roles || missing.length === 0 ? [] : ['CREATEROLE'])];
  if (lacks.length === 0) return;
  const what = lacks.map((word) => (word === 'CREATEDB' ? 'create databases' : 'create roles')).join(' and ');
  throw new Failure('scratch-failed', `The role ${name} of \`scratch-url\` may not ${what}.`, {
    hint: `ALTER ROLE ${identifier(name)} ${lacks.join(' ')}. ${OTHERWISE}`,
  });
}

export async function mayCreateRoles(session: Session): Promise<boolean> {
  return (await rightsOf(session)).roles;
}

/** Makes the role of `scratch-url` a member of a role that it created: only then it may give it objects, and read them. */
export async function joinRole(session: Session, role: string): Promise<void> {
  const { major, superuser } = await session.one<{ major: number; superuser: boolean }>(`
    SELECT current_setting('server_version_num')::int / 10000 AS major, rolsuper AS superuser
    FROM pg_catalog.pg_roles WHERE rolname = current_user`);
  if (superuser) return;
  const options = major >= 16 ? ' WITH INHERIT TRUE, SET TRUE' : '';
  await session.execute(`GRANT ${identifier(role)} TO CURRENT_USER${options}`);
}

/**
 * Refuses objects that the role of `scratch-url` could not give to their owners, before anything is restored.
 * A superuser may give to everybody.
 *
 * @throws {Failure} `scratch-failed`, naming the owners
 */
export async function refuseForeignOwners(
  session: Session,
  entries: readonly ArchiveEntry[],
  where: Where = 'elsewhere',
): Promise<void> {
  // From 16 on a member may be one that cannot become the role.
  const become = `CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END`;
  const strangers = await session.query<{ name: string }>(`
    SELECT rolname AS name FROM pg_catalog.pg_roles
    WHERE NOT starts_with(rolname, 'pg_') AND NOT (pg_has_role(oid, 'USAGE') AND pg_has_role(oid, ${become}))`);
  const owners = strangers
    .map(({ name }) => name)
    .filter((name) => entries.some((one) => one.what.endsWith(` ${name}`)));
  if (owners.length === 0) return;
  const { name } = await rightsOf(session);
  const isTarget = where === 'target';
  const message = `The backup holds objects of ${owners.join(', ')}, and the role ${name} of \`${isTarget ? 'target-url' : 'scratch-url'}\` cannot give them to a role that it is no inheriting member of.`;
  throw new Failure(isTarget ? 'target-failed' : 'scratch-failed', message, {
    hint: `GRANT ${owners.map(identifier).join(', ')} TO ${identifier(name)} there. ${isTarget ? TARGET_OTHERWISE : OTHERWISE}`,
  });
}

const DENIED =
  /permission denied|must be (a |an )?(owner|superuser|member|able|database owner)|must (have|inherit) |only (superusers|roles with)|row-level security/;

/**
 * Whether these words of the server are about the rights of the role of `scratch-url`: they say nothing of the backup.
 *
 * @param session of the same role; rejects when the server is gone
 */
export async function isDenied(session: Session, said: string): Promise<boolean> {
  const sql = `SELECT rolsuper AS superuser FROM pg_catalog.pg_roles WHERE rolname = current_user`;
  const { superuser } = await session.one<{ superuser: boolean }>(sql);
  return !superuser && DENIED.test(said);
}

export function deniedHint(where: Where): string {
  return where === 'target'
    ? `That needs more rights than the role of \`target-url\` has. ${TARGET_OTHERWISE}`
    : `That needs more rights than the role of \`scratch-url\` has. ${OTHERWISE}`;
}

/** Roles that this server has none of. */
export async function missingRoles(session: Session, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const sql = `SELECT rolname AS name FROM pg_catalog.pg_roles WHERE rolname IN (${names.map(literal).join(', ')})`;
  const there = new Set((await session.query<{ name: string }>(sql)).map(({ name }) => name));
  return names.filter((name) => !there.has(name));
}
