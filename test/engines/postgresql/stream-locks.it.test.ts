import { execFileSync } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DumpRequest, DumpStream, Snapshot } from '../../../src/core/ports.ts';
import { openEngine } from '../../../src/engines/registry.ts';
import { zstd } from '../../../src/sys/zstd.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { worldForTests } from '../../worlds.ts';

let pg: TestPostgres;
beforeAll(async () => {
  pg = await startPostgres();
  await pg.psql(`CREATE TABLE one AS SELECT g FROM generate_series(1, 100) g;
    CREATE TABLE two AS SELECT g FROM generate_series(1, 50) g;
    CREATE TABLE rowless (id int); CREATE TABLE parted (id int) PARTITION BY LIST (id)`);
});
afterAll(() => pg.stop());

async function withSnapshot<T>(use: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const { world } = worldForTests();
  const engine = await openEngine('postgresql', { env: process.env, log: world.log, now: world.now });
  const request: DumpRequest = {
    source: 'shop',
    connection: { url: pg.url },
    scope: 'full',
    tables: [],
    excludeTables: [],
    excludeTableData: ['rowless'],
    facts: 'counts',
    rolePasswords: false,
    lockTimeoutMs: 0,
    stallMs: 60_000,
    tableLockTimeoutMs: 10_000,
    allowNewerClient: false,
    jobs: 2,
    holder: 'test',
    signal: new AbortController().signal,
  };
  return await engine.withSnapshot(request, use);
}

/** Lines of COPY for a table, from all streams of rows. */
async function rowsOf(stream: DumpStream, table: string): Promise<number> {
  const dump = await buffer(zstd(process.env).decompress(stream.open({ level: 1 }).compressed));
  const args = ['--data-only', '-t', table, '-f', '-'];
  const sql = execFileSync(`${pg.clientDir}/pg_restore`, args, { input: dump, encoding: 'utf8' });
  return sql.split('\n').filter((line) => /^\d+$/.test(line)).length;
}

it('gives every stream the rows of one moment, whenever it is opened', async () => {
  const rows = await withSnapshot(async ({ streams }) => {
    const found = { one: 0, two: 0 };
    for (const stream of streams.filter(({ role }) => role === 'data')) {
      found.one += await rowsOf(stream, 'one');
      found.two += await rowsOf(stream, 'two');
      await pg.psql('INSERT INTO one VALUES (1); INSERT INTO two VALUES (1); DELETE FROM one WHERE g > 50');
    }
    return found;
  });
  expect(rows).toEqual({ one: 100, two: 50 });
});

it.each([
  ['rows are dumped', 'one'],
  ['only the definition is dumped', 'rowless'],
  ['partitions hold the rows', 'parted'],
])('keeps DDL away from a table until the last stream is over, when %s', async (_, table) => {
  await withSnapshot(async () => {
    const ddl = `SET lock_timeout = '300ms'; ALTER TABLE ${table} ADD COLUMN late int`;
    await expect(pg.psql(ddl)).rejects.toThrow(/lock timeout/);
  });
  await pg.psql(`ALTER TABLE ${table} ADD COLUMN late int; ALTER TABLE ${table} DROP COLUMN late`);
});
