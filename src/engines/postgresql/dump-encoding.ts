import { identifier, type Session } from './session.ts';

/** Beyond ASCII. In a database of SQL_ASCII each byte counts as a character. */
const OTHER = String.raw`'[^\x01-\x7f]'`;

/**
 * The encoding of a dump: the database's own, since a conversion fails at the first character the other one lacks,
 * and takes its time. Where names are more than ASCII it is UTF8 still, as the command line and lists of an archive are;
 * only in SQL_ASCII there is nothing that could be converted.
 */
export async function readDumpEncoding(session: Session, own: string): Promise<string> {
  if (own === 'SQL_ASCII' || own === 'UTF8') return own;
  const names = { pg_class: 'relname', pg_namespace: 'nspname', pg_roles: 'rolname', pg_constraint: 'conname' };
  const others = Object.entries(names).map(
    ([catalog, name]) => `EXISTS (SELECT FROM pg_catalog.${catalog} WHERE ${identifier(name)}::text ~ ${OTHER})`,
  );
  const { isAscii } = await session.one<{ isAscii: boolean }>(`SELECT NOT (${others.join(' OR ')}) AS "isAscii"`);
  return isAscii ? own : 'UTF8';
}
