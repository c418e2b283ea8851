import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';
import {
  commandsOf,
  copyOf,
  databasesLike,
  findingOf,
  forgeFacts,
  headlineOf,
  lifeboat,
  newFolder,
  recordsIn,
  restoreWords,
  type,
} from './restoring.ts';
import { runAction } from './runner.ts';

const original = mkdtempSync('/var/tmp/lifeboat-broken-store-');
let server: TestPostgres;
let id: string;
let store: string;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql('CREATE DATABASE shop');
  await server.psql('CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 50) g', 'shop');
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

beforeEach(async () => {
  store = copyOf(original);
  for (const name of await databasesLike(server, 'live')) await server.psql(`DROP DATABASE "${name}" WITH (FORCE)`);
  await server.psql('CREATE DATABASE live');
  await server.psql('CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 7) g', 'live');
});

const rowsIn = (database: string) => server.psql('SELECT count(*) FROM orders', database);
const restore = (words: readonly string[], given: Parameters<typeof lifeboat>[1] = {}) =>
  lifeboat(restoreWords(store, server.urlOf('live'), words), given);
const swap = ['--swap', '--confirm', 'live'];

it('ends where `before` fails, with everything as it was but the application', async () => {
  const { code, report, log } = await restore([
    ...swap,
    '--before',
    'echo stopping; exit 4',
    '--after',
    'start the app',
  ]);
  expect(code).toBe(1);
  expect(log).toContain('before: stopping');
  expect(report.title).toBe('Restore of shop: live is as it was, and "run before" failed');
  expect(findingOf(report, 'restore-commands', 'fail')?.message).toBe('`before` exited with 4.');
  expect(headlineOf(report)['The application']).toContain('not known');
  expect(commandsOf(report)['start the application again (`after`)']).toBe('start the app');
  expect(await databasesLike(server, 'live')).toEqual(['live']);
  expect(recordsIn(store)).toMatchObject([{ failedAt: 'run before', database: null, kept: null }]);
});

it('leaves the backup in its place where `after` fails, and names what is left to do', async () => {
  const { code, report } = await restore([...swap, '--before', 'true', '--after', 'false']);
  expect(code).toBe(1);
  expect(report.outputs).toMatchObject({ database: 'live', 'restore-seconds': '' });
  expect(await rowsIn('live')).toBe('50');
  expect(Object.keys(commandsOf(report))[0]).toBe('start the application again (`after`)');
  type(commandsOf(report)['go back to what was in live before']);
  expect(await rowsIn('live')).toBe('7');
});

it('neither stops nor starts the application beside a target that is left as it is, and names both for the swap', async () => {
  const touched = join(newFolder(), 'touched');
  const { code, report } = await restore(['--before', `touch ${touched}`, '--after', `touch ${touched}`]);
  expect(code).toBe(0);
  expect(existsSync(touched)).toBe(false);
  const [stop, put, start] = Object.entries(commandsOf(report));
  expect(stop).toEqual(['stop the application (`before`)', `touch ${touched}`]);
  expect(put?.[0]).toMatch(/^put live_restored_\S+ in the place of live$/);
  expect(start).toEqual(['start the application again (`after`)', `touch ${touched}`]);
});

it('hides passwords that commands print', async () => {
  const url = server.urlOf('live').replace('postgres@', 'postgres:a-long-password@');
  const words = restoreWords(store, url, [...swap, '--before', 'echo the word is a-long-password']);
  const { code, log } = await lifeboat(words);
  expect(code).toBe(0);
  expect(log).toContain('before: the word is ***');
  expect(log).not.toContain('a-long-password');
});

it('leaves the target alone when the backup is deleted while it is being restored', async () => {
  const { code, report } = await restore([...swap, '--before', `rm ${join(store, 'shop', id, 'database.dump.zst')}`]);
  expect(code).toBe(1);
  expect(report.title).toBe('Restore of shop: live is as it was, and "restore" failed');
  expect(findingOf(report, 'artifact-fetched', 'fail')).toMatchObject({
    message: expect.stringMatching(/database\.dump\.zst is not in file:/),
    hint: expect.not.stringContaining('drill'),
  });
  expect(await databasesLike(server, 'live')).toEqual(['live']);
  expect(await rowsIn('live')).toBe('7');
});

it('swaps nothing that differs from its snapshot, keeps it for a look, and can be told to swap it all the same', async () => {
  forgeFacts(store, id, (facts) => {
    for (const table of facts.tables) table.rows += 1;
  });
  const { code, report } = await restore(['--mode', 'replace', '--confirm', 'live']);
  expect(code).toBe(1);
  expect(findingOf(report, 'facts-tables', 'fail')?.message).toContain('expected 51 rows, found 50 rows');
  expect(report.title).toBe('Restore of shop: live is as it was, and "compare" failed');
  const [, restored = ''] = await databasesLike(server, 'live');
  expect(headlineOf(report)[restored]).toContain('differs from its snapshot');
  expect(report.outputs.database).toBe('');
  expect(await rowsIn('live')).toBe('7');
  const mark = `SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '${restored}'`;
  expect(await server.psql(mark)).toContain('differs from its snapshot');
  type(commandsOf(report)[`put ${restored} in the place of live all the same`]);
  expect(await rowsIn('live')).toBe('50');
  expect((await restore(['--dry-run'])).report.tables.map(({ title }) => title)).not.toContain(
    'Databases of earlier restores',
  );
});

it('says that the target is gone when it was dropped first and the backup is not sound', async () => {
  forgeFacts(store, id, (facts) => {
    for (const table of facts.tables) table.rows += 1;
  });
  const { code, report } = await restore(['--mode', 'replace', '--confirm', 'live', '--drop-first']);
  expect(code).toBe(1);
  expect(report.title).toBe('Restore of shop: live was dropped and is NOT restored');
  const back = commandsOf(report)['bring back what was in live'] ?? '';
  expect(back).toContain(`--source shop-before-restore --backup ${report.outputs['safety-backup-id']}`);
  const words = back.replace('--target-url-file FILE', '').trim().split(' ').slice(2);
  const again = await lifeboat(restoreWords(store, server.urlOf('live'), []).slice(0, 1).concat(words, urlFile()));
  expect(again.code).toBe(0);
  expect(await rowsIn('live')).toBe('7');
});

it('reads the backup to its end before it drops the target first, and leaves the target when it is damaged', async () => {
  const path = join(store, 'shop', id, 'database.dump.zst');
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 9) ^ 1, bytes.length - 9);
  writeFileSync(path, bytes);
  const words = ['--mode', 'replace', '--confirm', 'live', '--drop-first', '--before', 'touch stopped'];
  const { code, report } = await restore(words, { cwd: newFolder() });
  expect(code).toBe(1);
  expect(report.title).toBe('Restore of shop: live is as it was, and "read the backup" failed');
  expect(findingOf(report, 'artifact-corrupt', 'fail')?.message).toContain('database.dump.zst');
  expect(headlineOf(report)).not.toHaveProperty('The application');
  expect(await rowsIn('live')).toBe('7');
});

function urlFile(): string[] {
  return restoreWords(store, server.urlOf('live')).slice(-2);
}

it('refuses a second restore into the same target while the first is at work', async () => {
  const begun = Promise.withResolvers<void>();
  const first = restore([...swap, '--before', 'echo begun; sleep 6'], {
    lines: (line) => line === 'before: begun' && begun.resolve(),
  });
  await begun.promise;
  const second = await restore([]);
  expect(second.code).toBe(1);
  expect(findingOf(second.report, 'restore-lock', 'fail')?.message).toContain('is being restored by');
  expect((await first).code).toBe(0);
});

it('leaves nothing half-restored when it is cancelled, says how things are, and records it', async () => {
  const result = await runAction({
    action: 'restore',
    with: {
      source: 'shop',
      store: `file://${store}`,
      'target-url': server.urlOf('live'),
      swap: 'true',
      confirm: 'live',
      before: 'true',
    },
    interrupt: (line) => (line.includes('Step 3 of 5: compare') ? 'cancel' : undefined),
  });
  expect(result).toMatchObject({ exitCode: 1, interrupted: 'cancel', orphans: [], outputs: { verdict: 'unknown' } });
  expect(result.summary).toContain('The step was cancelled');
  expect(result.summary).toContain('**live:** is as it was');
  expect(result.summary).toContain('was stopped by');
  expect(await databasesLike(server, 'live')).toEqual(['live']);
  expect(recordsIn(store)).toMatchObject([{ failedAt: 'compare', verdict: 'unknown' }]);
});

it('ends the commands of `before` when it is cancelled', async () => {
  const result = await runAction({
    action: 'restore',
    with: {
      source: 'shop',
      store: `file://${store}`,
      'target-url': server.urlOf('live'),
      swap: 'true',
      confirm: 'live',
      before: 'echo begun; sleep 600',
    },
    interrupt: (line) => (line.includes('before: begun') ? 'cancel' : undefined),
  });
  expect(result).toMatchObject({ interrupted: 'cancel', orphans: [] });
  expect(result.summary).toContain('not known');
});

it('cleans up with the next run what was killed half way', async () => {
  const killed = await restore(swap, { lines: (line, kill) => line.startsWith('Step 2 of') && kill() });
  expect(killed.code).toBe(null);
  expect(await databasesLike(server, 'live')).toHaveLength(2);
  // The server notices only by and by that nobody is at the other end.
  const next = await vi.waitFor(
    async () => {
      const ran = await restore(swap);
      expect(ran.code).toBe(0);
      return ran;
    },
    { timeout: 60_000, interval: 1_000 },
  );
  expect(findingOf(next.report, 'restore-leftovers', 'pass')?.message).toContain(
    '1 database of a restore that was killed was dropped',
  );
  expect(await rowsIn('live')).toBe('50');
  expect(await databasesLike(server, 'live_restored')).toEqual([]);
});
