import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { momentOfId } from '../../src/core/keys.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import {
  application,
  commandsOf,
  contentOf,
  copyOf,
  databasesLike,
  findingOf,
  headlineOf,
  lifeboat,
  newFolder,
  recordsIn,
  restoreWords,
  type,
} from './restoring.ts';
import { runAction } from './runner.ts';

const original = mkdtempSync('/var/tmp/lifeboat-restore-store-');
let server: TestPostgres;
let id: string;
let store: string;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql(`CREATE ROLE shop LOGIN PASSWORD 'x'; CREATE DATABASE shop OWNER shop CONNECTION LIMIT 30;
    ALTER DATABASE shop SET work_mem = '8MB';`);
  await server.psql(
    `SET ROLE shop; CREATE SCHEMA sales; CREATE TABLE sales.orders (id int PRIMARY KEY, note text);
    INSERT INTO sales.orders SELECT g, md5(g::text) FROM generate_series(1, 3000) g;`,
    'shop',
  );
  const backup = await runAction({
    action: 'backup',
    with: { source: 'shop', store: `file://${original}`, 'database-url': server.urlOf('shop') },
  });
  id = backup.outputs['backup-id'] ?? '';
});

afterAll(async () => {
  await server?.stop();
  rmSync(original, { recursive: true, force: true });
});

/** A live database that has moved on since the backup. */
beforeEach(async () => {
  store = copyOf(original);
  for (const name of await databasesLike(server, 'live')) await server.psql(`DROP DATABASE "${name}" WITH (FORCE)`);
  await server.psql('CREATE DATABASE live OWNER shop');
  await server.psql(
    `SET ROLE shop; CREATE SCHEMA sales; CREATE TABLE sales.orders AS SELECT g AS id FROM generate_series(1, 7) g`,
    'live',
  );
});

/** Two seconds after the moment in an id. */
const momentAfter = (one: string) => new Date((momentOfId(one)?.getTime() ?? 0) + 2_000).toISOString();
const rowsIn = (database: string) => server.psql('SELECT count(*) FROM sales.orders', database);
const step = (given: Record<string, string>, more: Partial<Parameters<typeof runAction>[0]> = {}) =>
  runAction({
    action: 'restore',
    with: { source: 'shop', store: `file://${store}`, 'target-url': server.urlOf('live'), ...given },
    ...more,
  });

it('shows the plan of a restore, and changes nothing', async () => {
  // Moments are of whole seconds: it was written in one that came after that of the backup.
  await vi.waitUntil(() => new Date().toISOString() > momentAfter(id), 20_000);
  await server.psql('UPDATE sales.orders SET id = id; CHECKPOINT', 'live');
  const before = [contentOf(store), await databasesLike(server, '')];
  const words = restoreWords(store, server.urlOf('live'), ['--mode', 'replace', '--before', 'exit 1', '--dry-run']);
  const { code, report } = await lifeboat(words);
  expect(code).toBe(0);
  expect(report.title).toBe('Plan to restore shop into live');
  const { 'Target now': now, 'Data loss': loss, 'Dry run': dry } = headlineOf(report);
  expect(dry).toBe('nothing was changed');
  expect(now).toMatch(/^127\.0\.0\.1:\d+\/live: .* in 1 tables, last written about .*, nobody is connected$/);
  expect(loss).toMatch(/taken at .*; the target was last written .* after it$/);
  expect(report.tables[0]?.rows.map(([, name]) => name)).toEqual([
    'run before',
    'back up the target',
    'restore',
    'compare',
    'analyze',
    'swap',
    'drop the old database',
  ]);
  expect(findingOf(report, 'target-room')?.numbers?.freeBytes).toBeGreaterThan(0);
  expect(report.tables[0]?.rows[1]?.join(' ')).toContain('Backs up live as source shop-before-restore');
  expect([contentOf(store), await databasesLike(server, '')]).toEqual(before);
});

it('makes a database that does not exist, as it was at the source', async () => {
  const result = await step({ 'target-url': server.urlOf('live_again'), 'max-duration': '10m' });
  expect(result).toMatchObject({ exitCode: 0, outputs: { 'backup-id': id, database: 'live_again', verdict: 'warn' } });
  expect(Number(result.outputs['restore-seconds'])).toBeGreaterThan(0);
  expect(Number(result.outputs['data-loss-seconds'])).toBeGreaterThan(0);
  expect(await rowsIn('live_again')).toBe('3000');
  const owner = `SELECT pg_get_userbyid(datdba), datconnlimit FROM pg_database WHERE datname = 'live_again'`;
  expect(await server.psql(owner)).toBe('shop|30');
  expect(await server.psql('SHOW work_mem', 'live_again')).toBe('8MB');
  expect(result.summary).toContain('restored into live\\_again');
  expect(await databasesLike(server, 'live')).toEqual(['live', 'live_again']);
});

it('restores beside the target, which stays as it is, and names the command that swaps them', async () => {
  const { code, report } = await lifeboat(restoreWords(store, server.urlOf('live')));
  expect(code).toBe(0);
  const restored = report.outputs.database ?? '';
  expect(restored).toMatch(/^live_restored_\d{8}t\d{6}$/);
  expect(await rowsIn('live')).toBe('7');
  expect(await rowsIn(restored)).toBe('3000');
  const commands = commandsOf(report);
  expect(Object.keys(commands)).toEqual([
    `put ${restored} in the place of live`,
    `drop ${restored}, when it is not wanted`,
  ]);
  type(commands[`put ${restored} in the place of live`]);
  expect(await rowsIn('live')).toBe('3000');
  const old = restored.replace('_restored_', '_old_');
  expect(await databasesLike(server, 'live')).toEqual(['live', old]);
  expect(await rowsIn(old)).toBe('7');
});

it('drops by the command that it names', async () => {
  const { report } = await lifeboat(restoreWords(store, server.urlOf('live')));
  type(commandsOf(report)[`drop ${report.outputs.database}, when it is not wanted`]);
  expect(await databasesLike(server, 'live')).toEqual(['live']);
});

it('swaps between `before` and `after`, ends who is connected, and keeps what was there', async () => {
  const folder = newFolder();
  const held = server.psql('SELECT pg_sleep(600)', 'live').catch((error: unknown) => String(error));
  await expect
    .poll(() => server.psql(`SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'`))
    .toBe('1');
  const look = `psql '${server.url}' -Atc "SELECT count(*) FROM pg_database WHERE datname LIKE 'live%'"`;
  const given = {
    before: `${look} > ${folder}/before`,
    after: `${look} > ${folder}/after`,
    swap: 'true',
    confirm: 'live',
  };
  const result = await step({ ...given, 'critical-tables': 'sales.orders' });
  expect(result.exitCode).toBe(0);
  expect(readFileSync(join(folder, 'before'), 'utf8')).toBe('1\n');
  expect(readFileSync(join(folder, 'after'), 'utf8')).toBe('2\n');
  expect(await held).toContain('terminat');
  expect(await rowsIn('live')).toBe('3000');
  const [, old = ''] = await databasesLike(server, 'live');
  expect(old).toMatch(/^live_old_/);
  expect(await rowsIn(old)).toBe('7');
  expect(result.summary).toMatch(/sales\.orders \| 7 \| 3,000/);
  expect(recordsIn(store)).toMatchObject([
    { way: 'swap', database: 'live', kept: old, safetyBackup: null, failedAt: null, backup: id, verdict: 'warn' },
  ]);
});

it('replaces: backs up first, waits for the application, and only then drops what was there', async () => {
  const { url, asked } = await application(503, 503, 204);
  const seen: string[] = [];
  const result = await step(
    { mode: 'replace', confirm: 'live', 'health-url': url },
    { interrupt: (line) => void (/Step \d of/.test(line) && seen.push(line)) },
  );
  expect(result.exitCode).toBe(0);
  expect(asked()).toBe(3);
  expect(seen.map((line) => line.replace(/^.*: /, ''))).toEqual([
    'back up the target.',
    'restore.',
    'compare.',
    'analyze.',
    'swap.',
    'check health.',
    'drop the old database.',
  ]);
  expect(await rowsIn('live')).toBe('3000');
  expect(await databasesLike(server, 'live')).toEqual(['live']);
  const safety = result.outputs['safety-backup-id'] ?? '';
  const pin = JSON.parse(readFileSync(join(store, 'shop-before-restore', safety, 'pin-forever.json'), 'utf8'));
  const [record] = recordsIn(store);
  expect(pin.reason).toBe(`before restore ${record?.id} of ${id} into live`);
  expect(record).toMatchObject({ kept: null, safetyBackup: { source: 'shop-before-restore', id: safety } });
  const ours = result.log.slice(result.log.indexOf('The plan of restore'));
  expect(`${ours}${result.summary}${JSON.stringify(record)}`).not.toContain('hidden-in-reports');

  const back = await step({ source: 'shop-before-restore', 'target-url': server.urlOf('live_back') });
  expect(back).toMatchObject({ exitCode: 0, outputs: { 'backup-id': safety } });
  expect(await rowsIn('live_back')).toBe('7');
});

it('keeps what was there when the application never gets healthy, and names the way back', async () => {
  const { url } = await application(500);
  const given = ['--mode', 'replace', '--confirm', 'live', '--health-url', url, '--health-timeout', '1s'];
  const { code, report } = await lifeboat(restoreWords(store, server.urlOf('live'), given));
  expect(code).toBe(1);
  expect(report.title).toBe('Restore of shop: restored into live, and "check health" failed');
  expect(findingOf(report, 'restore-health')?.message).toContain('at the last try it answered 500');
  expect(report.outputs['restore-seconds']).toBe('');
  const [, old = ''] = await databasesLike(server, 'live');
  expect(headlineOf(report)[old]).toBe('what was in live before');
  expect(recordsIn(store)).toMatchObject([
    { failedAt: 'check health', verdict: 'fail', kept: old, restoreSeconds: null },
  ]);
  type(commandsOf(report)['go back to what was in live before']);
  expect(await rowsIn('live')).toBe('7');
});

it('drops first where it is told to, after a backup', async () => {
  const result = await step({
    mode: 'replace',
    'drop-first': 'true',
    confirm: 'live',
    'critical-tables': 'sales.orders',
  });
  expect(result).toMatchObject({ exitCode: 0, outputs: { database: 'live' } });
  expect(result.summary).toMatch(/sales\.orders \| 7 \| 3,000/);
  expect(await rowsIn('live')).toBe('3000');
  expect(await databasesLike(server, 'live')).toEqual(['live']);
  expect(existsSync(join(store, 'shop-before-restore'))).toBe(true);
});

it('takes no backup of the target when that is waived, and says so', async () => {
  const words = restoreWords(store, server.urlOf('live'), [
    '--mode',
    'replace',
    '--confirm',
    'live',
    '--safety-backup=false',
  ]);
  const { code, report } = await lifeboat(words);
  expect(code).toBe(0);
  expect(findingOf(report, 'safety-backup', 'warn')?.message).toContain('will be gone');
  expect(existsSync(join(store, 'shop-before-restore'))).toBe(false);
  expect(await databasesLike(server, 'live')).toEqual(['live']);
});

it('judges no age of what was backed up before restores', async () => {
  await lifeboat(restoreWords(store, server.urlOf('live'), ['--mode', 'replace', '--confirm', 'live']));
  const { code, report } = await lifeboat([
    ...['verify-freshness', '--store', `file://${store}`, '--source', 'shop-before-restore'],
    ...['--max-age', '0', '--max-drill-age', '1d', '--min-backups', '5', '--min-free-space', '0%'],
  ]);
  expect(code).toBe(0);
  expect(findingOf(report, 'backup-age', 'pass')?.message).toContain('are taken before restores, by no schedule');
});

it('restores the schema alone', async () => {
  const { code, report } = await lifeboat(restoreWords(store, server.urlOf('live_schema'), ['--schema-only']));
  expect({ code, title: report.title }).toEqual({ code: 0, title: 'Restore of shop: restored into live_schema' });
  expect(await rowsIn('live_schema')).toBe('0');
});
