import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { Failure } from '../../src/core/failure.ts';
import { sha256Of } from '../../src/core/manifest-reading.ts';
import type { Scratch, Store, World } from '../../src/core/ports.ts';
import { DrillRecord } from '../../src/core/records.ts';
import type { Report } from '../../src/core/report.ts';
import { openEngine } from '../../src/engines/registry.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { age } from '../../src/sys/age.ts';
import { zstd } from '../../src/sys/zstd.ts';
import { runAction } from '../e2e/runner.ts';
import { createHardDatabase } from '../engines/postgresql/hard-database.ts';
import { fakeWorld, keysOf } from '../fixtures.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';

/** More than an age chunk of what does not compress. */
const WIDE = `CREATE TABLE wide_table (id int, v text);
  INSERT INTO wide_table SELECT i, (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 4) AS j)
    FROM generate_series(1, 5000) AS i;
  CREATE TRIGGER watchful BEFORE UPDATE ON wide_table FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`;

const base = join('/var/tmp', `lbs-${process.pid}`);
let server: TestPostgres;
let store: MemoryStore;

beforeAll(async () => {
  server = await startPostgres();
  await createHardDatabase(server);
  await server.psql('CREATE DATABASE plain');
  await server.psql('CREATE TABLE one (id int NOT NULL); INSERT INTO one VALUES (1)', 'plain');
  await server.psql('CREATE DATABASE wide');
  await server.psql(WIDE, 'wide');
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});
beforeEach(() => {
  store = memoryStore({ location: 'memory:a' });
});

function world(rest: Partial<World> = {}): World {
  const signal = new AbortController().signal;
  const { log } = fakeWorld({}, '2026-01-01');
  return fakeWorld({ 'memory:a': store } as Record<string, Store>, '2026-01-01', {
    now: () => new Date(),
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    openEngine: (name) => openEngine(name, { env: process.env, log, now: () => new Date() }),
    encryption: age,
    compression: zstd(process.env),
    sleep: (ms, until = signal) => delay(ms, undefined, { signal: until, ref: false }).catch(() => {}),
    scratchDir: base,
    signal,
    ...rest,
  });
}

async function takeBackup(database: string, given: Record<string, string> = {}): Promise<void> {
  const raw = { source: 'shop', store: 'memory:a', 'database-url': server.urlOf(database), ...given };
  const report = await backup(raw, world());
  expect(report.findings.filter(({ status }) => status === 'fail')).toEqual([]);
}

function drill(given: Record<string, string> = {}, rest: Partial<World> = {}): Promise<Report> {
  return restoreDrill({ source: 'shop', store: 'memory:a', 'self-test': 'true', ...given }, world(rest));
}

/** Rows of the table: damage, expected, found by, result, path. */
function trialsOf(report: Report): { damage: string; expected: string; foundBy: string; result: string }[] {
  const table = report.tables.find(({ title }) => title === 'Self-test');
  return (table?.rows ?? []).map(([damage = '', expected = '', foundBy = '', result = '']) => ({
    ...{ damage, expected, foundBy, result },
  }));
}

const damages = (report: Report, result: string) =>
  trialsOf(report)
    .filter((trial) => trial.result.startsWith(result))
    .map(({ damage }) => damage);

const selfTests = (report: Report) => report.findings.filter(({ rule }) => rule === 'self-test');

/** An engine whose scratch server is `change`d. */
function withScratchOf(change: (scratch: Scratch) => Scratch): Partial<World> {
  const { log } = fakeWorld({}, '2026-01-01');
  return {
    openEngine: async (name) => {
      const engine = await openEngine(name, { env: process.env, log, now: () => new Date() });
      return {
        ...engine,
        withScratch: (request, use) => engine.withScratch(request, (scratch) => use(change(scratch))),
      };
    },
  };
}

async function recordIn(of: MemoryStore): Promise<DrillRecord> {
  const key = (await keysOf(of)).find((one) => one.includes('/drills/')) ?? '';
  return DrillRecord.parse(JSON.parse((await buffer(await of.get(key))).toString()));
}

/** Everything but records of drills. */
async function contentOf(of: MemoryStore): Promise<Map<string, string>> {
  const keys = (await keysOf(of)).filter((key) => !key.includes('/drills/'));
  return new Map(await Promise.all(keys.map(async (key) => [key, await sha256In(of, key)] as const)));
}

async function sha256In(of: MemoryStore, key: string): Promise<string> {
  return sha256Of(await buffer(await of.get(key)));
}

const inDatabase = [
  'a dropped table: ',
  'an extra table: public.lifeboat_self_test',
  'a dropped index: ',
  'a dropped constraint: ',
  'a dropped trigger: ',
  'a dropped policy: ',
  'a missing grant: ',
  'a sequence set back: ',
  'a lost setting of the database: ',
  'a lost large object',
  'a deleted row: ',
  'a changed value: ',
  'values swapped between two rows',
];

it('finds and names every damage to a backup with fingerprints of a database that has everything', async () => {
  await takeBackup('hard', { facts: 'fingerprints' });
  const before = await contentOf(store);
  const report = await drill();
  expect(damages(report, 'not covered')).toEqual(['totals.databaseBytes of the manifest is one more']);
  expect(trialsOf(report).filter(({ result }) => !/^(found$|not covered)/.test(result))).toEqual([]);
  const found = damages(report, 'found');
  expect(inDatabase.filter((damage) => !found.some((one) => one.startsWith(damage)))).toEqual([]);
  for (const artifact of ['database.dump.zst', 'globals.sql.zst', 'facts.json.zst']) {
    expect(found.filter((damage) => damage.startsWith(`${artifact} `))).toHaveLength(7);
  }
  expect([report.verdict, report.outputs.proof]).toEqual(['pass', 'proven']);
  expect(selfTests(report)[0]).toMatchObject({ status: 'pass', numbers: { damages: 41, found: 40, notCovered: 1 } });
  expect(await contentOf(store)).toEqual(before);
});

it('lists what counts do not hold as not covered, with a warning, and finds the rest', async () => {
  await takeBackup('hard');
  const report = await drill();
  expect(damages(report, 'not covered')).toEqual([
    'totals.databaseBytes of the manifest is one more',
    'a changed value',
    'values swapped between two rows (their order is no fact)',
  ]);
  expect(selfTests(report).map(({ status }) => status)).toEqual(['pass', 'warn', 'pass']);
  expect(selfTests(report)[1]?.message).toContain('a changed value (counts hold no values)');
  expect(selfTests(report)[1]?.hint).toContain('facts: fingerprints');
  expect([report.verdict, report.outputs.proof]).toEqual(['warn', 'proven']);
  expect((await recordIn(store)).findings.filter(({ rule }) => rule === 'self-test')).toEqual(selfTests(report));
});

it.each([{ 'schema-only': 'true' }, { 'data-only': 'true' }, { tables: '*order*' }])(
  'overlooks nothing of a partial backup: %o',
  async (given) => {
    await takeBackup('hard', { facts: 'fingerprints', ...(given as Record<string, string>) });
    const report = await drill();
    expect(trialsOf(report).filter(({ result }) => !/^(found$|not covered)/.test(result))).toEqual([]);
    expect(damages(report, 'found').filter((damage) => damage.startsWith('a dropped '))).toHaveLength(5);
    expect(selfTests(report)[0]?.status).toBe('pass');
  },
);

it('overlooks nothing of a backup in parallel streams, artifact by artifact', async () => {
  await takeBackup('hard', { facts: 'fingerprints', jobs: '2' });
  const artifacts = (await keysOf(store)).map((key) => key.split('/')[2] ?? '').filter((key) => key.endsWith('.zst'));
  expect(artifacts.toSorted()).toEqual(
    ['data-01', 'data-02', 'facts.json', 'globals.sql', 'post-data', 'pre-data'].map((name) =>
      name.includes('.') ? `${name}.zst` : `${name}.dump.zst`,
    ),
  );
  const report = await drill();
  expect(trialsOf(report).filter(({ result }) => !/^(found$|not covered)/.test(result))).toEqual([]);
  const found = damages(report, 'found');
  for (const artifact of artifacts) {
    expect(found.filter((damage) => damage.startsWith(`${artifact} `))).toHaveLength(7);
  }
  expect(inDatabase.filter((damage) => !found.some((one) => one.startsWith(damage)))).toEqual([]);
  expect([report.verdict, report.outputs.proof]).toEqual(['pass', 'proven']);
});

it('tries every stream on a runner', async () => {
  await server.psql('CREATE DATABASE two');
  await server.psql('CREATE TABLE a AS SELECT generate_series(1, 500) AS id; CREATE TABLE b AS TABLE a', 'two');
  const folder = mkdtempSync('/var/tmp/lbs-store-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const common = { source: 'two', store: `file://${folder}`, jobs: 2 };
  const made = await runAction({ action: 'backup', with: { ...common, 'database-url': server.urlOf('two') } });
  expect(made.outputs.verdict, made.log).toBe('pass');
  const scratch = { 'scratch-dir': base, 'self-test': true };
  const { outputs, summary, log } = await runAction({ action: 'restore-drill', with: { ...common, ...scratch } });
  // Counts hold no values: that much is not covered, and said.
  expect([outputs.verdict, outputs.proof], log).toEqual(['warn', 'proven']);
  const damaged = [...summary.matchAll(/^\| (\S+\.zst) is .* \| found \|/gm)].map(([, artifact]) => artifact);
  const streams = ['data-01', 'data-02', 'facts', 'globals', 'post-data', 'pre-data'];
  expect(new Set(damaged.map((name = '') => name.split('.')[0]))).toEqual(new Set(streams));
  expect(summary).not.toMatch(/\| missed/);
});

it('lists what a plain database has none of', async () => {
  await takeBackup('plain', { facts: 'fingerprints' });
  const report = await drill();
  const [, listing] = selfTests(report);
  expect(listing?.status).toBe('pass');
  for (const kind of ['index', 'constraint', 'trigger', 'policy', 'sequence', 'large object', 'setting']) {
    expect(listing?.message).toMatch(new RegExp(`${kind}[^;]*\\(the (database|backup) (has|holds) no`));
  }
  expect(listing?.message).toContain('values swapped between two rows');
  expect(damages(report, 'found')).toContain('a missing grant: schema public to PUBLIC');
});

it('takes another backup of the source for the artifact that does not belong', async () => {
  await takeBackup('plain');
  await delay(1_100); // ids have whole seconds
  await server.psql('INSERT INTO one VALUES (2)', 'plain');
  await takeBackup('plain');
  const report = await drill();
  const [older] = (await keysOf(store)).map((key) => key.split('/')[1]);
  expect(damages(report, 'found')).toContain(`database.dump.zst is database.dump.zst of ${older}`);
});

it('tries encrypted artifacts at the chunks of age, and writes no name of theirs into the record', async () => {
  const identity = await generateIdentity();
  await takeBackup('wide', { 'age-recipients': await identityToRecipient(identity), facts: 'fingerprints' });
  const report = await drill({ 'age-identity': identity }, withScratchOf(blindTo('a dropped trigger')));
  const found = damages(report, 'found').join('\n');
  expect(found).toMatch(/^database\.dump\.zst\.age is cut at the end of age chunk \d+$/m);
  expect(found).toMatch(/^globals\.sql\.zst\.age is cut at the start of the only age chunk$/m);
  expect(damages(report, 'missed')).toEqual(['a dropped trigger: watchful on public.wide_table']);
  expect(JSON.stringify(await recordIn(store))).not.toMatch(/wide_|watchful|lifeboat_self_test/);
});

/** Facts that say nothing of one kind of damage: what a reader would give that overlooks it. */
function blindTo(damage: string): (scratch: Scratch) => Scratch {
  return (scratch) => ({
    ...scratch,
    async *tamper(known) {
      for await (const one of scratch.tamper(known)) {
        yield 'found' in one && one.damage === damage ? { ...one, found: known } : one;
      }
    },
  });
}

it('fails, and keeps the proof, when the drill overlooks a damage', async () => {
  await takeBackup('hard', { facts: 'fingerprints' });
  const report = await drill({}, withScratchOf(blindTo('a missing grant')));
  expect(damages(report, 'missed')).toEqual(['a missing grant: materialized view app.fresh to PUBLIC']);
  expect(selfTests(report)[0]).toMatchObject({ status: 'fail', message: expect.stringContaining('found by: nothing') });
  expect([report.verdict, report.outputs.proof]).toEqual(['fail', 'proven']);
  expect(await recordIn(store)).toMatchObject({ verdict: 'fail', proof: 'proven' });
});

it('is not known when the restored database is not what it was before', async () => {
  await takeBackup('plain');
  let reads = 0;
  const changing = (scratch: Scratch): Scratch => ({
    ...scratch,
    readFacts: async (level) => {
      const facts = await scratch.readFacts(level);
      reads += 1;
      return reads === 1 ? facts : { ...facts, tables: facts.tables.map((one) => ({ ...one, rows: one.rows + 1 })) };
    },
  });
  const report = await drill({}, withScratchOf(changing));
  expect(reads).toBe(2);
  expect(selfTests(report)[0]).toMatchObject({
    status: 'unknown',
    message: expect.stringContaining('not what it was'),
  });
  expect([report.verdict, report.outputs.proof]).toEqual(['unknown', 'proven']);
});

it('disproves nothing when the scratch server goes away under it', async () => {
  await takeBackup('plain');
  const gone = (scratch: Scratch): Scratch => ({
    ...scratch,
    // biome-ignore lint/correctness/useYield: it fails before it could.
    async *tamper() {
      throw new Failure('restore-failed', 'the server closed the connection');
    },
  });
  const report = await drill({}, withScratchOf(gone));
  expect(selfTests(report)[0]).toMatchObject({
    status: 'unknown',
    message: expect.stringContaining('closed the conn'),
  });
  expect(report.outputs.proof).toBe('proven');
});

it('is not run, and says so, when the drill proved nothing', async () => {
  await takeBackup('plain', { facts: 'none' });
  const report = await drill();
  expect(selfTests(report)).toMatchObject([{ status: 'unknown', message: expect.stringContaining('was not run') }]);
  expect(trialsOf(report)).toEqual([]);
});

it('makes no self-test that nobody asked for', async () => {
  await takeBackup('plain');
  const report = await drill({ 'self-test': 'false' });
  expect(selfTests(report)).toEqual([]);
  expect(report.verdict).toBe('pass');
});

it('works on another server, whose settings are its own', async () => {
  const other = await startPostgres();
  try {
    await takeBackup('hard', { facts: 'fingerprints' });
    const report = await drill({ 'scratch-url': other.url });
    expect(trialsOf(report).filter(({ result }) => !/^(found$|not covered)/.test(result))).toEqual([]);
    expect(damages(report, 'not covered')).toContain('a lost setting of the database');
    expect(await other.psql('SELECT datname FROM pg_database ORDER BY 1')).toBe('postgres\ntemplate0\ntemplate1');
  } finally {
    await other.stop();
  }
});
