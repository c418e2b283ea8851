import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { backup } from '../../../src/actions/backup.ts';
import { restore } from '../../../src/actions/restore.ts';
import { restoreDrill } from '../../../src/actions/restore-drill.ts';
import type { DumpRequest } from '../../../src/core/ports.ts';
import { postgresql } from '../../../src/engines/postgresql/engine.ts';
import { startPostgres, type TestPostgres } from '../../servers/postgresql.ts';
import { worldForTests } from '../../worlds.ts';
import { silent, takeBackup } from './backup-fixture.ts';
import { databasesOf } from './target-fixture.ts';

const base = mkdtempSync('/var/tmp/lbsb-');
// A scratch server runs as another user.
chmodSync(base, 0o755);
let primary: TestPostgres;
let standby: TestPostgres;

beforeAll(async () => {
  // What it cleans up would end backups of the standby; and what is committed is written, so that its place in the WAL is known.
  primary = await startPostgres({ settings: { autovacuum: 'off', synchronous_commit: 'on' } });
  await primary.psql('CREATE DATABASE shop');
  await primary.psql(
    `CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 500) g; CREATE TABLE small AS SELECT 1 AS one;
     CREATE UNLOGGED TABLE cache AS SELECT 1 AS one; CREATE SEQUENCE numbers; SELECT nextval('numbers')`,
    'shop',
  );
  // Soon, so that nobody waits for half a minute.
  standby = await startPostgres({ standbyOf: primary, settings: { max_standby_streaming_delay: '200ms' } });
});
afterAll(async () => {
  await standby?.stop();
  await primary?.stop();
  rmSync(base, { recursive: true, force: true });
});

const newPlace = () => ({ source: 'shop', store: `file://${mkdtempSync(`${base}/store-`)}` });

/** Writes to the primary, and waits until the standby has it. */
async function replicate(sql: string): Promise<void> {
  await primary.psql(sql, 'shop');
  const lsn = await primary.psql('SELECT pg_current_wal_lsn()');
  await expect.poll(() => standby.psql(`SELECT pg_last_wal_replay_lsn() >= '${lsn}'`)).toBe('t');
}

it('says that a standby which has replayed nothing cannot be dated', async () => {
  await expect(takeBackup(standby, 'shop')).rejects.toMatchObject({
    code: 'source-refused',
    message: expect.stringContaining('has not replayed any transaction yet'),
  });
});

it('backs up a standby, says what it has not, and proves it', async () => {
  await replicate('INSERT INTO orders VALUES (501)');
  const { world } = worldForTests();
  for (const jobs of ['1', '2']) {
    const place = newPlace();
    const made = await backup({ ...place, jobs, 'database-url': standby.urlOf('shop'), facts: 'fingerprints' }, world);
    expect(made.findings.filter(({ status }) => status !== 'pass')).toEqual([]);
    const leftOut = made.tables.find(({ title }) => title === 'Left out')?.rows;
    expect(leftOut).toContainEqual(['rows of unlogged tables', 'a standby has none']);
    const drilled = await restoreDrill({ ...place, 'scratch-dir': `${base}/scratch` }, world);
    expect(drilled.outputs).toMatchObject({ proof: 'proven', 'backup-id': made.outputs['backup-id'] });
  }
  const { manifest, facts } = await takeBackup(standby, 'shop');
  expect(manifest.server.standby).toBe(true);
  expect(facts?.tables.map(({ name, rows }) => [name, rows])).toEqual([
    ['public.orders', 501],
    ['public.small', 1],
  ]);
});

it('ends when the primary takes a table away that is read, and says what helps', async () => {
  await replicate('INSERT INTO orders VALUES (502)');
  onTestFinished(() => replicate('CREATE TABLE small AS SELECT 1 AS one'));
  const engine = postgresql({ env: process.env, log: silent, now: () => new Date() });
  const request: DumpRequest = {
    ...{ source: 'shop', connection: { url: standby.urlOf('shop') }, scope: 'full', facts: 'counts' },
    ...{ tables: [], excludeTables: [], excludeTableData: [], rolePasswords: false, allowNewerClient: false },
    ...{ lockTimeoutMs: 0, stallMs: 60_000, tableLockTimeoutMs: 10_000, holder: 'test' },
    signal: new AbortController().signal,
  };
  const taken = engine.withSnapshot(request, async (snapshot) => {
    await replicate('DROP TABLE small');
    return snapshot.finish(await snapshot.readFacts());
  });
  await expect(taken).rejects.toMatchObject({
    code: 'source-busy',
    message: expect.stringContaining('conflict with recovery'),
    hint: expect.stringContaining('max_standby_streaming_delay'),
  });
});

it('is no place to restore to, which is said before anything is tried', async () => {
  await replicate('INSERT INTO orders VALUES (503)');
  const { world } = worldForTests();
  const [place, url] = [newPlace(), standby.urlOf('shop')];
  await backup({ ...place, 'database-url': url }, world);
  const { findings } = await restore({ ...place, 'target-url': url, mode: 'replace', confirm: 'shop' }, world);
  expect(findings).toContainEqual(
    expect.objectContaining({ rule: 'target-server', status: 'fail', hint: 'Give the URL of its primary.' }),
  );
  expect(await databasesOf(standby)).toBe('postgres\nshop');
});
