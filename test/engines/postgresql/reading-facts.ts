import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { Facts } from '../../../src/core/facts.ts';
import type { Scope } from '../../../src/core/manifest.ts';
import { type FactsRequest, readFacts } from '../../../src/engines/postgresql/facts.ts';
import { clientIn } from '../../../src/engines/postgresql/programs.ts';
import { openSession, type Session } from '../../../src/engines/postgresql/session.ts';
import { listRelations, selectTables } from '../../../src/engines/postgresql/tables.ts';
import type { TestPostgres } from '../../servers/postgresql.ts';

export interface Wanted {
  readonly level?: FactsRequest['level'];
  readonly scope?: Scope;
  readonly tables?: readonly string[];
  readonly excludeTables?: readonly string[];
  readonly excludeTableData?: readonly string[];
  readonly unloggedRows?: boolean;
}

export async function openTestSession(server: TestPostgres, database: string, user?: string): Promise<Session> {
  const client = clientIn({ url: server.urlOf(database, user) }, process.env, server.clientDir);
  return await openSession(client, { applicationName: 'test' });
}

/** Facts as a backup or a drill reads them, in the session's current transaction. */
export async function factsIn(session: Session, wanted: Wanted = {}): Promise<Facts> {
  const { level = 'fingerprints', scope = 'full', unloggedRows = true } = wanted;
  const { tables = [], excludeTables = [], excludeTableData = [] } = wanted;
  const selected = selectTables(await listRelations(session), { scope, tables, excludeTables, excludeTableData });
  const { dumped, excluded, withoutRows } = selected;
  return await readFacts(session, { level, scope, unloggedRows, tables: dumped, excluded, withoutRows });
}

export async function factsOf(server: TestPostgres, database: string, wanted: Wanted = {}, user?: string) {
  const session = await openTestSession(server, database, user);
  try {
    return await factsIn(session, wanted);
  } finally {
    await session.close();
  }
}

/** Runs a client program of PostgreSQL with no PG* from outside; rejects with what it said. */
export function runClient(
  server: TestPostgres,
  name: string,
  args: readonly string[],
  input?: Buffer,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { env: { PATH: process.env.PATH, LC_ALL: 'C' }, encoding: 'buffer', maxBuffer: 1 << 28 } as const;
    const child = execFile(join(server.clientDir, name), [...args], options, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${name}: ${stderr}`, { cause: error })),
    );
    child.stdin?.on('error', () => {}); // it ended early; its exit code says why
    child.stdin?.end(input);
  });
}

/** Roles, then the database, then its settings: by PostgreSQL's own programs, with nothing of ours between. */
export async function restoreInto(target: TestPostgres, source: TestPostgres, database: string, dump: Buffer) {
  const globals = await runClient(source, 'pg_dumpall', ['--globals-only', '-d', source.url]);
  await target.psql(globals.toString().replace(`CREATE ROLE ${source.superuser};`, ''));
  await target.psql(`CREATE DATABASE ${database} OWNER "shop owner" TEMPLATE template0`);
  const options = ['--exit-on-error', '--no-subscriptions', '--no-tablespaces'];
  await runClient(target, 'pg_restore', [...options, '-d', target.urlOf(database)], dump);
  const script = await runClient(source, 'pg_dump', ['--create', '--schema-only', '-d', source.urlOf(database)]);
  await target.psql((script.toString().match(/^ALTER (DATABASE|ROLE) .* SET .*;$/gm) ?? []).join('\n'));
}
