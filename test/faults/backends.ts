import type { TestPostgres } from '../servers/postgresql.ts';

/** What a connection of a backup is there for. */
export type Part = 'lock' | 'snapshot' | 'dump' | 'facts';

export interface Backend {
  readonly pid: number;
  readonly clientPort: number;
}

/** How the server tells them apart: none of it is known to anybody but the server. */
const WHERE: Readonly<Record<Part, string>> = {
  lock: `pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)`,
  // It is the one that began first, and keeps its transaction open.
  snapshot: `pid = (SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'
    AND state LIKE '%in transaction' ORDER BY xact_start LIMIT 1)`,
  dump: `state = 'active' AND query LIKE 'COPY %'`,
  facts: `state = 'active' AND query LIKE 'SELECT to_jsonb%sha256%'`,
};

/** The backend of a running backup that does this part, if there is one now. */
export async function backendOf(server: TestPostgres, part: Part): Promise<Backend | undefined> {
  const [row = ''] = (
    await server.psql(
      `SELECT pid || ' ' || client_port FROM pg_stat_activity
      WHERE application_name LIKE 'lifeboat%' AND ${WHERE[part]} LIMIT 1`,
    )
  ).split('\n');
  const [pid, clientPort] = row.split(' ').map(Number);
  return pid === undefined || clientPort === undefined || row === '' ? undefined : { pid, clientPort };
}

/** In one statement with the look, since what it looks for ends soon; false when there is none. */
export async function tellBackend(
  server: TestPostgres,
  part: Part,
  call: 'pg_terminate_backend' | 'pg_cancel_backend',
): Promise<boolean> {
  const told = await server.psql(
    `SELECT ${call}(pid) FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%' AND ${WHERE[part]} LIMIT 1`,
  );
  return told === 't';
}
