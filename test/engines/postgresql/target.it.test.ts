import { rmSync, statfsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { type TakenBackup, takeBackup } from './backup-fixture.ts';
import { databasesOf, dropDatabases, makeBase, propertiesOf, restoring } from './target-fixture.ts';

const base = makeBase();
let source: TestPostgres;
let server: TestPostgres;
let backup: TakenBackup;

const ROLES = `CREATE ROLE "shop owner" LOGIN; CREATE ROLE app LOGIN; CREATE ROLE reader;`;

beforeAll(async () => {
  source = await startPostgres();
  server = await startPostgres({ settings: { track_commit_timestamp: 'on', wal_level: 'logical' } });
  await source.psql(`${ROLES} CREATE DATABASE shop OWNER "shop owner" CONNECTION LIMIT 17;
    ALTER DATABASE shop SET search_path TO shop, "Odd One", public;
    ALTER DATABASE shop SET default_transaction_read_only TO on;
    ALTER DATABASE shop SET statement_timeout TO '1min';
    ALTER ROLE app IN DATABASE shop SET work_mem TO '5MB';
    REVOKE CONNECT ON DATABASE shop FROM PUBLIC; GRANT CONNECT ON DATABASE shop TO app WITH GRANT OPTION;`);
  await source.psql(
    `BEGIN; SET TRANSACTION READ WRITE; CREATE SCHEMA shop AUTHORIZATION "shop owner";
     CREATE TABLE shop.orders (id int PRIMARY KEY, total numeric); INSERT INTO shop.orders SELECT n, n * 1.5 FROM generate_series(1, 500) n;
     ALTER TABLE shop.orders OWNER TO "shop owner"; GRANT SELECT ON shop.orders TO reader;
     CREATE PUBLICATION news FOR TABLE shop.orders; SELECT lo_from_bytea(0, 'large'); COMMIT;`,
    'shop',
  );
  await server.psql(`${ROLES} CREATE ROLE near LOGIN IN ROLE postgres`);
  backup = await takeBackup(source, 'shop', { jobs: 2 });
});
afterAll(async () => {
  await source?.stop();
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});
afterEach(() => dropDatabases(server));

it('sees that there is no target yet', async () => {
  const state = await restoring(server, backup, base, (target) => target.inspect());
  expect(state).toMatchObject({
    database: undefined,
    missingRoles: [],
    missingExtensions: [],
    leftDatabases: [],
    user: { name: 'postgres', superuser: true, mayCreateDatabases: true, lacks: [] },
    server: { database: 'shop', major: server.major },
  });
  expect(state.location).toBe(`127.0.0.1:${server.port}/shop`);
  const { bavail, bsize } = statfsSync(server.dataDir);
  expect(state.freeBytes).toBeGreaterThan(bavail * bsize * 0.9);
  expect(state.freeUnknown).toBeUndefined();
});

it('sees what the target holds, who is connected, and what would not follow a rename', async () => {
  await server.psql('CREATE DATABASE shop');
  const empty = await restoring(server, backup, base, (target) => target.inspect());
  expect(empty.database).toMatchObject({ isEmpty: true, tables: 0, newestWrite: null });
  await server.psql(
    `CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE PUBLICATION p FOR TABLE t;
     SELECT pg_create_logical_replication_slot('held', 'pgoutput');`,
    'shop',
  );
  const session = server.psql('SELECT pg_sleep(60)', 'shop').catch(() => 'ended');
  await expect
    .poll(() => server.psql(`SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'`))
    .toBe('1');
  const state = await restoring(server, backup, base, (target) => target.inspect());
  expect(state.database).toMatchObject({
    isEmpty: false,
    tables: 1,
    newestWrite: { from: 'commits' },
    connections: [{ user: 'postgres', application: 'psql', count: 1 }],
    slots: ['held'],
    subscriptions: [],
    publications: ['p'],
  });
  expect(state.database?.bytes).toBeGreaterThan(1_000_000);
  const age = Date.now() - (state.database?.newestWrite?.at.getTime() ?? 0);
  expect(age).toBeGreaterThan(-60_000);
  expect(age).toBeLessThan(600_000);
  await server.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'`);
  await session;
});

it('restores a database that is closed until it is finished, and then as the source', async () => {
  await restoring(server, backup, base, async (target) => {
    const findings = await target.build('shop_restored_20260101t000000', backup.open);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(findings).toContainEqual(expect.objectContaining({ rule: 'facts-settings', status: 'pass' }));
    await expect(server.psql('SELECT 1', 'shop_restored_20260101t000000', 'app')).rejects.toThrow(
      'permission denied for database',
    );
    await expect(server.psql('SELECT 1', 'shop_restored_20260101t000000', 'shop owner')).rejects.toThrow(
      'permission denied for database',
    );
    // Not by rights: it has all that our role has.
    await expect(server.psql('SELECT 1', 'shop_restored_20260101t000000', 'near')).rejects.toThrow(
      'too many connections for database',
    );
    const found = await target.readFacts('shop_restored_20260101t000000', 'fingerprints');
    expect(found.tables).toEqual(backup.facts?.tables);
    expect(found.schema).toEqual(backup.facts?.schema);
    expect(found.settings).toEqual(backup.facts?.settings);
    expect(found.largeObjects).toEqual(backup.facts?.largeObjects);
    await target.analyze('shop_restored_20260101t000000');
    await target.reindex('shop_restored_20260101t000000');
    expect(await target.countRows('shop_restored_20260101t000000', ['shop.orders', 'shop.gone'])).toEqual([
      { table: 'shop.orders', rows: 500 },
      { table: 'shop.gone', rows: null },
    ]);
    await target.finish('shop_restored_20260101t000000');
    await target.rename('shop_restored_20260101t000000');
  });
  expect(await propertiesOf(server, 'shop')).toBe(await propertiesOf(source, 'shop'));
  expect(await server.psql('SELECT count(*) FROM pg_publication', 'shop')).toBe('1');
  expect(await databasesOf(server)).toBe('postgres\nshop');
});

it('takes the place of the target, which is kept with its mark, and drops it when told', async () => {
  await server.psql(`CREATE DATABASE shop; COMMENT ON DATABASE shop IS 'the shop';`);
  await server.psql('CREATE TABLE before (id int)', 'shop');
  await restoring(server, backup, base, async (target) => {
    await target.build('shop_restored', backup.open);
    await target.swap('shop_restored', 'shop_old');
    expect((await target.inspect()).leftDatabases).toMatchObject([{ name: 'shop_old', what: 'kept' }]);
  });
  expect(await propertiesOf(server, 'shop')).toBe(`${await propertiesOf(source, 'shop')}the shop`);
  expect(await server.psql('SELECT count(*) FROM before', 'shop_old')).toBe('0');
  await restoring(server, backup, base, (target) => target.drop('shop_old'));
  expect(await databasesOf(server)).toBe('postgres\nshop');
});

it('drops nothing that bears no mark, unless it is the target', async () => {
  await server.psql('CREATE DATABASE shop_other; CREATE DATABASE shop;');
  const refused = restoring(server, backup, base, (target) => target.drop('shop_other'));
  await expect(refused).rejects.toMatchObject({ code: 'guard-refused' });
  await restoring(server, backup, base, (target) => target.drop('shop'));
  expect(await databasesOf(server)).toBe('postgres\nshop_other');
});

it('leaves nothing of a restore that was not finished', async () => {
  const broken = restoring(server, backup, base, async (target) => {
    await target.build('shop_restored_20260101t000000', backup.open);
    throw new Error('broke');
  });
  await expect(broken).rejects.toThrow('broke');
  expect(await databasesOf(server)).toBe('postgres');
});

it('restores the schema alone, or rows without indexes and constraints', async () => {
  await restoring(
    server,
    backup,
    base,
    async (target) => {
      await target.build('shop_schema', backup.open);
      const found = await target.readFacts('shop_schema', 'counts');
      expect(found.schema).toEqual(backup.facts?.schema.filter(({ kind }) => kind !== 'large-objects'));
      expect(await target.countRows('shop_schema', ['shop.orders'])).toEqual([{ table: 'shop.orders', rows: 0 }]);
    },
    { part: 'schema' },
  );
  await restoring(
    server,
    backup,
    base,
    async (target) => {
      await target.build('shop_rows', backup.open);
      expect(await target.countRows('shop_rows', ['shop.orders'])).toEqual([{ table: 'shop.orders', rows: 500 }]);
      expect(
        await server.psql(`SELECT count(*) FROM pg_index WHERE indrelid = 'shop.orders'::regclass`, 'shop_rows'),
      ).toBe('0');
    },
    { part: 'data' },
  );
});
