import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import { silentProxy, transactionPooler } from './failures-proxies.ts';
import { type Expected, type Failed, failingStep, filesIn, newFolder } from './failures-step.ts';
import { runAction } from './runner.ts';

const PASSWORD = 'geh/eim#42';

let pg: TestPostgres;

beforeAll(async () => {
  pg = await startPostgres();
  const hba = join(pg.dataDir, 'pg_hba.conf');
  writeFileSync(hba, `host all guarded 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, 'utf8')}`);
  await pg.psql(`
    CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '${PASSWORD}';
    CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader;
    CREATE ROLE clerk LOGIN;
    SELECT pg_reload_conf();
    CREATE DATABASE shop`);
  await pg.psql(
    `CREATE TABLE orders AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 1000) g;
     CREATE TABLE "Pay roll" (id int);
     GRANT SELECT ON orders TO clerk;`,
    'shop',
  );
});

afterAll(async () => {
  await pg?.stop();
});

/** A backup that must fail. It leaves nothing in the store, and no connection. */
async function failingBackup(given: Record<string, string>, expected: Expected, env = {}): Promise<Failed> {
  const folder = newFolder();
  const all = { source: 'shop', store: `file://${folder}/store`, 'database-url': pg.urlOf('shop'), ...given };
  const failed = await failingStep({ action: 'backup', with: all, env }, expected);
  expect(filesIn(folder)).toEqual([]);
  await vi.waitFor(async () => expect(await connections()).toBe('0'), 20_000);
  return failed;
}

async function connections(): Promise<string> {
  return pg.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'");
}

/** `postgresql://guarded:…@…/shop` with a password, percent-encoded. */
function withPassword(password: string, port = pg.port): string {
  return `postgresql://guarded:${encodeURIComponent(password)}@127.0.0.1:${port}/shop`;
}

/** A session that holds what it was told to, until the test ends. */
async function hold(sql: string): Promise<void> {
  const held = pg.psql(`BEGIN; ${sql}; SELECT pg_sleep(60)`, 'shop').catch(() => {});
  const ours =
    "FROM pg_stat_activity WHERE application_name = 'psql' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()";
  await vi.waitFor(
    async () => expect(await pg.psql(`SELECT count(*) ${ours} AND wait_event = 'PgSleep'`)).toBe('1'),
    10_000,
  );
  onTestFinished(async () => {
    await pg.psql(`SELECT pg_terminate_backend(pid) ${ours}`);
    await held;
  });
}

describe('the server', () => {
  it('cannot be reached', async () => {
    await failingBackup(
      { 'database-url': `postgresql://app:${encodeURIComponent(PASSWORD)}@127.0.0.1:1/shop` },
      {
        message: /127\.0\.0\.1.*port 1 failed: Connection refused/s,
        hint: /Check that the server runs and that this runner reaches its host and port/,
        secrets: [PASSWORD, encodeURIComponent(PASSWORD)],
      },
    );
  });

  it('has a name that nobody knows', async () => {
    await failingBackup(
      { 'database-url': 'postgresql://app@no-such-host.invalid/shop' },
      { message: /"no-such-host\.invalid"/, hint: /Correct the host in `database-url`/ },
    );
  });

  it('refuses the password', async () => {
    const url = withPassword('wr0ng/pass');
    await failingBackup(
      { 'database-url': url },
      {
        message: /password authentication failed for user "guarded"/,
        hint: /Check user and password in `database-url`.*PGPASSWORD/,
        secrets: ['wr0ng/pass', encodeURIComponent('wr0ng/pass')],
      },
    );
  });

  it('asks for a password, and there is none', async () => {
    await failingBackup(
      { 'database-url': pg.urlOf('shop', 'guarded') },
      { message: /no password supplied/, hint: /Check user and password in `database-url`/ },
    );
  });

  it('lets the role neither log in nor into the database, or wants no TLS', async () => {
    await pg.psql('CREATE ROLE outsider LOGIN; CREATE ROLE group_only; REVOKE CONNECT ON DATABASE shop FROM PUBLIC');
    onTestFinished(
      async () => void (await pg.psql('GRANT CONNECT ON DATABASE shop TO PUBLIC; DROP ROLE outsider, group_only')),
    );
    await failingBackup(
      { 'database-url': pg.urlOf('shop', 'outsider') },
      { message: /permission denied for database "shop"/, hint: /GRANT CONNECT ON DATABASE/ },
    );
    await failingBackup(
      { 'database-url': pg.urlOf('shop', 'group_only') },
      { message: /"group_only" is not permitted to log in/, hint: /ALTER ROLE <role> LOGIN/ },
    );
    await failingBackup(
      { 'database-url': `${pg.urlOf('shop')}?sslmode=require` },
      { message: /server does not support SSL/, hint: /Switch on `ssl` on the server/ },
    );
    await failingBackup(
      { 'database-url': `${pg.urlOf('shop')}?foo=bar` },
      { message: /invalid URI query parameter: "foo"/, hint: /Correct `database-url`/ },
    );
  });

  it('has no such database', async () => {
    await failingBackup(
      { 'database-url': pg.urlOf('shopp') },
      { message: /database "shopp" does not exist/, hint: /Correct the database name/ },
    );
  });

  it('says nothing any more while a dump runs', async () => {
    await pg.psql(
      'CREATE TABLE big AS SELECT md5(g::text) || md5((g + 1)::text) AS t FROM generate_series(1, 400000) g',
      'shop',
    );
    onTestFinished(async () => void (await pg.psql('DROP TABLE big', 'shop')));
    const proxy = await silentProxy(pg.port, { afterBytes: 4 << 20 });
    await failingBackup(
      { 'database-url': withPassword(PASSWORD, proxy.port), 'stall-timeout': '2s' },
      {
        message: /No byte of shop\/.*\/database\.dump\.zst came for 2 s/,
        hint: /`stall-timeout`/,
        secrets: [PASSWORD, encodeURIComponent(PASSWORD)],
      },
    );
  }, 60_000);

  it('says nothing any more before the dump begins', async () => {
    const proxy = await silentProxy(pg.port, { afterBytes: 3_000 });
    await failingBackup(
      { 'database-url': pg.urlOf('shop').replace(`:${pg.port}/`, `:${proxy.port}/`), timeout: '3s' },
      { message: /took longer than its `timeout` of 3s/, hint: /Find out in the log what took so long/ },
    );
  }, 60_000);

  it('is behind a pooler in transaction mode', async () => {
    const pooler = await transactionPooler(pg.port);
    await failingBackup(
      { 'database-url': pg.urlOf('shop').replace(`:${pg.port}/`, `:${pooler.port}/`) },
      {
        message: /goes through a pooler in transaction mode/,
        hint: /the port of PostgreSQL itself, or of a pool in session mode/,
      },
    );
  });
});

describe('the role', () => {
  it('may not read a table', async () => {
    await failingBackup(
      { 'database-url': pg.urlOf('shop', 'clerk') },
      { message: /may not read public\."Pay roll"/, hint: /GRANT pg_read_all_data TO/ },
    );
  });

  it('would see only some rows', async () => {
    await pg.psql('ALTER TABLE orders ENABLE ROW LEVEL SECURITY', 'shop');
    onTestFinished(async () => void (await pg.psql('ALTER TABLE orders DISABLE ROW LEVEL SECURITY', 'shop')));
    await failingBackup(
      { 'database-url': pg.urlOf('shop', 'reader') },
      { message: /Row security hides rows of public\.orders/, hint: /BYPASSRLS/ },
    );
  });
});

describe('the programs', () => {
  it('are older than the server', async () => {
    const newer = await startPostgres({ major: 18 });
    onTestFinished(() => newer.stop());
    await failingBackup(
      { 'database-url': newer.url },
      {
        message: /pg_dump 15 \(\/usr\/lib\/postgresql\/15\/bin\) is older than the server, which is 18/,
        hint: /Install postgresql-client-18/,
      },
    );
  });

  it('are newer than the server', async () => {
    const folder = programs({ pg_dump: '#!/bin/sh\necho "pg_dump (PostgreSQL) 99.1"\n' });
    await failingBackup(
      { 'bin-dir': folder },
      {
        message: /pg_dump 99 \(.*\) is newer than the server, which is 15/,
        hint: /Install postgresql-client-15 .*`allow-newer-client: true`/,
      },
    );
  });

  it('are not all there: pg_dump', async () => {
    const folder = programs({});
    await failingBackup(
      { 'bin-dir': folder },
      { message: new RegExp(`There is no pg_dump in ${folder}`), hint: /`bin-dir`/ },
    );
  });

  it('are not all there: zstd', async () => {
    const folder = newFolder();
    await failingBackup(
      {},
      { message: /zstd could not be started: there is no such program here/, hint: /Install zstd/ },
      { PATH: folder },
    );
  });

  it('are behind a prefix that does not exist', async () => {
    await failingBackup(
      { 'tools-prefix': '/opt/no-such/docker exec -i db' },
      { message: /\/opt\/no-such\/docker could not be started/, hint: /`tools-prefix`/ },
    );
  });
});

/** A folder for `bin-dir` with the real psql and what is given. */
function programs(scripts: Record<string, string>): string {
  const folder = join(newFolder(), 'bin');
  mkdirSync(folder);
  symlinkSync(join(pg.clientDir, 'psql'), join(folder, 'psql'));
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

describe('others in the database', () => {
  it('hold a table by DDL, and are named', async () => {
    await hold('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    await failingBackup(
      { 'table-lock-timeout': '1s' },
      {
        message: /public\.orders is locked by process \d+ \(user postgres, application "psql"/,
        hint: /End it, or run the backup later/,
      },
    );
  });

  it('are another run of this source, and it is named', async () => {
    await hold('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    const folder = newFolder();
    const given = { source: 'shop', store: `file://${folder}/store`, 'database-url': pg.urlOf('shop') };
    const over = Promise.withResolvers<'cancel'>();
    const first = runAction({
      action: 'backup',
      with: given,
      interruption: over.promise,
      env: { GITHUB_RUN_ID: '4700' },
    });
    await vi.waitFor(async () => expect(Number(await connections())).toBeGreaterThan(1), 10_000);
    const step = { action: 'backup', with: { ...given, 'lock-timeout': '1s' } };
    await failingStep(step, {
      message: /shop is being backed up by .*run 4700 of acme\/operations.* since \d{4}-.*did not end within 1s/s,
      hint: /`lock-timeout: 30m`/,
    });
    over.resolve('cancel');
    expect((await first).exitCode).toBe(1);
    expect(filesIn(folder)).toEqual([]);
  });

  it('make it take longer than `timeout`', async () => {
    await hold('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
    await failingBackup(
      { timeout: '2s' },
      { message: /took longer than its `timeout` of 2s/, hint: /raise `timeout`/ },
    );
  });
});
