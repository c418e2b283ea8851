import type { TargetState } from '../../core/ports.ts';
import { readServerInfo } from './server-info.ts';
import { readContent } from './target-content.ts';
import { hasDatabase, listDatabases } from './target-databases.ts';
import { readFreeSpace } from './target-disk.ts';
import { inDatabase, type Lent } from './target-lent.ts';
import { readMissingRoles, readUser } from './target-roles.ts';
import { aboutTarget } from './target-words.ts';

/** What is on the server now; reads only. */
export async function inspectTarget(lent: Lent): Promise<TargetState> {
  const { session, client, name, request, applicationName } = lent;
  const exists = await hasDatabase(session, name);
  const { server } = await readServerInfo(session, exists ? name : undefined);
  const missing = await readMissingRoles(lent);
  const content = (inside: typeof session) => readContent(inside, name, applicationName);
  const wanted = request.facts?.extensions.map((one) => one.name) ?? [];
  return {
    server: { ...server, database: name },
    user: await readUser(lent, missing),
    location: client.target.hasAddress ? client.target.label : whereItLed(server, name),
    database: exists ? await aboutTarget(inDatabase(lent, name, content)) : undefined,
    ...(await readFreeSpace(session, client)),
    missingRoles: missing,
    missingExtensions: await readMissingExtensions(lent, wanted),
    leftDatabases: (await listDatabases(session, name)).flatMap(({ name: left, mark, bytes }) =>
      mark === undefined || lent.building.has(left) ? [] : [{ name: left, what: mark.what, bytes }],
    ),
  };
}

/** Whoever confirms a restore must see which server the environment chose. */
function whereItLed({ host, port }: { readonly host: string; readonly port: number | null }, name: string): string {
  return `${host}${port === null ? '' : `:${port}`}/${name}`;
}

async function readMissingExtensions({ session }: Lent, wanted: readonly string[]): Promise<string[]> {
  const there = await session.query<{ name: string }>('SELECT name FROM pg_catalog.pg_available_extensions');
  return wanted.filter((name) => !there.some((one) => one.name === name));
}
