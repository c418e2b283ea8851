import { Failure } from '../../core/failure.ts';
import type { Manifest } from '../../core/manifest.ts';
import { type Finding, finding } from '../../core/report.ts';
import { localeClauses, settingStatement } from './restore-database.ts';
import { identifier, literal, type Session } from './session.ts';
import { compareProperties } from './target-compare.ts';
import type { FinishingStatement, Lent } from './target-lent.ts';
import { BUILDING_LIMIT, unfinishedMark } from './target-mark.ts';
import { refusedAs } from './target-words.ts';

type Settings = Manifest['server']['settings'];

/** The manifest of an encrypted backup has none. */
export function settingsOf({ request }: Lent): Settings {
  return request.facts?.settings ?? request.manifest.server.settings;
}

/**
 * Creates a database that only we, superusers and members of its owner that we could not tell from us may enter.
 * Owner, encoding and locale are the backup's from the start: they cannot be changed later, or objects are given by
 * its rights.
 */
export async function createClosed(lent: Lent, database: string): Promise<void> {
  const { session, request, name: target, user, major } = lent;
  const { server } = request.manifest;
  const name = identifier(database);
  const clauses = `TEMPLATE template0 ${localeClauses(server, major)} CONNECTION LIMIT ${BUILDING_LIMIT}`;
  await refusedAs(
    session.execute(`CREATE DATABASE ${name} ${clauses}`),
    `The database ${database} could not be created (encoding ${server.encoding}, collation ${server.collate})`,
    'A role needs CREATEDB for it. A locale that the server does not know must be installed on its machine (`locale -a` lists them; Debian: package locales, `dpkg-reconfigure locales`), and PostgreSQL restarted.',
  );
  lent.building.set(database, []);
  await session.execute(`COMMENT ON DATABASE ${name} IS ${literal(unfinishedMark(target, request.restoreId))}`);
  await session.execute(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  const owner = ownerOf(lent);
  if (owner !== user.name) {
    const hint = `GRANT ${identifier(owner)} TO ${identifier(user.name)} there, or restore with \`owner: false\`.`;
    const what = `The database ${database} could not be given to ${owner}`;
    await refusedAs(session.execute(`ALTER DATABASE ${name} OWNER TO ${identifier(owner)}`), what, hint);
    await session.execute(`GRANT CONNECT ON DATABASE ${name} TO ${identifier(user.name)}`);
    await session.execute(`REVOKE CONNECT ON DATABASE ${name} FROM ${identifier(owner)}`);
  }
  // It keeps all others out, and would keep us out, too, if we were no superuser.
  if (user.superuser) await session.execute(`ALTER DATABASE ${name} CONNECTION LIMIT 0`);
}

function ownerOf({ request, user }: Lent): string {
  const { owner, role } = request.ownership;
  return owner ? request.manifest.server.owner : (role ?? user.name);
}

/** `ALTER DATABASE … SET`; one that this server does not know, or does not let us set, is a warning. */
export async function applySettings(lent: Lent, database: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { role, setting } of settingsOf(lent)) {
    await lent.session.execute(settingStatement(identifier(database), role, setting)).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      // Not its value: it may be a secret.
      const what = `${setting.split('=')[0]}${role === null ? '' : ` of the role ${role}`}`;
      findings.push(notApplied(`The setting ${what}`, error));
    });
  }
  return findings;
}

export function notApplied(what: string, error: Failure): Finding {
  const reason = error.message.replace(/ \(SQLSTATE .*/s, '');
  return finding('facts-settings', 'warn', `${what} of the database could not be set: ${reason}`, {
    hint: 'Set it by hand as a superuser, where this database needs it.',
  });
}

/**
 * What opens the database and gives it the grants and the limit of the backup's own. All of it is tried, and taken
 * back: what fails is left out and named, so that nothing of it can fail in the middle of a swap.
 */
export async function planFinishing(lent: Lent, database: string): Promise<Finding[]> {
  const { session } = lent;
  const { connectionLimit } = lent.request.manifest.server;
  const wanted: FinishingStatement[] = [
    (name) => `ALTER DATABASE ${name} CONNECTION LIMIT ${connectionLimit}`,
    ...(await grantsOf(lent)),
  ];
  const works: FinishingStatement[] = [];
  const findings: Finding[] = [];
  await session.execute('BEGIN');
  try {
    for (const statement of wanted) {
      const failed = await attempt(session, statement(identifier(database)));
      if (failed === undefined) works.push(statement);
      else findings.push(notApplied(statement('…'), failed));
    }
    findings.push(await compareProperties(lent, database, settingsOf(lent)));
  } finally {
    await session.execute('ROLLBACK');
  }
  lent.building.set(database, works);
  return findings;
}

async function attempt(session: Session, sql: string): Promise<Failure | undefined> {
  await session.execute('SAVEPOINT tried');
  try {
    await session.execute(sql);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await session.execute('ROLLBACK TO tried');
    return error;
  }
}

async function grantsOf(lent: Lent): Promise<FinishingStatement[]> {
  const { request, user } = lent;
  const { acl } = request.manifest.server;
  const owner = identifier(ownerOf(lent));
  const nobody: FinishingStatement = (name) =>
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC, ${owner}, ${identifier(user.name)}`;
  if (acl !== null && request.ownership.owner)
    return [nobody, ...(await grantsFrom(lent.session, acl, request.manifest.server.owner))];
  return [
    nobody,
    (name) => `GRANT ALL ON DATABASE ${name} TO ${owner}`,
    (name) => `GRANT CONNECT, TEMPORARY ON DATABASE ${name} TO PUBLIC`,
  ];
}

interface Grant {
  grantee: string | null;
  privilege: string;
  option: boolean;
}

/** The server itself takes an item apart: names in it may hold anything. */
async function grantsFrom(session: Session, acl: readonly string[], owner: string): Promise<FinishingStatement[]> {
  const grants: FinishingStatement[] = [];
  for (const item of acl) {
    const sql = `
      SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) END AS grantee, privilege_type AS privilege,
        is_grantable AS option FROM aclexplode(ARRAY[${literal(item)}]::aclitem[])`;
    const found = await session.query<Grant>(sql).catch((error: unknown) => {
      // A role that is missing here; comparing says what is not granted for it.
      if (error instanceof Failure) return [];
      throw error;
    });
    for (const { grantee, privilege, option } of found) {
      const to = grantee === null ? 'PUBLIC' : identifier(grantee);
      const may = option && grantee !== owner ? ' WITH GRANT OPTION' : '';
      grants.push((name) => `GRANT ${privilege} ON DATABASE ${name} TO ${to}${may}`);
    }
  }
  return grants;
}
