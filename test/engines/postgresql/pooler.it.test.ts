import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PgbouncerSettings, startPgbouncer, whyNoPgbouncer } from '../../servers/pgbouncer.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { takeBackup } from './backup-fixture.ts';

const IGNORING = { ignore_startup_parameters: 'options' };
let server: TestPostgres;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql("CREATE DATABASE shop; ALTER DATABASE shop SET statement_timeout TO '1min'");
  await server.psql('CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 500) g', 'shop');
});
afterAll(() => server?.stop());

/** A backup whose connections go through a pool. */
async function backUpThrough(settings: PgbouncerSettings) {
  const pool = await startPgbouncer(server, settings);
  return { pool, taking: takeBackup({ ...server, urlOf: pool.urlOf }, 'shop', { jobs: 2 }) };
}

describe.skipIf(whyNoPgbouncer())('PgBouncer', () => {
  it('carries a backup in session mode', async () => {
    const { taking } = await backUpThrough({ pool_mode: 'session', ...IGNORING });
    expect((await taking).facts?.tables).toMatchObject([{ name: 'public.orders', rows: 500 }]);
  });

  it('is no more than four connections wide in session mode', async () => {
    const { taking } = await backUpThrough({ pool_mode: 'session', default_pool_size: 4, ...IGNORING });
    expect((await taking).facts?.tables).toMatchObject([{ name: 'public.orders', rows: 500 }]);
  });

  it.each([
    ['an idle pool', {}],
    ['a pool of one', { default_pool_size: 1 }],
    ['a pool that takes turns', { server_round_robin: 1 }],
    ['a pool of statements', { pool_mode: 'statement' }],
  ])('is refused in transaction mode: %s, and nothing is left in it', async (_, more) => {
    const { pool, taking } = await backUpThrough({ pool_mode: 'transaction', ...IGNORING, ...more });
    await expect(taking).rejects.toMatchObject({
      code: 'source-refused',
      hint: expect.stringContaining('a pool in session mode'),
    });
    // What an application gets next from the pool is as it was.
    const settings = ['search_path', 'row_security', 'jit', 'statement_timeout'];
    const shown = await pool.psql(`SELECT ${settings.map((name) => `current_setting('${name}')`).join(', ')}`, 'shop');
    expect(shown).toBe('"$user", public|on|on|1min');
  });

  it('is refused where it does not take our options, with the line that it needs', async () => {
    const { taking } = await backUpThrough({ pool_mode: 'session' });
    await expect(taking).rejects.toMatchObject({
      code: 'source-refused',
      hint: expect.stringContaining('ignore_startup_parameters = options'),
    });
  });
});
