import type { Facts } from '../../core/facts.ts';
import { Failure } from '../../core/failure.ts';
import type { Manifest, ServerInfo } from '../../core/manifest.ts';
import { type Finding, finding } from '../../core/report.ts';
import { identifier, literal, type Session } from './session.ts';

/** What a dump does not hold of the database itself, given to a new one before anything is restored. */
export interface DatabasePlan {
  readonly name: string;
  readonly comment: string;
  readonly manifest: Manifest;
  readonly settings: ServerInfo['settings'];
  readonly explicitLocale: boolean;
}

/**
 * Creates the database as the source's was: owner, settings, grants, limit.
 *
 * @param session of a superuser, in another database
 * @returns what could not be applied, each a `warn`
 * @throws {Failure} when the database could not be created
 */
export async function createDatabase(session: Session, plan: DatabasePlan): Promise<Finding[]> {
  const name = identifier(plan.name);
  const { server } = plan.manifest;
  const locale = plan.explicitLocale ? localeClauses(server) : '';
  await session.execute(`CREATE DATABASE ${name} TEMPLATE template0 ${locale}`);
  await session.execute(`COMMENT ON DATABASE ${name} IS ${literal(plan.comment)}`).catch(async (error: unknown) => {
    // Without its mark nobody would know it as ours again.
    await session.execute(`DROP DATABASE ${name}`);
    throw error;
  });
  const statements = [
    `ALTER DATABASE ${name} OWNER TO ${identifier(server.owner)}`,
    ...(server.connectionLimit < 0 ? [] : [`ALTER DATABASE ${name} CONNECTION LIMIT ${server.connectionLimit}`]),
    ...plan.settings.map(({ role, setting }) => settingStatement(name, role, setting)),
    ...(await grantStatements(session, name, server)),
  ];
  const findings: Finding[] = [];
  for (const statement of statements) {
    await session.execute(statement).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      const message = `Something of the database itself could not be restored (${statement}): ${error.message}`;
      findings.push(finding('facts-settings', 'warn', message));
    });
  }
  return findings;
}

/** @param major of the server the clauses are for; undefined: its default provider stays */
export function localeClauses(server: ServerInfo, major = 0): string {
  const base = `ENCODING ${literal(server.encoding)} LC_COLLATE ${literal(server.collate)} LC_CTYPE ${literal(server.ctype)}`;
  const { icuLocale, localeProvider } = server;
  if (icuLocale === undefined || localeProvider === 'libc') return major >= 15 ? `${base} LOCALE_PROVIDER libc` : base;
  return `${base} LOCALE_PROVIDER ${localeProvider} ${localeProvider.toUpperCase()}_LOCALE ${literal(icuLocale)}`;
}

/** Settings whose value is a list; each of its words is quoted by itself. */
const LISTS = /^(search_path|temp_tablespaces|(session|local|shared)_preload_libraries|unix_socket_directories)$/i;

/** `ALTER DATABASE … SET` or `ALTER ROLE … IN DATABASE … SET` from `name=value` as the catalog holds it. */
export function settingStatement(database: string, role: string | null, setting: string): string {
  const whose = role === null ? `DATABASE ${database}` : `ROLE ${identifier(role)} IN DATABASE ${database}`;
  return `ALTER ${whose} ${setClause(setting)}`;
}

/** `SET … TO …` from `name=value` as the catalog holds it. */
export function setClause(setting: string): string {
  const at = setting.indexOf('=');
  const [name, value] = [setting.slice(0, at), setting.slice(at + 1)];
  const written = LISTS.test(name) ? listWords(value).map(literal).join(', ') : literal(value);
  return `SET ${identifier(name)} TO ${written}`;
}

function listWords(value: string): string[] {
  const words = [...value.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)];
  return words.length === 0 ? [''] : words.map(([word, quoted]) => quoted?.replaceAll('""', '"') ?? word);
}

/** The server itself takes `datacl` apart: names in it may hold anything. */
async function grantStatements(session: Session, database: string, server: ServerInfo): Promise<string[]> {
  if (server.acl === null) return [];
  const items = server.acl.map((item) => literal(item)).join(', ');
  const grants = await session
    .query<{ grantee: string | null; privilege: string; option: boolean }>(`
      SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END AS grantee, privilege_type AS privilege,
        is_grantable AS option
      FROM aclexplode(ARRAY[${items}]::aclitem[])`)
    .catch((error: unknown) => {
      // A role in it is missing here; roles-restored says which. The grants are then compared as facts.
      if (error instanceof Failure) return [];
      throw error;
    });
  const owner = identifier(server.owner);
  return [
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC, ${owner}`,
    ...grants.map(({ grantee, privilege, option }) => {
      const to = grantee === null ? 'PUBLIC' : identifier(grantee);
      return `GRANT ${privilege} ON DATABASE ${database} TO ${to}${option && grantee !== server.owner ? ' WITH GRANT OPTION' : ''}`;
    }),
  ];
}

/**
 * Takes out of the new database what every new one has and the source's had lost; a dump says nothing
 * of that.
 *
 * @param session in the new database
 */
export async function dropWhatSourceLacked(session: Session, facts: Facts | undefined): Promise<void> {
  if (facts === undefined) return;
  const schemas = facts.schema.filter(({ kind }) => kind === 'schema');
  // Without a single schema the facts say nothing of schemas.
  if (schemas.length > 0 && !schemas.some(({ identity }) => identity === 'public')) {
    await session.execute('DROP SCHEMA IF EXISTS public');
  }
  if (!facts.extensions.some(({ name }) => name === 'plpgsql'))
    await session.execute('DROP EXTENSION IF EXISTS plpgsql');
}
