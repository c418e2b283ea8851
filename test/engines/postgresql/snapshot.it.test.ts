import { execFileSync } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { DumpRequest, Snapshot } from '../../../src/core/ports.ts';
import { anyClient } from '../../../src/engines/postgresql/programs.ts';
import { openSession, type Session } from '../../../src/engines/postgresql/session.ts';
import { openEngine } from '../../../src/engines/registry.ts';
import { zstd } from '../../../src/sys/zstd.ts';
import { postgresProxy } from '../../faults/postgres-proxy.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { worldForTests } from '../../worlds.ts';

let pg: TestPostgres;
beforeAll(async () => {
  pg = await startPostgres();
});
afterAll(() => pg.stop());
beforeEach(async () => {
  await pg.psql(
    'DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t AS SELECT g FROM generate_series(1, 100) g; CREATE SEQUENCE s',
  );
});

function request(changes: Partial<DumpRequest> = {}): DumpRequest {
  return {
    source: 'shop',
    connection: { url: pg.url },
    scope: 'full',
    tables: [],
    excludeTables: [],
    excludeTableData: [],
    facts: 'counts',
    rolePasswords: false,
    lockTimeoutMs: 0,
    stallMs: 60_000,
    tableLockTimeoutMs: 10_000,
    allowNewerClient: false,
    holder: 'run 4711 of acme/shop',
    signal: new AbortController().signal,
    ...changes,
  };
}

async function session(): Promise<Session> {
  const opened = await openSession(await anyClient({ url: pg.url }, process.env), { applicationName: 'a migration' });
  onTestFinished(() => opened.close());
  return opened;
}

async function engine() {
  const { world } = worldForTests();
  return await openEngine('postgresql', { env: process.env, log: world.log, now: world.now });
}

/** Waits until some backend waits for a lock: the snapshot is exported then, and its LOCK queued. */
async function whenSomebodyWaits(): Promise<void> {
  while ((await pg.psql("SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'")) === '0');
}

/** The dump as SQL. */
async function sqlOf(snapshot: Snapshot): Promise<string> {
  const output = snapshot.streams[0]?.open({ level: 1 });
  if (output === undefined) throw new Error('The snapshot has no stream.');
  const dump = await buffer(zstd(process.env).decompress(output.compressed));
  return execFileSync(`${pg.clientDir}/pg_restore`, ['-f', '-'], { input: dump, encoding: 'utf8' });
}

describe('a guarded snapshot', () => {
  it.each([
    ['TRUNCATE', 'TRUNCATE public.t'],
    ['a rewriting ALTER', 'ALTER TABLE public.t ALTER g TYPE bigint'],
    ['DROP', 'DROP TABLE public.t'],
  ])('starts over when %s came between it and the locks', async (_, ddl) => {
    const other = await session();
    await other.execute('BEGIN');
    await other.execute(ddl);
    const taken = (await engine()).withSnapshot(request(), async (snapshot) => ({
      restarts: snapshot.findings.filter((one) => one.rule === 'backup-restarted').length,
      tables: (await snapshot.readFacts())?.tables,
    }));
    await whenSomebodyWaits();
    await other.execute('COMMIT');
    const expected = { TRUNCATE: [{ name: 'public.t', rows: 0 }], DROP: [] }[_] ?? [{ name: 'public.t', rows: 100 }];
    expect(await taken).toEqual({ restarts: 1, tables: expected });
  });

  it.each<Partial<DumpRequest>>([
    { excludeTableData: ['staging'] },
    { excludeTables: ['staging'] },
    { scope: 'tables', tables: ['t'] },
    { excludeTableData: ['staging'], jobs: 2 },
  ])('is not disturbed by the TRUNCATE of a table whose rows are left out: %j', async (changes) => {
    await pg.psql('CREATE TABLE staging AS SELECT 1 AS one');
    const other = await session();
    await other.execute('BEGIN');
    await other.execute('TRUNCATE public.staging');
    await other.execute('LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE');
    const taken = (await engine()).withSnapshot(request(changes), async (snapshot) => snapshot.findings);
    await whenSomebodyWaits();
    await other.execute('COMMIT');
    expect((await taken).filter((one) => one.rule === 'backup-restarted')).toEqual([]);
  });

  it('keeps DDL out until the last stream has ended, and writers not', async () => {
    await (await engine()).withSnapshot(request(), async (snapshot) => {
      const other = await session();
      await other.execute("SET lock_timeout = '50ms'");
      await expect(other.execute('TRUNCATE public.t')).rejects.toThrow('lock timeout');
      await other.execute('INSERT INTO public.t VALUES (101)');
      expect((await snapshot.readFacts())?.tables).toEqual([{ name: 'public.t', rows: 100 }]);
      const dump = await sqlOf(snapshot);
      expect(dump).toContain('\n100\n');
      expect(dump).not.toContain('\n101\n');
    });
    expect(await pg.psql('SELECT count(*) FROM t')).toBe('101');
  });

  it('says who holds a table that it cannot lock', async () => {
    const other = await session();
    await other.execute('BEGIN');
    await other.execute('LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE');
    const taking = (await engine()).withSnapshot(request({ tableLockTimeoutMs: 100 }), async () => 'taken');
    await expect(taking).rejects.toThrow(
      `public.t is locked by process ${other.pid} (user postgres, application "a migration"`,
    );
  });

  it('says what a server needs that has no room for a lock on every table', async () => {
    const narrow = await startPostgres({ settings: { max_locks_per_transaction: 10, max_connections: 10 } });
    onTestFinished(() => narrow.stop());
    const names = Array.from({ length: 2_000 }, (_, at) => `t_${at}`);
    await narrow.psql(names.map((name) => `CREATE TABLE ${name} (id int);`).join('\n'));
    const taking = (await engine()).withSnapshot(request({ connection: { url: narrow.url } }), async () => 'taken');
    await expect(taking).rejects.toMatchObject({
      code: 'source-refused',
      hint: expect.stringContaining('max_locks_per_transaction'),
    });
  });

  it('does not wait for DDL on a table whose rows are left out', async () => {
    const other = await session();
    await other.execute('BEGIN');
    await other.execute('CREATE TABLE public.scratchpad (x int)');
    await expect((await engine()).withSnapshot(request(), async () => 'taken')).resolves.toBe('taken');
  });

  it('reads sequences before and after, since they are not part of it', async () => {
    const moved = await (await engine()).withSnapshot(request(), async (snapshot) => {
      const facts = await snapshot.readFacts();
      await pg.psql("SELECT nextval('s'), nextval('s')");
      return (await snapshot.finish(facts)).facts?.sequences[0];
    });
    expect(moved).toMatchObject({ before: { value: '1', isCalled: false }, after: { value: '2', isCalled: true } });
  });
});

it('does not wait for ever for DDL that waits for it', async () => {
  const other = await session();
  const taking = (await engine()).withSnapshot(request({ tableLockTimeoutMs: 300 }), async (snapshot) => {
    const truncating = other.execute('TRUNCATE public.t');
    while ((await pg.psql('SELECT count(*) FROM pg_locks WHERE NOT granted')) === '0');
    const facts = snapshot.readFacts();
    await expect(facts).rejects.toMatchObject({ code: 'source-busy', hint: expect.stringContaining('queued') });
    return { truncating };
  });
  await (await taking).truncating;
});

it('is no snapshot any more when the session that guards it is gone', async () => {
  const taking = (await engine()).withSnapshot(request(), async (snapshot) => {
    const facts = await snapshot.readFacts();
    await pg.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'");
    return await snapshot.finish(facts);
  });
  await expect(taking).rejects.toMatchObject({ code: 'source-unreachable', hint: expect.any(String) });
});

describe('the lock of a source', () => {
  it('is held as long as its backup runs, and names its holder', async () => {
    const one = await engine();
    await one.withSnapshot(request(), async () => {
      const second = one.withSnapshot(request({ holder: 'another' }), async () => 'taken');
      await expect(second).rejects.toThrow(/being backed up by "lifeboat [0-9a-f]{6} run 4711 of acme\/shop"/);
      await expect(one.withSnapshot(request({ source: 'shop-users' }), async () => 'taken')).resolves.toBe('taken');
    });
    await expect(one.withSnapshot(request(), async () => 'taken')).resolves.toBe('taken');
  });

  it('is waited for when asked to', async () => {
    const one = await engine();
    const release = Promise.withResolvers<void>();
    const first = one.withSnapshot(request(), () => release.promise);
    while ((await pg.psql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) === '0');
    const second = one.withSnapshot(request({ lockTimeoutMs: 15_000 }), async () => 'taken');
    release.resolve();
    await first;
    await expect(second).resolves.toBe('taken');
  });
});

describe('a session', () => {
  it('is untouched by settings of the role that would kill a backup', async () => {
    await pg.psql(`CREATE ROLE hasty LOGIN SUPERUSER; ALTER ROLE hasty SET statement_timeout = '1ms'; ALTER ROLE hasty SET search_path = public;
      ALTER ROLE hasty SET idle_in_transaction_session_timeout = '1ms'; ALTER ROLE hasty SET bytea_output = 'escape'`);
    const opened = await openSession(await anyClient({ url: pg.urlOf('postgres', 'hasty') }, process.env), {
      applicationName: 'x',
    });
    onTestFinished(() => opened.close());
    await opened.execute('BEGIN');
    await opened.query('SELECT pg_sleep(0.05)');
    expect(
      await opened.one("SELECT current_setting('search_path') AS path, current_setting('bytea_output') AS bytea"),
    ).toEqual({ path: '""', bytea: 'hex' });
  });

  it('keeps the password out of the arguments of its programs', async () => {
    const url = pg.url.replace('postgresql://postgres@', 'postgresql://postgres:ge%20heim@');
    const client = await anyClient({ url }, process.env);
    const command = client.command('psql', ['-d', client.target.dsn({ applicationName: 'x' })]);
    expect(command.args.join(' ')).not.toMatch(/ge(%20| )heim/);
    expect(command.env.PGPASSWORD).toBe('ge heim');
  });

  it('survives every character that data can hold', async () => {
    const odd = 'line\nbreak \u2028 "quotes" \\ \'single\' 🚣 \t tab';
    const other = await session();
    const [row] = await other.query<{ odd: string }>(`SELECT '${odd.replaceAll("'", "''")}' AS odd`);
    expect(row?.odd).toBe(odd);
  });
});

describe('a server that falls silent', () => {
  it('is given up while it is asked for facts', async () => {
    const proxy = await postgresProxy(pg.port);
    onTestFinished(() => proxy.close());
    const url = pg.url.replace(`:${pg.port}/`, `:${proxy.port}/`);
    const asked = request({ connection: { url }, stallMs: 1_000, tableLockTimeoutMs: 500 });
    const silenced = (await engine()).withSnapshot(asked, async (snapshot) => {
      proxy.fallSilent();
      return snapshot.readFacts();
    });
    await expect(silenced).rejects.toMatchObject({ code: 'stalled', hint: expect.stringMatching(/`stall-timeout`/) });
  });

  it('is none as long as it answers, though the backup asks nothing for a while', async () => {
    const asked = request({ stallMs: 1_500, tableLockTimeoutMs: 100 });
    const slept = (await engine()).withSnapshot(asked, async (snapshot) => {
      await pg.psql('SELECT pg_sleep(4)');
      return snapshot.tables;
    });
    expect(await slept).toBe(1);
  });
});
