import type { ServerInfo } from '../../core/manifest.ts';
import { literal, type Session } from './session.ts';

interface Row {
  version: string;
  systemIdentifier: string | null;
  database: Record<string, unknown>;
  owner: string;
  encoding: string;
  settings: { role: string | null; setting: string }[] | null;
  bootstrapRole: string;
  standby: boolean;
  superuser: boolean;
}

// Columns of pg_database come and go between majors (datlocprovider 15, daticulocale 15-16, datlocale 17),
// so the row is read as JSON.
const SQL = `
  SELECT current_setting('server_version') AS version,
    CASE WHEN has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
      THEN (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) END AS "systemIdentifier",
    to_jsonb(d) AS database, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
    (SELECT jsonb_agg(jsonb_build_object('role', CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END, 'setting', one)
        ORDER BY s.setrole, one)
      FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS one WHERE s.setdatabase = d.oid) AS settings,
    (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10) AS "bootstrapRole",
    pg_is_in_recovery() AS standby,
    (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser
  FROM pg_catalog.pg_database d WHERE d.datname = `;

/**
 * What the manifest says of the server, and whether we are superuser. `clockOffsetSeconds` is the caller's.
 *
 * @param of name of a database that exists; undefined: the session's
 */
export async function readServerInfo(
  session: Session,
  of?: string,
): Promise<{ server: Omit<ServerInfo, 'clockOffsetSeconds'>; superuser: boolean }> {
  const row = await session.one<Row>(`${SQL}${of === undefined ? 'current_database()' : literal(of)}`);
  const { database } = row;
  const icuLocale = textOf(database, 'datlocale') ?? textOf(database, 'daticulocale');
  const collationVersion = textOf(database, 'datcollversion');
  const server = {
    version: row.version.split(' ')[0] ?? row.version,
    major: Number.parseInt(row.version, 10),
    systemIdentifier: row.systemIdentifier,
    host: session.host,
    port: session.port,
    database: textOf(database, 'datname') ?? '',
    owner: row.owner,
    acl: Array.isArray(database.datacl) ? database.datacl.map(String) : null,
    connectionLimit: Number(database.datconnlimit),
    settings: row.settings ?? [],
    encoding: row.encoding,
    localeProvider: providerOf(textOf(database, 'datlocprovider')),
    collate: textOf(database, 'datcollate') ?? '',
    ctype: textOf(database, 'datctype') ?? '',
    ...(icuLocale === undefined ? {} : { icuLocale }),
    ...(collationVersion === undefined ? {} : { collationVersion }),
    bootstrapRole: row.bootstrapRole,
    standby: row.standby,
  };
  return { server, superuser: row.superuser };
}

function textOf(row: Record<string, unknown>, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function providerOf(code: string | undefined): ServerInfo['localeProvider'] {
  return code === 'i' ? 'icu' : code === 'b' ? 'builtin' : 'libc';
}
