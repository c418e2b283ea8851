import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Target } from '../../../src/core/ports.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { type TakenBackup, takeBackup } from './backup-fixture.ts';
import { databasesOf, dropDatabases, makeBase, propertiesOf, restoring } from './target-fixture.ts';

const base = makeBase();
let server: TestPostgres;
let backup: TakenBackup;

beforeAll(async () => {
  server = await startPostgres({ settings: { max_prepared_transactions: 5 } });
  await server.psql('CREATE ROLE app LOGIN; CREATE DATABASE source; GRANT CONNECT ON DATABASE source TO app;');
  await server.psql(
    `CREATE TABLE t (what text); INSERT INTO t VALUES ('restored'); GRANT SELECT ON t TO app;`,
    'source',
  );
  backup = await takeBackup(server, 'source');
  await server.psql('DROP DATABASE source');
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});
afterEach(() => dropDatabases(server));

async function makeShop(): Promise<void> {
  await server.psql(`CREATE DATABASE shop CONNECTION LIMIT 12; COMMENT ON DATABASE shop IS 'live'`);
  await server.psql(`CREATE TABLE t (what text); INSERT INTO t VALUES ('live'); GRANT SELECT ON t TO app;`, 'shop');
}

function swapping<T>(use: (target: Target) => Promise<T>, user?: string): Promise<T> {
  return restoring(
    server,
    backup,
    base,
    async (target) => {
      await target.build('shop_new', backup.open);
      return use(target);
    },
    user === undefined ? {} : { user },
  );
}

/** Neither of the two is closed, renamed or changed. */
async function bothAsBefore(failed: Promise<unknown>, expected: object): Promise<void> {
  const before = await propertiesOf(server, 'shop');
  const there: string[] = [];
  const looking = failed.catch((error: unknown) => error);
  expect(await looking).toMatchObject(expected);
  there.push(await databasesOf(server));
  expect(there).toEqual(['postgres\nshop']);
  expect(await propertiesOf(server, 'shop')).toBe(before);
  expect(await server.psql('SELECT what FROM t', 'shop', 'app')).toBe('live');
}

/** Connects again and again, as a pool of an application does; `seen` counts what it read and how it failed. */
function client(stop: AbortSignal): { seen: Map<string, number>; over: Promise<void> } {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  const loop = async () => {
    while (!stop.aborted) {
      await server.psql('SELECT what FROM t; SELECT pg_sleep(0.2)', 'shop', 'app').then(
        (text) => count(text.split('\n')[0] ?? ''),
        (error: Error) => count(String(/FATAL: {2}(.*)/.exec(error.message)?.[1])),
      );
    }
  };
  return { seen, over: loop() };
}

it('swaps while clients connect in a loop: each sees the one or the other', async () => {
  await makeShop();
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const clients = [1, 2, 3, 4].map(() => client(stop.signal));
  const haveAllSeen = (what: string) => clients.every(({ seen }) => seen.has(what));
  const { ended } = await swapping(async (target) => {
    await expect.poll(() => haveAllSeen('live')).toBe(true);
    // Those of the loop may all be between two connections at that moment: this one is not.
    const steady = server.psql('SELECT pg_sleep(600)', 'shop', 'app').catch((error: Error) => error.message);
    onTestFinished(async () => expect(await steady).toMatch('terminating connection'));
    const connected = `SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'`;
    await expect.poll(() => server.psql(connected)).toBe('1');
    return target.swap('shop_new', 'shop_old');
  });
  await expect.poll(() => haveAllSeen('restored'), { timeout: 10_000 }).toBe(true);
  stop.abort();
  await Promise.all(clients.map(({ over }) => over));
  expect(ended).toBeGreaterThan(0);
  for (const { seen } of clients) {
    const other = [...seen.keys()].filter((what) => !['live', 'restored'].includes(what));
    expect(other.filter((what) => !/terminating connection|"shop" does not exist/.test(what))).toEqual([]);
  }
  expect(await server.psql('SELECT what FROM t', 'shop_old')).toBe('live');
  expect(await propertiesOf(server, 'shop_old')).toMatch(
    /^postgres\|12\|t\|.*Lifeboat restore, what was there before: .*"comment":"live"/,
  );
});

it('changes nothing when one of its statements fails in the middle', async () => {
  await makeShop();
  const failed = swapping(async (target) => {
    // The grant to it is the last of all.
    await server.psql('ALTER ROLE app RENAME TO gone');
    onTestFinished(async () => void (await server.psql('ALTER ROLE gone RENAME TO app').catch(() => '')));
    await target.swap('shop_new', 'shop_old').finally(() => server.psql('ALTER ROLE gone RENAME TO app'));
  });
  await bothAsBefore(failed, { code: 'target-failed', message: expect.stringContaining('nothing was changed') });
});

it('refuses where prepared transactions would keep it waiting for ever', async () => {
  await makeShop();
  await server.psql(`BEGIN; INSERT INTO t VALUES ('prepared'); PREPARE TRANSACTION 'held'`, 'shop');
  const failed = swapping(async (target) => {
    expect((await target.inspect()).database?.prepared).toEqual([{ gid: 'held', seconds: expect.any(Number) }]);
    await target.swap('shop_new', 'shop_old');
  });
  await bothAsBefore(failed, { code: 'guard-refused', message: expect.stringContaining('held in shop') });
  await server.psql(`ROLLBACK PREPARED 'held'`, 'shop');
});

it('gives up on a connection that does not end, and names it', async () => {
  await makeShop();
  const slow = server.psql('SELECT pg_sleep(600)', 'shop').catch((error: Error) => error.message);
  const asked = `SELECT pid FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep.600'`;
  await expect.poll(() => server.psql(asked)).not.toBe('');
  const pid = Number(await server.psql(asked));
  const failed = swapping(async (target) => {
    process.kill(pid, 'SIGSTOP');
    // Not for longer: a server whose processes do not answer can drop no database either.
    await target.swap('shop_new', 'shop_old').finally(() => process.kill(pid, 'SIGCONT'));
  });
  await bothAsBefore(failed, {
    code: 'target-failed',
    message: expect.stringContaining(`pid ${pid}, role postgres, psql`),
    hint: expect.stringContaining(`pg_terminate_backend(${pid})`),
  });
  expect(await slow).toContain('terminating connection');
});

it('refuses a name that is taken', async () => {
  await makeShop();
  await server.psql('CREATE DATABASE shop_old');
  onTestFinished(async () => void (await server.psql('DROP DATABASE IF EXISTS shop_old')));
  const refused = swapping((target) => target.swap('shop_new', 'shop_old'));
  await expect(refused).rejects.toMatchObject({ code: 'guard-refused' });
  const build = restoring(server, backup, base, (target) => target.build('shop', backup.open));
  await expect(build).rejects.toMatchObject({ code: 'guard-refused' });
  expect(await databasesOf(server)).toBe('postgres\nshop\nshop_old');
});

/** Cuts the connection that waits in its COMMIT, as a server that is shut down then does: what it did stays done. */
async function cutInCommit<T>(doing: () => Promise<T>): Promise<T> {
  const setting = (value: string) =>
    server.psql(`ALTER SYSTEM SET synchronous_standby_names = '${value}'; SELECT pg_reload_conf()`);
  const waiting = `FROM pg_stat_activity WHERE wait_event = 'SyncRep'`;
  await server.psql(`ALTER SYSTEM SET synchronous_commit = 'on'`);
  await setting('nobody');
  try {
    const done = doing();
    done.catch(() => {}); // awaited below
    await expect.poll(() => server.psql(`SELECT count(*) ${waiting}`), { timeout: 20_000 }).not.toBe('0');
    await server.psql(`SELECT pg_terminate_backend(pid) ${waiting}`);
    return await done;
  } finally {
    await setting('');
  }
}

it('asks the server anew when the connection is cut while a swap is committed', async () => {
  await makeShop();
  await swapping((target) => cutInCommit(() => target.swap('shop_new', 'shop_old')));
  expect(await databasesOf(server)).toBe('postgres\nshop\nshop_old');
  expect(await server.psql('SELECT what FROM t', 'shop', 'app')).toBe('restored');
});

it('takes a database for dropped whose drop was cut off after it was done', async () => {
  await makeShop();
  await swapping((target) => cutInCommit(() => target.drop('shop')));
  expect(await databasesOf(server)).toBe('postgres');
});

it('finishes what it renames, in one transaction', async () => {
  await swapping(async (target) => {
    await server.psql('CREATE DATABASE shop');
    await expect(target.rename('shop_new')).rejects.toMatchObject({ code: 'guard-refused' });
    expect(await propertiesOf(server, 'shop_new')).toContain('unfinished');
    await server.psql('DROP DATABASE shop');
    await target.rename('shop_new');
  });
  expect(await propertiesOf(server, 'shop')).not.toContain('Lifeboat');
  expect(await server.psql('SELECT what FROM t', 'shop', 'app')).toBe('restored');
});

it('says that a template may not be dropped before anything is done, and how it may', async () => {
  await makeShop();
  await server.psql('ALTER DATABASE shop IS_TEMPLATE true');
  const state = await restoring(server, backup, base, (target) => target.inspect());
  await server.psql('ALTER DATABASE shop IS_TEMPLATE false');
  expect(state.user.lacks).toEqual([
    { what: 'rename or drop the database shop, which is a template', sql: 'ALTER DATABASE "shop" IS_TEMPLATE false;' },
  ]);
});
