import { Failure } from '../../core/failure.ts';
import { type Finding, finding } from '../../core/report.ts';
import { runText } from '../../sys/process.ts';
import type { Client } from './programs.ts';
import { identifier, literal, type Session } from './session.ts';

interface Role {
  name: string;
  words: string;
  limit: number;
  memberOf: { role: string; admin: boolean }[] | null;
  settings: string[] | null;
}

/**
 * Roles, memberships and tablespaces as SQL. Without superuser pg_dumpall may be denied something even
 * with `--no-role-passwords`; then the text is built from what every role may read, and the finding says so.
 *
 * @returns `text` for psql, and whether pg_dumpall wrote it
 */
export async function readGlobals(
  client: Client,
  session: Session,
  given: { applicationName: string; rolePasswords: boolean; signal: AbortSignal },
): Promise<{ text: string; findings: Finding[] }> {
  const { database } = await session.one<{ database: string }>('SELECT current_database() AS database');
  const passwords = given.rolePasswords ? [] : ['--no-role-passwords'];
  const args = ['--globals-only', ...passwords, '-w', '-l', database, '-d', client.target.dsn(given)];
  try {
    const text = await runText(client.command('pg_dumpall', args, { LC_ALL: 'C' }), { signal: given.signal });
    return { text, findings: [finding('globals-dumped', 'pass', 'Roles and memberships were dumped by pg_dumpall.')] };
  } catch (error) {
    // Passwords were asked for: roles without them would be a quiet loss.
    if (!(error instanceof Failure) || error.code !== 'tool-failed' || given.rolePasswords) throw error;
    const why = `pg_dumpall was refused (${error.message.split('\n')[0]})`;
    const message = `${why}; roles were written from pg_roles, without tablespaces.`;
    return { text: await rolesAsSql(session), findings: [finding('globals-dumped', 'warn', message)] };
  }
}

async function rolesAsSql(session: Session): Promise<string> {
  const roles = await session.query<Role>(`
    SELECT r.rolname AS name, r.rolconnlimit AS limit, concat_ws(' ',
        CASE WHEN rolsuper THEN 'SUPERUSER' ELSE 'NOSUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' ELSE 'NOCREATEDB' END,
        CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolreplication THEN 'REPLICATION' ELSE 'NOREPLICATION' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END) AS words,
      (SELECT jsonb_agg(jsonb_build_object('role', pg_get_userbyid(m.roleid), 'admin', m.admin_option) ORDER BY 1)
        FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid) AS "memberOf",
      r.rolconfig AS settings
    FROM pg_catalog.pg_roles r WHERE r.rolname !~ '^pg_' ORDER BY r.rolname`);
  const created = roles.flatMap((role) => {
    const name = identifier(role.name);
    return [
      `CREATE ROLE ${name};`,
      `ALTER ROLE ${name} WITH ${role.words} CONNECTION LIMIT ${role.limit};`,
      ...(role.settings ?? []).map((entry) => settingOf(name, entry)),
    ];
  });
  const granted = roles.flatMap((role) =>
    (role.memberOf ?? []).map(
      (one) => `GRANT ${identifier(one.role)} TO ${identifier(role.name)}${one.admin ? ' WITH ADMIN OPTION' : ''};`,
    ),
  );
  return `${[...created, ...granted].join('\n')}\n`;
}

/** Settings that hold a list must not be quoted as one word (as pg_dumpall does it). */
const LISTS = new Set([
  'search_path',
  'temp_tablespaces',
  'session_preload_libraries',
  'local_preload_libraries',
  'datestyle',
]);

function settingOf(role: string, entry: string): string {
  const at = entry.indexOf('=');
  const name = entry.slice(0, at);
  const value = entry.slice(at + 1);
  const written = LISTS.has(name.toLowerCase()) ? value : literal(value);
  return `ALTER ROLE ${role} SET ${identifier(name)} TO ${written === '' ? "''" : written};`;
}
