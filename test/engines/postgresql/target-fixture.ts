import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Log, Target, TargetRequest } from '../../../src/core/ports.ts';
import { postgresql } from '../../../src/engines/postgresql/engine.ts';
import type { TestPostgres } from '../../servers/postgresql.ts';
import { silent, type TakenBackup } from './backup-fixture.ts';

export const restoreId = '20261126T031500Z-3f9a1c';

/** A folder of its own for each file of tests. */
export function makeBase(): string {
  return mkdtempSync(join('/var/tmp', 'lbt-'));
}

export interface Given extends Partial<Omit<TargetRequest, 'ownership'>> {
  readonly ownership?: Partial<TargetRequest['ownership']>;
  readonly user?: string;
  readonly log?: Log;
}

/** Restores as an action would ask for it: as superuser, with owners, into a database named `shop`. */
export function restoring<T>(
  server: TestPostgres,
  backup: TakenBackup,
  scratchDir: string,
  use: (target: Target) => Promise<T>,
  { user, log = silent, ownership, ...given }: Given = {},
): Promise<T> {
  const engine = postgresql({ env: process.env, log, now: () => new Date() });
  const request: TargetRequest = {
    connection: { url: server.urlOf('shop', user) },
    manifest: backup.manifest,
    facts: backup.facts,
    restoreId,
    scratchDir,
    stallMs: 60_000,
    part: 'all',
    signal: new AbortController().signal,
    ...given,
    ownership: { owner: true, createRoles: false, ...ownership },
  };
  return engine.withTarget(request, use);
}

/** What no dump holds of a database, in words that are the same wherever they mean the same. */
export function propertiesOf(server: TestPostgres, database: string): Promise<string> {
  return server.psql(`
    SELECT pg_get_userbyid(datdba), datconnlimit, datallowconn, pg_encoding_to_char(encoding), datcollate, datctype,
      (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(coalesce(datacl, acldefault('d', datdba))) AS x),
      (SELECT string_agg(concat(setrole::regrole, ' ', setting), '; ' ORDER BY setrole::regrole::text, setting)
        FROM pg_db_role_setting, unnest(setconfig) AS setting WHERE setdatabase = d.oid),
      shobj_description(oid, 'pg_database')
    FROM pg_database d WHERE datname = '${database}'`);
}

export function databasesOf(server: TestPostgres): Promise<string> {
  return server.psql(`SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname COLLATE "C"`);
}

/** All that a test made, also where a slot or a limit keeps it. */
export async function dropDatabases(server: TestPostgres): Promise<void> {
  for (const name of (await databasesOf(server)).split('\n').filter((one) => one !== 'postgres')) {
    const slots = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${name}'`;
    await server.psql(slots, name).catch(() => {});
    await server.psql(`DROP DATABASE "${name}" WITH (FORCE)`);
  }
}
