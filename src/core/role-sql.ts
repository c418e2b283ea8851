import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { SetupFile } from './setup.ts';

const ITERATIONS = 4096;

/** SQL of a role that may read everything and change nothing; it can be run again whenever something new came. */
export function roleFile(role: string): SetupFile {
  return {
    path: 'lifeboat/role.sql',
    text: roleSql(role),
    purpose:
      'makes the role of the database that backups connect as; run it again when row security or large objects came',
  };
}

/**
 * Without a password, since files are kept in repositories: one that cannot be guessed is set afterwards. Only
 * statements, so that any client can run it.
 */
export function roleSql(role: string): string {
  const [name, text] = [quoted(role, '"'), quoted(role, "'")];
  return `-- The role that backups connect as. Run it as a superuser, in the database that is backed up:
--   psql -v ON_ERROR_STOP=1 -d <database> -f lifeboat/role.sql
-- and then give the role a password there: \\password ${role}
-- It can be run again, and must be when tables with row security or large objects came.
DO $lifeboat$
DECLARE
  one oid;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${text}) THEN
    CREATE ROLE ${name} LOGIN;
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${name.replaceAll("'", "''").replaceAll('%', '%%')}', current_database());
  -- Every table, sequence and schema, now and later, and nothing to change.
  GRANT pg_read_all_data TO ${name};
  -- Rows hidden by a policy would be missing from the backup, so it is refused instead.
  IF EXISTS (SELECT FROM pg_catalog.pg_class WHERE relrowsecurity) THEN
    ALTER ROLE ${name} BYPASSRLS;
  END IF;
  -- pg_read_all_data does not cover large objects: each is granted.
  FOR one IN SELECT oid FROM pg_catalog.pg_largeobject_metadata LOOP
    EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO ${name.replaceAll("'", "''").replaceAll('%', '%%')}', one);
  END LOOP;
END
$lifeboat$;
`;
}

/** Sets a password without telling it to the server, whose log may keep statements. */
export function passwordSql(role: string, password: string, salt: Buffer): string {
  return `ALTER ROLE ${quoted(role, '"')} PASSWORD '${scramVerifier(password, salt)}'`;
}

/** What PostgreSQL itself would make of the password (RFC 5803). */
export function scramVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`;
}

/** The same URL for another user. */
export function urlForRole(url: string, role: string, password: string): string {
  const user = `${encodeURIComponent(role)}:${encodeURIComponent(password)}`;
  return url.replace(/^(postgres(?:ql)?:\/\/)(?:[^@/?#]*@)?/, `$1${user}@`);
}

function quoted(name: string, quote: string): string {
  return quote + name.replaceAll(quote, quote + quote) + quote;
}
