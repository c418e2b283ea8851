import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { Scratch, ScratchRequest } from '../../../src/core/ports.ts';
import { removeLeftovers, withScratch } from '../../../src/engines/postgresql/scratch.ts';
import { processesIn } from '../../../src/sys/process-identity.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { scratchRequest, silent, type TakenBackup, takeBackup } from './backup-fixture.ts';

let server: TestPostgres;
let backup: TakenBackup;
const base = join('/var/tmp', `lbs-${process.pid}`);
const context = { env: process.env, log: silent };

beforeAll(async () => {
  server = await startPostgres({ superuser: 'boss man' });
  await server.psql(`
    CREATE ROLE shop LOGIN; CREATE ROLE reader; CREATE ROLE "odd; role\\n" IN ROLE reader;
    CREATE DATABASE shop OWNER shop CONNECTION LIMIT 7;
    ALTER DATABASE shop SET default_transaction_read_only = on;
    ALTER DATABASE shop SET search_path = "$user", public, "odd schema";
    ALTER ROLE shop SET statement_timeout = '1ms';
    ALTER ROLE shop IN DATABASE shop SET work_mem = '5MB';
    GRANT CONNECT ON DATABASE shop TO reader WITH GRANT OPTION; REVOKE CONNECT ON DATABASE shop FROM PUBLIC;`);
});
afterAll(async () => {
  await server?.stop();
});
const holders: ChildProcess[] = [];
afterEach(() => {
  for (const holder of holders.splice(0)) holder.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

beforeAll(async () => {
  await server.psql(
    `SET default_transaction_read_only = off;
    CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customers, at timestamptz DEFAULT now());
    INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 500) i;
    INSERT INTO orders (customer) SELECT 1 + i % 500 FROM generate_series(1, 5000) i;
    CREATE MATERIALIZED VIEW busy AS SELECT customer, count(*) FROM orders GROUP BY 1;
    ALTER TABLE orders OWNER TO shop; GRANT SELECT ON customers TO reader, "odd; role\\n";
    SELECT lo_from_bytea(0, 'hello');
    CREATE PUBLICATION news FOR TABLE orders;
    CREATE SUBSCRIPTION feed CONNECTION 'host=127.0.0.1 dbname=nowhere' PUBLICATION news
      WITH (connect = false, slot_name = 'held', enabled = false);`,
    'shop',
  );
  backup = await takeBackup(server, 'shop');
});

function scratch<T>(
  use: (scratch: Scratch) => Promise<T>,
  given: Partial<ScratchRequest> = {},
  of = backup,
): Promise<T> {
  return withScratch(scratchRequest(of, base, given), context, use);
}

/** What a person would see who connects to the running scratch server. */
async function ask(sql: string, database = 'lifeboat_drill_20261121t031500z_3f9a1c'): Promise<string> {
  const [folder = ''] = readdirSync(base);
  const child = spawn(
    join(server.clientDir, 'psql'),
    ['-XAtq', '-h', join(base, folder, 's'), '-U', 'boss man', '-d', database, '-c', sql],
    { env: { PGOPTIONS: '-c default_transaction_read_only=off' }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return (await text(child.stdout)).trim();
}

it('restores a backup whole, and everything of it equals its facts', async () => {
  const found = await scratch(async (server) => {
    expect(server).toMatchObject({ server: 'own', version: backup.manifest.server.version, notIsolated: [] });
    const findings = await server.restore(backup.open);
    expect(findings).toMatchObject([{ rule: 'roles-restored', status: 'pass', numbers: { roles: 3 } }]);
    return server.readFacts('fingerprints');
  });
  const { sequences: _, schema, ...expected } = backup.facts ?? raise();
  const { sequences: __, schema: restored, ...rest } = found;
  expect(rest).toEqual(expected);
  expect(restored).toEqual(schema.filter(({ kind }) => kind !== 'subscription'));
  expect(found.sequences[0]?.before).toEqual(backup.facts?.sequences[0]?.after);
});

it('gives the database the owner, settings, grants and limit of the source, and a mark', async () => {
  await scratch(async (server) => {
    await server.restore(backup.open);
    const sql = `SELECT pg_get_userbyid(datdba), datconnlimit, datacl, starts_with(shobj_description(oid, 'pg_database'), 'Lifeboat drill')
      FROM pg_database WHERE datname = current_database()`;
    expect(await ask(sql)).toBe('shop|7|{=T/shop,shop=CTc/shop,reader=c*/shop}|t');
    expect(await ask(`SELECT count(*) FROM pg_subscription`)).toBe('0');
    expect(await ask(`SELECT count(*) FROM pg_publication`)).toBe('1');
  });
});

it('listens nowhere but on its own socket, and starts nothing by itself', async () => {
  await scratch(async () => {
    const names = `'listen_addresses', 'archive_mode', 'max_wal_senders', 'max_logical_replication_workers',
      'shared_preload_libraries', 'autovacuum', 'fsync', 'wal_level'`;
    const sql = `SELECT string_agg(setting, ',' ORDER BY name) FROM pg_settings WHERE name IN (${names})`;
    expect(await ask(sql, 'postgres')).toBe('off,off,off,,0,0,,minimal');
  });
});

it('cannot be talked out of its isolation by settings', async () => {
  const settings = [`shared_buffers = '64MB'`, `work_mem = 5MB`, `listen_addresses = '*'`];
  await scratch(
    async () => {
      expect(await ask('SHOW listen_addresses', 'postgres')).toBe('');
      expect(await ask('SHOW work_mem', 'postgres')).toBe('5MB');
    },
    { settings },
  );
});

it('gives code out of the dump no secret, no server, and no life after the drill', async () => {
  const hostile = await takeHostileBackup();
  process.env.LIFEBOAT_TEST_SECRET = 'hunter2-in-the-environment';
  const said = await scratch(
    async (server) => {
      await server.restore(hostile.open);
      return ask('SELECT line FROM loot');
    },
    {},
    hostile,
  );
  expect(said).toContain('it ran');
  expect(said).not.toContain('hunter2');
  expect(said).not.toContain('reached');
  expect(said).not.toMatch(/^(PG(?!LOCALEDIR|SYSCONFDIR)\w+|HOME|GITHUB\w*|INPUT\w*|LIFEBOAT\w*)=/m);
  expect(said).not.toMatch(/uid=(0|101)\b/);
  expect(said).toMatch(/^CapEff:\s*0+$/m);
  expect(said).not.toContain('.s.PGSQL.');
  expect(sleepers()).toEqual([]);
});

/** A check that behaves until it runs in a drill; then it looks around, and leaves a process behind. */
async function takeHostileBackup(): Promise<TakenBackup> {
  const script = [
    'echo it ran; env; id',
    `tr '\\0' '\\n' < /proc/${process.pid}/environ`,
    `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${server.port} && echo reached'`,
    `ls -a ${server.socketDir} /run/postgresql; grep CapEff /proc/self/status`,
    'setsid sleep 31415 >/dev/null 2>&1 &',
  ].join('\n');
  await server.psql(`DROP DATABASE IF EXISTS hostile; CREATE DATABASE hostile;`);
  await server.psql(
    `CREATE TABLE loot (line text);
    CREATE FUNCTION look() RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
      IF current_database() LIKE 'lifeboat_drill%' AND NOT EXISTS (SELECT FROM public.loot) THEN
        COPY public.loot FROM PROGRAM $p$(${script}) 2>&1 | tr '\\t\\\\' '  '$p$;
      END IF;
      RETURN true; END $f$;
    CREATE TABLE victims (id int CHECK (public.look()));
    INSERT INTO victims VALUES (1);`,
    'hostile',
  );
  return takeBackup(server, 'hostile');
}

function sleepers(): string[] {
  const commands = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return commands.filter((pid) => commandOf(pid).includes('sleep\0' + '31415'));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

it('is gone after a failure and after a cancellation', async () => {
  await expect(scratch(() => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  expect(readdirSync(base)).toEqual([]);
  const stop = new AbortController();
  const cancelled = scratch(
    async (server) => {
      stop.abort(new Error('cancelled'));
      await server.restore(backup.open);
    },
    { signal: stop.signal },
  );
  await expect(cancelled).rejects.toThrow('cancelled');
  expect(readdirSync(base)).toEqual([]);
  expect(processesIn(base)).toEqual([]);
});

it('ends with a process that is killed, and the next run removes what it left', async () => {
  const holder = await hold();
  expect(await removeLeftovers(base, context)).toEqual([]);
  expect(processesIn(base).length).toBeGreaterThan(3);
  process.kill(holder.pid, 'SIGKILL');
  await vi.waitFor(() => expect(processesIn(base)).toEqual([]), 20_000);
  const [left = ''] = readdirSync(base);
  expect(await removeLeftovers(base, context)).toEqual([expect.stringContaining(join(base, left))]);
  expect(readdirSync(base)).toEqual([]);
});

it('ends a process that still works in the folder of a dead run, and no other', async () => {
  const folder = join(base, 'scratch-dead');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const dead = { pid: 1, startTime: '1', bootId: bootId(), pidNamespace: readlinkSync('/proc/self/ns/pid') };
  writeFileSync(join(folder, 'owner.json'), JSON.stringify({ ...dead, createdAt: new Date().toISOString() }));
  const [inside, outside] = [folder, base].map((cwd) => spawn('sleep', ['60'], { cwd }));
  await Promise.all([once(inside ?? raise(), 'spawn'), once(outside ?? raise(), 'spawn')]);
  const ended = once(inside ?? raise(), 'exit');
  expect(await removeLeftovers(base, context)).toHaveLength(1);
  expect((await ended)[1]).toBe('SIGKILL');
  expect(outside?.exitCode).toBe(null);
  outside?.kill();
  expect(existsSync(folder)).toBe(false);
});

it('leaves alone what does not bear its mark', async () => {
  mkdirSync(join(base, 'somebody'), { recursive: true });
  mkdirSync(join(base, 'scratch-young'));
  expect(await removeLeftovers(base, context)).toEqual([]);
  const old = new Date(Date.now() - 25 * 3_600_000);
  utimesSync(join(base, 'scratch-young'), old, old);
  utimesSync(join(base, 'somebody'), old, old);
  expect(await removeLeftovers(base, context)).toHaveLength(1);
  expect(readdirSync(base)).toEqual(['somebody']);
});

it('keeps the folder of a failed drill for a day when asked to', async () => {
  const kept = await scratch((server) => server.keep(), { keepOnFailure: true });
  expect(statSync(kept ?? '').mode & 0o777).toBe(0o700);
  expect(readFileSync(join(kept ?? '', 'data', 'global', 'pg_control')).length).toBeGreaterThan(0);
  expect(existsSync(join(kept ?? '', 'data', 'postmaster.pid'))).toBe(false);
  expect(await removeLeftovers(base, context)).toEqual([]);
  const mark = join(kept ?? '', 'owner.json');
  const owner = JSON.parse(readFileSync(mark, 'utf8'));
  writeFileSync(mark, JSON.stringify({ ...owner, keptUntil: '2026-01-01T00:00:00Z' }));
  expect(await removeLeftovers(base, context)).toHaveLength(1);
  expect(await scratch((server) => server.keep())).toBeUndefined();
  expect(readdirSync(base)).toEqual([]);
});

it.each([
  { what: 'on tmpfs', folder: '/dev/shm/lbs', says: /on tmpfs/ },
  { what: 'with a long path', folder: join(base, 'x'.repeat(90)), says: /107 are allowed/ },
])('refuses a scratch folder $what', async ({ folder, says }) => {
  const refused = scratch(async () => {}, { scratchDir: folder });
  await expect(refused).rejects.toThrow(says);
  await expect(refused).rejects.toMatchObject({ code: 'scratch-failed', hint: expect.stringContaining('scratch-dir') });
  rmSync('/dev/shm/lbs', { recursive: true, force: true });
});

it('refuses a scratch folder that is a link, or that others may write to', async () => {
  mkdirSync(base, { mode: 0o755 });
  symlinkSync('/var/tmp', join(base, 'link'));
  await expect(scratch(async () => {}, { scratchDir: join(base, 'link') })).rejects.toThrow(/symbolic link/);
  mkdirSync(join(base, 'open'));
  chmodSync(join(base, 'open'), 0o777);
  await expect(scratch(async () => {}, { scratchDir: join(base, 'open') })).rejects.toThrow(/others may write/);
});

it('names the object and the reason when a restore breaks off', async () => {
  const refused = scratch((server) => server.restore(backup.open), {
    manifest: withoutRole(backup.manifest),
    facts: undefined,
  });
  await expect(refused).rejects.toMatchObject({
    code: 'restore-failed',
    message: expect.stringMatching(/role "shop" does not exist.*ALTER TABLE public\.orders OWNER TO shop/s),
  });
});

/** Globals gone and facts too: nobody creates the owner of the tables. */
function withoutRole(manifest: TakenBackup['manifest']): TakenBackup['manifest'] {
  return { ...manifest, artifacts: manifest.artifacts.filter(({ role }) => role !== 'globals') };
}

it('restores into a database without what the source had dropped', async () => {
  await server.psql('DROP DATABASE IF EXISTS bare; CREATE DATABASE bare;');
  await server.psql(
    'DROP SCHEMA public; DROP EXTENSION plpgsql; CREATE SCHEMA app; CREATE TABLE app.t (x int);',
    'bare',
  );
  const bare = await takeBackup(server, 'bare');
  const found = await scratch(
    async (server) => {
      await server.restore(bare.open);
      return server.readFacts('fingerprints');
    },
    {},
    bare,
  );
  expect(found).toEqual(bare.facts);
});

/** As the source of a later major would be described; its programs are the server's only. */
it.each([
  { major: 16, locale: { localeProvider: 'libc' as const, collate: 'C.UTF-8', ctype: 'C.UTF-8' } },
  { major: 18, locale: { localeProvider: 'builtin' as const, collate: 'C', ctype: 'C', icuLocale: 'C.UTF-8' } },
])('starts PostgreSQL $major with $locale.localeProvider, isolated in the same way', async ({ major, locale }) => {
  const later = await startPostgres({ major });
  await later.stop();
  const manifest = { ...backup.manifest, server: { ...backup.manifest.server, major, ...locale } };
  await scratch(
    async (server) => {
      expect(server.version).toMatch(new RegExp(`^${major}\\.`));
      expect(server.notIsolated).toEqual([]);
      const sql = `SELECT datlocprovider, datcollate FROM pg_database WHERE datname = 'postgres'`;
      expect(await ask(sql, 'postgres')).toBe(`${locale.localeProvider === 'libc' ? 'c' : 'b'}|${locale.collate}`);
    },
    { manifest, connection: { binDir: later.binDir } },
  );
});

it('is isolated when an ordinary user runs it, too', async () => {
  if (process.getuid?.() !== 0) return expect(await scratch(async ({ notIsolated }) => notIsolated)).toEqual([]);
  mkdirSync(base, { mode: 0o711 });
  chownSync(base, 65_534, 65_534);
  const holder = await hold(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']);
  expect(JSON.parse(holder.said)).toEqual({ notIsolated: [] });
  expect(processesIn(base).length).toBeGreaterThan(3);
  process.kill(holder.pid, 'SIGKILL');
  await vi.waitFor(() => expect(processesIn(base)).toEqual([]), 20_000);
});

/** A process of its own that holds a scratch server until it is killed. */
async function hold(asUser: readonly string[] = []): Promise<{ pid: number; said: string }> {
  const manifest = join('/tmp', `lbs-${process.pid}.json`);
  writeFileSync(manifest, JSON.stringify(backup.manifest));
  const [program = '', ...args] = [
    ...asUser,
    process.execPath,
    join(import.meta.dirname, 'hold-scratch.ts'),
    manifest,
    base,
  ];
  const holder = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  holders.push(holder);
  const [said] = await once(holder.stdout ?? raise(), 'data');
  rmSync(manifest);
  return { pid: holder.pid ?? raise(), said: String(said) };
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function raise(): never {
  throw new Error('This cannot be missing here.');
}
