import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { Log } from '../../../src/core/ports.ts';
import { BUILDING_LIMIT } from '../../../src/engines/postgresql/target-mark.ts';
import { postgresProxy } from '../../faults/postgres-proxy.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { silent, type TakenBackup, takeBackup } from './backup-fixture.ts';
import { databasesOf, dropDatabases, makeBase, restoreId, restoring } from './target-fixture.ts';

const base = makeBase();
const holders: ChildProcess[] = [];
let server: TestPostgres;
let backup: TakenBackup;
let held = 0;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql('CREATE DATABASE source');
  await server.psql('CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 20000) n', 'source');
  backup = await takeBackup(server, 'source');
  await server.psql('DROP DATABASE source');
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});
afterEach(async () => {
  for (const holder of holders.splice(0)) holder.kill('SIGKILL');
  await dropDatabases(server);
});

/** A restore in a process of its own, as far as `until`. */
async function hold(until: 'building' | 'built' | 'swapping'): Promise<{ holder: ChildProcess; said(): string }> {
  held += 1;
  const folder = join(base, 'artifacts');
  mkdirSync(folder, { recursive: true });
  for (const [key, bytes] of backup.stored) writeFileSync(join(folder, key), bytes);
  const request = {
    connection: { url: server.urlOf('shop') },
    ...{ manifest: backup.manifest, facts: backup.facts, part: 'all', stallMs: 60_000 },
    ...{ restoreId: `20261126T010000Z-dead0${held}`, scratchDir: join(base, 'held') },
    ownership: { owner: true, createRoles: false },
  };
  writeFileSync(join(folder, 'request.json'), JSON.stringify(request));
  const args = [join(import.meta.dirname, 'hold-target.ts'), join(folder, 'request.json'), folder, until];
  const holder = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  holders.push(holder);
  let said = '';
  holder.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await expect.poll(() => said, { timeout: 30_000 }).toMatch(until === 'building' ? 'halfway' : 'built');
  return { holder, said: () => said };
}

const gone = (holder: ChildProcess) => new Promise((resolve) => holder.once('exit', resolve));
const isLocked = () => server.psql(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'`);

it('refuses a second restore to the same target, and says who works on it', async () => {
  await hold('built');
  const refused = restoring(server, backup, base, (target) => target.lock());
  await expect(refused).rejects.toMatchObject({
    code: 'guard-refused',
    message: expect.stringMatching(/"lifeboat restore 20261126T010000Z-dead0\d", connected since/),
  });
  const changes = restoring(server, backup, base, (target) => target.dropLeft());
  await expect(changes).rejects.toMatchObject({ code: 'guard-refused' });
  const other = { connection: { url: server.urlOf('shop2') } };
  await restoring(server, backup, base, (target) => target.lock(), other);
});

it.each(['building', 'built'] as const)(
  'finds what a restore left that was killed while %s, and removes it',
  async (until) => {
    const { holder } = await hold(until);
    const exited = gone(holder);
    holder.kill('SIGKILL');
    await exited;
    await expect.poll(isLocked).toBe('0');
    expect(await databasesOf(server)).toBe('postgres\nshop_restored_20260101t000000');
    const said: string[] = [];
    const log: Log = { ...silent, info: (line) => said.push(line) };
    await restoring(
      server,
      backup,
      base,
      async (target) => {
        const { leftDatabases } = await target.inspect();
        expect(leftDatabases).toMatchObject([{ name: 'shop_restored_20260101t000000', what: 'unfinished' }]);
        expect(leftDatabases[0]?.bytes).toBeGreaterThan(1_000_000);
        expect(await target.dropLeft()).toEqual(['shop_restored_20260101t000000']);
        await target.build('shop_restored_20260101t000000', backup.open);
        expect(await target.dropLeft()).toEqual([]);
      },
      { log },
    );
    expect(said).toContain(
      'Removed the database shop_restored_20260101t000000, which a killed restore left unfinished.',
    );
    expect(await databasesOf(server)).toBe('postgres');
  },
);

it('removes what was made and bears no mark yet, and no other database', async () => {
  await server.psql(`CREATE DATABASE shop_restored_20260101t000000 CONNECTION LIMIT ${BUILDING_LIMIT}`);
  await server.psql(`CREATE DATABASE shop_mine; CREATE DATABASE other CONNECTION LIMIT ${BUILDING_LIMIT}`);
  // Of a restore of another target, which is just being made.
  await server.psql(`CREATE DATABASE shop_eu_restored_20260101t000000 CONNECTION LIMIT ${BUILDING_LIMIT}`);
  await server.psql(`CREATE DATABASE shop_strange; COMMENT ON DATABASE shop_strange IS
    'Lifeboat restore, unfinished, may be dropped: {"target":"another","restore":"x"}'`);
  const dropped = await restoring(server, backup, base, (target) => target.dropLeft());
  expect(dropped).toEqual(['shop_restored_20260101t000000']);
  expect(await databasesOf(server)).toBe('other\npostgres\nshop_eu_restored_20260101t000000\nshop_mine\nshop_strange');
});

it('drops what it made when it is cancelled', async () => {
  const { holder, said } = await hold('building');
  const exited = gone(holder);
  holder.kill('SIGTERM');
  await exited;
  expect(said()).toMatch(/ended: .*cancelled/);
  expect(await databasesOf(server)).toBe('postgres');
});

it('leaves both databases open when it is killed in the middle of a swap', async () => {
  await server.psql('CREATE DATABASE shop');
  const slow = server.psql('SELECT pg_sleep(600)', 'shop').catch(() => 'ended');
  const asked = `SELECT pid FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep.600'`;
  await expect.poll(() => server.psql(asked)).not.toBe('');
  const pid = Number(await server.psql(asked));
  process.kill(pid, 'SIGSTOP');
  const renames = `SELECT count(*) FROM pg_stat_activity WHERE query ~ '^ALTER DATABASE .* RENAME'`;
  try {
    const { holder } = await hold('swapping');
    await expect.poll(() => server.psql(renames)).toBe('1');
    const exited = gone(holder);
    holder.kill('SIGKILL');
    await exited;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await slow;
  expect(await server.psql('SELECT current_database()', 'shop')).toBe('shop');
  expect(await databasesOf(server)).toBe('postgres\nshop\nshop_restored_20260101t000000');
});

it('drops what it made also when all its connections were ended', async () => {
  const broken = restoring(server, backup, base, async (target) => {
    await target.build('shop_restored_20260101t000000', backup.open);
    await server.psql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'lifeboat%'`);
    await target.inspect();
  });
  await expect(broken).rejects.toMatchObject({ name: 'Failure' });
  expect(await databasesOf(server)).toBe('postgres');
});

it('leaves nothing of a backup that breaks off', async () => {
  const broken = restoring(server, backup, base, (target) =>
    target.build('shop_restored_20260101t000000', async (artifact) => {
      const bytes = backup.stored.get(artifact.key) ?? Buffer.alloc(0);
      const half = artifact.role === 'dump' ? bytes.subarray(0, bytes.length / 2) : bytes;
      return Readable.from([half], { objectMode: false });
    }),
  );
  await expect(broken).rejects.toMatchObject({ name: 'Failure', message: expect.not.stringContaining('scratch') });
  expect(await databasesOf(server)).toBe('postgres');
});

it('gives up a server that falls silent, and says what was left', async () => {
  const proxy = await postgresProxy(server.port);
  onTestFinished(() => proxy.close());
  const warnings: string[] = [];
  const silenced = restoring(
    server,
    backup,
    base,
    (target) =>
      target.build('shop_restored_20260101t000000', async (artifact) => {
        if (artifact.role === 'dump' && (await databasesOf(server)).includes('shop_restored_20260101t000000'))
          proxy.fallSilent();
        return backup.open(artifact);
      }),
    {
      connection: { url: server.urlOf('shop').replace(`:${server.port}/`, `:${proxy.port}/`) },
      stallMs: 2_000,
      restoreId,
      log: { ...silent, warning: (line) => warnings.push(line) },
    },
  );
  await expect(silenced).rejects.toMatchObject({ code: 'stalled', message: expect.stringContaining('gave no answer') });
  expect(warnings.join('\n')).toContain('could not be removed');
  await expect
    .poll(() => restoring(server, backup, base, (target) => target.dropLeft()).catch(() => []))
    .toEqual(['shop_restored_20260101t000000']);
});
