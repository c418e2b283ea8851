import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import {
  contentOf,
  copyOf,
  databasesLike,
  disprove,
  findingOf,
  lifeboat,
  newFolder,
  recordsIn,
  restoreWords,
} from './restoring.ts';
import { runAction } from './runner.ts';

const base = mkdtempSync('/var/tmp/lifeboat-refused-');
const [original, encrypted] = [join(base, 'plain'), join(base, 'encrypted')];
let source: TestPostgres;
/** Another server, which knows no role of the source. */
let server: TestPostgres;
let id: string;
let identity: string;
let recipient: string;

beforeAll(async () => {
  source = await startPostgres();
  server = await startPostgres({ settings: { wal_level: 'logical' } });
  await source.psql(`CREATE ROLE shop LOGIN; CREATE DATABASE shop OWNER shop;`);
  await source.psql('SET ROLE shop; CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 50) g', 'shop');
  await server.psql('CREATE DATABASE live');
  await server.psql('CREATE TABLE orders AS SELECT 1 AS id; CREATE PUBLICATION everything FOR ALL TABLES', 'live');
  await server.psql(`SELECT pg_create_logical_replication_slot('cdc', 'pgoutput')`, 'live');
  const elsewhere = `CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH (connect = false)`;
  await server.psql(`CREATE SUBSCRIPTION sub ${elsewhere}`, 'live');
  identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
  const backUp = (store: string, more: Record<string, string> = {}) =>
    runAction({
      action: 'backup',
      with: { source: 'shop', store: `file://${store}`, 'database-url': source.urlOf('shop'), ...more },
    });
  id = (await backUp(original)).outputs['backup-id'] ?? '';
  await backUp(encrypted, { 'age-recipients': recipient });
});

afterAll(async () => {
  await source?.stop();
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

const withRoles = ['--create-roles'];
const waived = ['slots', 'subscriptions', 'publications'].flatMap((kind) => ['--waive', kind]);

/** Everything a restore could have changed. */
async function everything(store: string): Promise<unknown> {
  const roles = await server.psql('SELECT rolname FROM pg_roles ORDER BY 1');
  return [await databasesLike(server, ''), roles, await server.psql('SELECT id FROM orders', 'live'), contentOf(store)];
}

it.each([
  ['roles that are missing', [], 'target-roles', 'shop'],
  [
    'a wrong confirmation',
    [...withRoles, ...waived, '--confirm', 'Live', '--swap'],
    'restore-confirm',
    '"Live", and the target is live',
  ],
  ['no confirmation of a swap', [...withRoles, ...waived, '--swap'], 'restore-confirm', 'would be renamed'],
  [
    'no confirmation of a replacement',
    [...withRoles, ...waived, '--mode', 'replace'],
    'restore-confirm',
    'would be dropped',
  ],
  [
    'what does not follow',
    [...withRoles, '--swap', '--confirm', 'live'],
    'target-replication',
    'slots: cdc; subscriptions: sub; publications: everything',
  ],
  [
    'critical tables that the backup does not hold',
    [...withRoles, '--critical-tables', 'public.order'],
    'critical-tables',
    'public.order',
  ],
])('refuses %s, before anything is touched', async (_what, words, rule, message) => {
  const store = copyOf(original);
  const before = await everything(store);
  const touched = join(newFolder(), 'touched');
  const { code, report } = await lifeboat(
    restoreWords(store, server.urlOf('live'), [...words, '--before', `touch ${touched}`]),
  );
  expect(code).toBe(1);
  expect(report.title).toBe('Restore of shop refused: nothing was changed');
  const failed = report.findings.filter(({ status }) => status === 'fail');
  expect(failed.map((one) => one.rule)).toEqual([rule]);
  expect(failed[0]?.message).toContain(message);
  expect(failed[0]?.hint ?? '').toMatch(/\w{3}/);
  expect(await everything(store)).toEqual(before);
  expect(contentOf(join(touched, '..')).includes(touched)).toBe(false);
  expect(recordsIn(store)).toEqual([]);
});

it.each([
  [['--swap', '--mode', 'replace'], '`swap` and `mode: replace` exclude each other.'],
  [['--drop-first'], '`drop-first` is part of `mode: replace`.'],
  [['--schema-only', '--data-only'], '`schema-only` excludes `tables` and `data-only`.'],
  [['--tables', 'public.orders'], '`into-schema` does not say where'],
  [['--into-schema', 'there'], '`into-schema` is for `tables`'],
  [['--waive', 'everything'], '`waive` cannot be "everything"'],
  [['--health-url', 'shop.example'], '`health-url` cannot be "shop.example"'],
  [['--mode', 'data-directory'], '`mode` cannot be "data-directory"'],
  [['--health-timeout', '0'], '`health-timeout` cannot be "0"'],
  [['--backup', 'yesterday'], '`backup` cannot be "yesterday"'],
  [['--backup', '20200101T000000Z-000000'], 'holds no backup 20200101T000000Z-000000'],
])('refuses %j', async (words, message) => {
  const { code, report } = await lifeboat(restoreWords(original, server.urlOf('live'), words));
  expect(code).toBe(2);
  expect(findingOf(report, 'run-failed')?.message).toContain(message);
});

it('takes the URL of its target from a file only', async () => {
  const { code, report } = await lifeboat(['restore', '--source', 'shop', '--target-url', server.urlOf('live')]);
  expect(code).toBe(2);
  expect(findingOf(report, 'run-failed')?.message).toContain('--target-url is a secret and cannot be a flag');
});

it('refuses a server that it cannot reach, and a URL without a database', async () => {
  const nobody = await lifeboat(restoreWords(original, 'postgresql://shop:hidden-word@127.0.0.1:9/live'));
  expect(nobody.code).toBe(2);
  expect(JSON.stringify(nobody)).not.toContain('hidden-word');
  const nothing = await lifeboat(restoreWords(original, server.urlOf('')));
  expect(findingOf(nothing.report, 'run-failed')?.message).toContain('`target-url` names no database');
});

it('refuses a name that PostgreSQL would cut', async () => {
  const { code, report } = await lifeboat(restoreWords(original, server.urlOf('q'.repeat(64))));
  expect(code).toBe(2);
  expect(findingOf(report, 'run-failed')?.message).toContain('is longer than 63 bytes');
});

it('says of a target whose drop was cut off that it can only be dropped', async () => {
  await server.psql('CREATE DATABASE half_gone');
  await server.psql(`UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half_gone'`);
  const { code, report } = await lifeboat(restoreWords(original, server.urlOf('half_gone'), withRoles));
  await server.psql('DROP DATABASE half_gone');
  expect(code).toBe(2);
  expect(findingOf(report, 'run-failed')?.hint).toContain('A DROP DATABASE of it was cut off');
});

it('refuses what a drill disproved, unless it is told that this is known', async () => {
  const store = copyOf(original);
  disprove(store, id);
  const latest = await lifeboat(restoreWords(store, server.urlOf('fresh'), withRoles));
  expect(latest.code).toBe(2);
  expect(findingOf(latest.report, 'run-failed')).toMatchObject({
    message: expect.stringContaining('a drill disproved it'),
    hint: expect.stringContaining('`allow-unproven: true`'),
  });
  const named = await lifeboat(restoreWords(store, server.urlOf('fresh'), [...withRoles, '--backup', id]));
  expect(named.code).toBe(1);
  expect(findingOf(named.report, 'drill-proof', 'fail')?.message).toContain(`disproved ${id}`);
  expect(await databasesLike(server, 'fresh')).toEqual([]);
  const known = ['--owner=false', '--backup', id, '--allow-unproven'];
  const allowed = await lifeboat(restoreWords(store, server.urlOf('fresh'), known));
  expect(allowed.code).toBe(0);
  expect(findingOf(allowed.report, 'drill-proof', 'warn')?.message).toContain('`allow-unproven` lets it be restored');
});

it('refuses a wrong key, and no key, before it looks at the target', async () => {
  const wrong = join(newFolder(), 'identity');
  writeFileSync(wrong, await generateIdentity());
  // Nobody answers there: it must not come so far.
  const words = restoreWords(encrypted, 'postgresql://shop@127.0.0.1:9/live');
  for (const key of [['--age-identity-file', wrong], []]) {
    const { code, report } = await lifeboat([...words, ...key]);
    expect(code).toBe(1);
    expect(report.title).toBe('Restore of shop refused: nothing was changed');
    expect(findingOf(report, 'decryption', 'unknown')?.hint).toContain(recipient);
  }
});

it('restores from another store when the copy in the first is damaged, and refuses when none is whole', async () => {
  const [damaged, whole] = [copyOf(original), copyOf(original)];
  rmSync(join(damaged, 'shop', id, 'database.dump.zst'));
  const alone = await lifeboat(restoreWords(damaged, server.urlOf('fresh'), withRoles));
  expect(alone.code).toBe(2);
  expect(findingOf(alone.report, 'run-failed')?.message).toContain('database.dump.zst is missing');
  const both = await lifeboat(
    restoreWords(damaged, server.urlOf('fresh'), [...withRoles, '--store', `file://${whole}`, '--dry-run']),
  );
  expect(both.code).toBe(0);
  expect(findingOf(both.report, 'artifact-missing', 'warn')?.subject).toBe(`file://${damaged}`);
  expect(findingOf(both.report, 'artifact-missing', 'pass')?.subject).toBe(`file://${whole}`);
});

it('creates roles, and lists those without a password', async () => {
  const { code, report } = await lifeboat(restoreWords(copyOf(original), server.urlOf('created'), withRoles));
  expect(code).toBe(0);
  expect(findingOf(report, 'roles-without-password', 'warn')?.message).toContain('shop');
  const table = report.tables.find(({ title }) => title === 'Roles without a password');
  expect(table?.rows).toContainEqual(['shop', '\\password "shop"']);
  await server.psql('DROP DATABASE created; DROP ROLE shop');
});

it('leaves owners out', async () => {
  const { code, report } = await lifeboat(restoreWords(copyOf(original), server.urlOf('mine'), ['--owner=false']));
  expect({ code, failed: report.findings.filter(({ status }) => status === 'fail') }).toEqual({ code: 0, failed: [] });
  expect(await server.psql(`SELECT tableowner FROM pg_tables WHERE tablename = 'orders'`, 'mine')).toBe('postgres');
});

it('keeps what it replaced when a subscription keeps it from being dropped, and says so', async () => {
  const store = copyOf(encrypted);
  const key = join(newFolder(), 'identity');
  writeFileSync(key, identity);
  const words = [...waived, '--owner=false', '--mode', 'replace', '--confirm', 'live', '--age-identity-file', key];
  const { code, report } = await lifeboat(restoreWords(store, server.urlOf('live'), words));
  expect(code).toBe(1);
  expect(report.title).toBe('Restore of shop: restored into live, and "drop the old database" failed');
  expect(await server.psql('SELECT count(*) FROM orders', 'live')).toBe('50');
  const [record] = recordsIn(store);
  expect(record).toMatchObject({ failedAt: 'drop the old database', database: 'live' });
  expect((await databasesLike(server, 'live_old')).length).toBe(1);
  // Encrypted as the backup is, without being told; and no name out of the database in the open.
  const files = contentOf(join(store, 'shop-before-restore'));
  expect(files.filter((path) => /\.zst/.test(path)).every((path) => path.endsWith('.age'))).toBe(true);
  expect(JSON.stringify(record)).not.toContain('everything');
});
