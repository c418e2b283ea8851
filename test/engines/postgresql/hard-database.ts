import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestPostgres } from '../../servers/postgresql.ts';

const sql = (name: string) => readFileSync(join(import.meta.dirname, '../../sql', name), 'utf8');

/**
 * Creates a database with the schema that is hard on tools, and the roles it needs once per cluster. A
 * server of `programsWithExtension()` gets an extension with configuration tables as well.
 */
export async function createHardDatabase(server: TestPostgres, database = 'hard'): Promise<void> {
  const there = await server.psql(`SELECT count(*) FROM pg_roles WHERE rolname = 'shop owner'`);
  if (there === '0') await server.psql(sql('hard-roles.sql'));
  await server.psql(`CREATE DATABASE "${database}" OWNER "shop owner"`);
  await server.psql(sql('hard-schema.sql'), database);
  const installable = `SELECT count(*) FROM pg_available_extensions WHERE name = 'lifeboat_shop'`;
  if ((await server.psql(installable)) === '1') await server.psql(sql('hard-extension.sql'), database);
}
