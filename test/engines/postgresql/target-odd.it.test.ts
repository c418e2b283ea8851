import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { programsWithExtension } from '../../servers/programs-with-extension.ts';
import { type TakenBackup, takeBackup } from './backup-fixture.ts';
import { databasesOf, dropDatabases, makeBase, propertiesOf, restoring } from './target-fixture.ts';

const base = makeBase();
const extended = programsWithExtension();
let source: TestPostgres;
let server: TestPostgres;

beforeAll(async () => {
  source = await startPostgres({ binDir: extended.binDir, settings: { wal_level: 'logical' } });
  server = await startPostgres({ settings: { wal_level: 'logical' } });
});
afterAll(async () => {
  await source?.stop();
  await server?.stop();
  extended.remove();
  rmSync(base, { recursive: true, force: true });
});
afterEach(async () => {
  await dropDatabases(source);
  await dropDatabases(server);
});

async function sourceOf(create: string, sql = ''): Promise<TakenBackup> {
  await source.psql(`CREATE DATABASE shop ${create}`);
  await source.psql(sql, 'shop');
  return takeBackup(source, 'shop');
}

it.each([
  { encoding: 'LATIN1', clauses: `ENCODING 'LATIN1' LOCALE 'C'` },
  { encoding: 'SQL_ASCII', clauses: `ENCODING 'SQL_ASCII' LOCALE 'C'` },
  { encoding: 'UTF8', clauses: `LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'` },
])('restores a database of another encoding or collation: $clauses', async ({ encoding, clauses }) => {
  const code = encoding === 'SQL_ASCII' ? 117 : 252;
  const backup = await sourceOf(
    `TEMPLATE template0 ${clauses}`,
    `CREATE TABLE t AS SELECT 'gr' || chr(${code}) || 'n' AS text`,
  );
  const found = await restoring(server, backup, base, async (target) => {
    const findings = await target.build('shop_new', backup.open);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    const facts = await target.readFacts('shop_new', 'fingerprints');
    await target.finish('shop_new');
    await target.rename('shop_new');
    return facts;
  });
  expect(found.tables).toEqual(backup.facts?.tables);
  expect(await propertiesOf(server, 'shop')).toBe(await propertiesOf(source, 'shop'));
});

it('restores what is of libc to a server whose databases are of ICU', async () => {
  const icu = await startPostgres({ initdbArgs: ['--locale-provider=icu', '--icu-locale=de-DE'] });
  onTestFinished(() => icu.stop());
  const backup = await sourceOf('');
  await restoring(icu, backup, base, async (target) => {
    const findings = await target.build('shop_new', backup.open);
    expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    await target.finish('shop_new');
  });
  const provider = `SELECT datlocprovider FROM pg_database WHERE datname = 'shop_new'`;
  expect(await icu.psql(provider)).toBe('c');
});

it('says what a locale that the server does not know needs', async () => {
  const backup = await sourceOf('');
  const manifest = { ...backup.manifest, server: { ...backup.manifest.server, collate: 'xx_XX.UTF-8' } };
  const refused = restoring(server, backup, base, (target) => target.build('shop_new', backup.open), { manifest });
  await expect(refused).rejects.toMatchObject({ code: 'target-failed', hint: expect.stringContaining('locale -a') });
});

it('names extensions that are missing, before anything is made and when it is', async () => {
  const backup = await sourceOf('', 'CREATE EXTENSION lifeboat_shop');
  await restoring(server, backup, base, async (target) => {
    expect((await target.inspect()).missingExtensions).toEqual(['lifeboat_shop']);
    await expect(target.build('shop_new', backup.open)).rejects.toMatchObject({
      code: 'guard-refused',
      message: expect.stringContaining('not installed on the target server: the extension is lifeboat_shop'),
    });
    expect(await databasesOf(server)).toBe('postgres');
  });
});

it('names settings that this server does not take, without their values', async () => {
  const backup = await sourceOf('');
  const settings = [
    { role: null, setting: 'work_mem=9MB' },
    { role: null, setting: 'no_such_setting=hidden' },
    { role: 'nobody', setting: 'work_mem=hidden' },
  ];
  const facts = backup.facts === undefined ? undefined : { ...backup.facts, settings };
  const findings = await restoring(server, backup, base, (target) => target.build('shop_new', backup.open), { facts });
  const warned = findings.filter(({ status }) => status === 'warn').map(({ message }) => message);
  expect(warned).toEqual([
    expect.stringContaining('The setting no_such_setting'),
    expect.stringContaining('The setting work_mem of the role nobody'),
    expect.stringContaining('not as it was: its settings'),
  ]);
  expect(JSON.stringify(findings)).not.toContain('hidden');
});

it('is not stopped by limits, read-only mode or roles that the settings of the database bring', async () => {
  const backup = await sourceOf('', `CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n`);
  const settings = [
    'default_transaction_read_only=on',
    'statement_timeout=1ms',
    'lock_timeout=1ms',
    'idle_in_transaction_session_timeout=1ms',
    'role=pg_monitor',
  ].map((setting) => ({ role: null, setting }));
  const facts = backup.facts === undefined ? undefined : { ...backup.facts, settings };
  const given = { facts };
  await restoring(
    server,
    backup,
    base,
    async (target) => {
      await target.build('shop_new', backup.open);
      expect((await target.readFacts('shop_new', 'fingerprints')).tables).toEqual(backup.facts?.tables);
      await target.analyze('shop_new');
      await target.reindex('shop_new');
      await target.finish('shop_new');
      await target.rename('shop_new');
      expect((await target.inspect()).database?.tables).toBe(1);
    },
    given,
  );
});

it('leaves subscriptions out, and names how they were made but for the connection', async () => {
  await source.psql('CREATE DATABASE publisher');
  await source.psql(`CREATE TABLE news (id int); CREATE PUBLICATION news FOR TABLE news;`, 'publisher');
  const backup = await sourceOf(
    '',
    `CREATE TABLE news (id int); CREATE PUBLICATION own FOR TABLE news;
     CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 port=${source.port} user=postgres password=it''s-secret dbname=publisher'
       PUBLICATION news WITH (create_slot = false, connect = false, slot_name = 'held', enabled = false);`,
  );
  const { findings, state } = await restoring(server, backup, base, async (target) => {
    const built = await target.build('shop_new', backup.open);
    await target.finish('shop_new');
    await target.rename('shop_new');
    return { findings: built, state: await target.inspect() };
  });
  expect(findings.filter(({ status }) => status !== 'pass')).toMatchObject([
    {
      rule: 'left-out',
      message: expect.stringMatching(
        /CREATE SUBSCRIPTION feed CONNECTION '…' PUBLICATION news WITH \(connect = false, slot_name = 'held'.*\);/,
      ),
    },
  ]);
  expect(JSON.stringify(findings)).not.toContain('secret');
  expect(state.database).toMatchObject({ subscriptions: [], publications: ['own'] });
  await source.psql('ALTER SUBSCRIPTION feed SET (slot_name = NONE); DROP SUBSCRIPTION feed', 'shop');
});

it('sees subscriptions of the target, which keep it from being dropped', async () => {
  const backup = await sourceOf('');
  await server.psql('CREATE DATABASE shop');
  await server.psql(
    `CREATE TABLE news (id int); CREATE SUBSCRIPTION feed CONNECTION 'dbname=postgres' PUBLICATION news
     WITH (create_slot = false, connect = false, slot_name = NONE, enabled = false)`,
    'shop',
  );
  await restoring(server, backup, base, async (target) => {
    expect((await target.inspect()).database?.subscriptions).toEqual(['feed']);
    await expect(target.drop('shop')).rejects.toMatchObject({
      code: 'target-failed',
      hint: expect.stringContaining('subscriptions'),
    });
  });
  await server.psql('DROP SUBSCRIPTION feed', 'shop');
});

it('refuses a server that is older than the backup', async () => {
  const backup = await sourceOf('');
  const manifest = { ...backup.manifest, server: { ...backup.manifest.server, major: 99 } };
  const refused = restoring(server, backup, base, (target) => target.build('shop_new', backup.open), { manifest });
  await expect(refused).rejects.toMatchObject({ code: 'guard-refused', message: expect.stringContaining('99') });
});

it('tells the newest write by the files of the server where commits are not kept', async () => {
  const backup = await sourceOf('');
  await server.psql('CREATE DATABASE shop');
  await server.psql('CREATE TABLE t AS SELECT 1 AS one; CHECKPOINT', 'shop');
  const { database } = await restoring(server, backup, base, (target) => target.inspect());
  expect(database?.newestWrite).toMatchObject({ from: 'files' });
  expect(Math.abs(Date.now() - (database?.newestWrite?.at.getTime() ?? 0))).toBeLessThan(600_000);
});

it('restores through programs that run elsewhere', async () => {
  const backup = await sourceOf('', 'CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n');
  const folder = join(base, 'container');
  mkdirSync(folder, { recursive: true });
  const lines = ['#!/bin/sh', `exec env -i PATH=${server.clientDir}:/usr/bin:/bin "$@"`];
  writeFileSync(join(folder, 'exec'), `${lines.join('\n')}\n`);
  chmodSync(join(folder, 'exec'), 0o755);
  const connection = {
    url: 'postgresql://postgres@db:1/shop',
    toolsPrefix: [join(folder, 'exec')],
    toolsHost: `127.0.0.1:${server.port}`,
  };
  await restoring(
    server,
    backup,
    base,
    async (target) => {
      const state = await target.inspect();
      expect(state.freeBytes).toBeGreaterThan(0);
      await target.build('shop_new', backup.open);
      expect((await target.readFacts('shop_new', 'fingerprints')).tables).toEqual(backup.facts?.tables);
      await target.finish('shop_new');
      await target.rename('shop_new');
    },
    { connection },
  );
  expect(await server.psql('SELECT count(*) FROM t', 'shop')).toBe('1000');
});

it('takes another maintenance database where `postgres` is the target, and needs a name in the URL', async () => {
  const backup = await sourceOf('');
  const state = await restoring(server, backup, base, (target) => target.inspect(), {
    connection: { url: server.urlOf('postgres') },
  });
  expect(state.database).toMatchObject({ isEmpty: true });
  const nameless = restoring(server, backup, base, (target) => target.inspect(), {
    connection: { url: `postgresql://postgres@127.0.0.1:${server.port}` },
  });
  await expect(nameless).rejects.toMatchObject({
    code: 'invalid-input',
    message: expect.stringContaining('`target-url`'),
  });
  const unreachable = restoring(server, backup, base, (target) => target.inspect(), {
    connection: { url: 'postgresql://postgres@127.0.0.1:1/shop' },
  });
  await expect(unreachable).rejects.toMatchObject({ code: 'source-unreachable' });
});
