import type { TestPostgres } from '../servers/postgresql.ts';

/** The databases and roles of a server, a line each. */
export async function inventoryOf(server: TestPostgres): Promise<string> {
  return server.psql(`
    SELECT 'database ' || datname FROM pg_database
    UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1`);
}

/** What a drill left on a server that is not ours, or took from it. */
export async function findElsewhere(server: TestPostgres, before: string): Promise<string[]> {
  const [then, now] = [before.split('\n'), (await inventoryOf(server)).split('\n')];
  return [
    ...now.filter((line) => !then.includes(line)).map((line) => `Left on the other server: ${line}`),
    ...then.filter((line) => !now.includes(line)).map((line) => `Lost on the other server: ${line}`),
  ];
}
