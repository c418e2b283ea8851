import type { ServerInfo } from '../../core/manifest.ts';
import { type Finding, finding } from '../../core/report.ts';
import { readServerInfo } from './server-info.ts';
import { literal, type Session } from './session.ts';
import type { Lent } from './target-lent.ts';

/** What no dump holds, as it now stands in the catalog, beside what the backup recorded of its own database. */
export async function compareProperties(
  lent: Lent,
  database: string,
  settings: ServerInfo['settings'],
): Promise<Finding> {
  const { session, request } = lent;
  const expected = request.manifest.server;
  const { server: found } = await readServerInfo(session, database);
  const rows: [string, string, string][] = [
    ['encoding', expected.encoding, found.encoding],
    ['collation', localeOf(expected), localeOf(found)],
    ['connection limit', String(expected.connectionLimit), String(found.connectionLimit)],
    ['settings', names(settings), names(found.settings)],
  ];
  if (request.ownership.owner) {
    rows.push(['owner', expected.owner, found.owner]);
    rows.push(['grants', await grants(session, expected), await grants(session, found)]);
  }
  const numbers = { settings: settings.length };
  const different = rows.filter(([, wanted, is]) => wanted !== is);
  if (different.length === 0) {
    const what = `Encoding, collation, connection limit, ${request.ownership.owner ? 'owner, grants' : 'no owner and grants'}`;
    const message = `${what} and ${settings.length} settings of the database are those of the backup.`;
    return finding('facts-settings', 'pass', message, { numbers });
  }
  const said = different.map(([what, wanted, is]) =>
    what === 'settings' ? 'its settings' : `its ${what}, ${is || 'none'} instead of ${wanted || 'none'}`,
  );
  const message = `Something of the database itself is not as it was: ${said.join('; ')}.`;
  return finding('facts-settings', 'warn', message, { numbers, hint: 'Set it by hand, where this database needs it.' });
}

function localeOf({
  localeProvider,
  collate,
  ctype,
  icuLocale,
}: ServerInfo | Omit<ServerInfo, 'clockOffsetSeconds'>): string {
  return [localeProvider, collate, ctype, ...(icuLocale === undefined ? [] : [icuLocale])].join(' ');
}

function names(settings: ServerInfo['settings']): string {
  return settings
    .map(({ role, setting }) => `${role ?? ''} ${setting}`)
    .sort()
    .join('\n');
}

/** In one form, since nobody having granted anything means the same as the grants that everybody has by default. */
async function grants(session: Session, { acl, owner }: Pick<ServerInfo, 'acl' | 'owner'>): Promise<string> {
  const items = acl === null ? 'NULL' : `ARRAY[${acl.map(literal).join(', ')}]`;
  // A role that is missing would make an aclitem of the whole array impossible, so names are compared as text.
  const { text } = await session.one<{ text: string | null }>(`
    SELECT string_agg(item, ', ' ORDER BY item) AS text FROM (
      SELECT regexp_replace(x::text, '/[^/]*$', '') AS item FROM unnest(coalesce(${items}::text[],
        acldefault('d', (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${literal(owner)}))::text[])) AS x) AS all_items`);
  return text ?? '';
}
