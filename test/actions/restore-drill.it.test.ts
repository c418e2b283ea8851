import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { backup } from '../../src/actions/backup.ts';
import { restoreDrill } from '../../src/actions/restore-drill.ts';
import { Failure } from '../../src/core/failure.ts';
import { type Manifest, writeManifest } from '../../src/core/manifest.ts';
import { readManifestOf, sha256Of } from '../../src/core/manifest-reading.ts';
import type { Store, World } from '../../src/core/ports.ts';
import { DrillRecord } from '../../src/core/records.ts';
import type { Report } from '../../src/core/report.ts';
import { openEngine } from '../../src/engines/registry.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { age } from '../../src/sys/age.ts';
import { zstd } from '../../src/sys/zstd.ts';
import { fakeWorld, keysOf } from '../fixtures.ts';
import { startPostgres, type TestPostgres } from '../servers/postgresql.ts';

const base = join('/var/tmp', `lbd-${process.pid}`);
let server: TestPostgres;
let a: MemoryStore;
let b: MemoryStore;

beforeAll(async () => {
  server = await startPostgres();
  await server.psql('CREATE ROLE shop LOGIN; CREATE DATABASE shop OWNER shop;');
  await server.psql(
    `CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customers);
    INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 500) i;
    INSERT INTO orders (customer) SELECT 1 + i % 500 FROM generate_series(1, 20000) i;`,
    'shop',
  );
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});
beforeEach(() => {
  a = memoryStore({ location: 'memory:a' });
  b = memoryStore({ location: 'memory:b' });
});

function world(rest: Partial<World> = {}): World {
  const signal = new AbortController().signal;
  const log = fakeWorld({}, '2026-01-01').log;
  return fakeWorld({ 'memory:a': a, 'memory:b': b } as Record<string, Store>, '2026-01-01', {
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

async function takeBackup(given: Record<string, string> = {}): Promise<string> {
  const raw = { source: 'shop', store: 'memory:a\nmemory:b', 'database-url': server.urlOf('shop'), ...given };
  const report = await backup(raw, world());
  return report.outputs['backup-id'] ?? '';
}

function drill(given: Record<string, string> = {}, rest: Partial<World> = {}): Promise<Report> {
  return restoreDrill({ source: 'shop', store: 'memory:a\nmemory:b', ...given }, world(rest));
}

function statusOf(report: Report, rule: string): string[] {
  return report.findings
    .filter((one) => one.rule === rule)
    .map(({ status, subject }) => `${status} ${subject ?? ''}`.trim());
}

async function recordsIn(store: MemoryStore): Promise<DrillRecord[]> {
  const keys = (await keysOf(store)).filter((key) => key.includes('/drills/'));
  return Promise.all(keys.map(async (key) => DrillRecord.parse(JSON.parse(await textOf(store, key)))));
}

async function textOf(store: MemoryStore, key: string): Promise<string> {
  return Buffer.concat(await (await store.get(key)).toArray()).toString('utf8');
}

it('proves a backup, and writes the record into every store that holds it', async () => {
  const id = await takeBackup({ facts: 'fingerprints' });
  const report = await drill({
    assertions: 'orders are there: SELECT count(*) = 20000 FROM orders',
    amcheck: 'true',
    'max-duration': '10m',
    'max-data-loss': '1h',
  });
  expect(report.outputs).toMatchObject({ 'backup-id': id, proof: 'proven' });
  expect(report.verdict).toBe('pass');
});

it('says what the record says to whoever reads the store later', async () => {
  const id = await takeBackup();
  await drill();
  const [record] = await recordsIn(a);
  expect(record).toMatchObject({
    backup: id,
    proof: 'proven',
    verdict: 'pass',
    store: 'memory:a',
    alsoRead: ['memory:b'],
  });
  expect(record?.manifestSha256).toBe((await readManifestOf(a, 'shop', id)).sha256);
  expect(await recordsIn(b)).toEqual([record]);
  const second = await drill();
  expect(second.trends[0]?.points).toHaveLength(2);
});

it.each([
  {
    how: 'one flipped bit',
    damage: (bytes: Buffer) => flip(bytes),
    says: /database\.dump\.zst .*has SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}/,
  },
  {
    how: 'a missing end',
    damage: (bytes: Buffer) => bytes.subarray(0, bytes.length / 2),
    says: /has \d+ bytes instead of \d+/,
  },
])('disproves a copy with $how, and names it', async ({ damage, says }) => {
  const id = await takeBackup();
  await damageArtifact(a, id, 'database.dump.zst', damage);
  const report = await drill();
  expect(report.outputs.proof).toBe('disproven');
  expect(report.verdict).toBe('fail');
  const [corrupt] = report.findings.filter(({ rule }) => rule === 'artifact-corrupt');
  expect(corrupt?.message).toMatch(says);
  expect(corrupt?.subject).toBe('memory:a');
  expect((await recordsIn(b))[0]).toMatchObject({ proof: 'disproven', store: 'memory:a' });
});

it('finds damage in an artifact that a restore does not need to its end', async () => {
  const id = await takeBackup({ facts: 'counts' });
  await damageArtifact(a, id, 'globals.sql.zst', (bytes) => Buffer.concat([bytes, Buffer.from('x')]));
  const report = await drill();
  expect(report.outputs.proof).toBe('disproven');
  expect(statusOf(report, 'artifact-corrupt')).toEqual(['fail memory:a']);
});

it('keeps the proof of a good copy when the one in another store is damaged, and fails all the same', async () => {
  const id = await takeBackup();
  await damageArtifact(b, id, 'database.dump.zst', flip);
  const report = await drill();
  expect(report.outputs.proof).toBe('proven');
  expect(report.verdict).toBe('fail');
  expect(statusOf(report, 'artifact-corrupt')).toEqual(['fail memory:b']);
  expect((await recordsIn(a))[0]?.alsoRead).toEqual([]);
});

it('disproves a backup whose artifact is gone', async () => {
  const id = await takeBackup();
  await a.remove([`shop/${id}/database.dump.zst`]);
  const report = await drill();
  expect(report.outputs.proof).toBe('disproven');
  expect(report.findings.find(({ status }) => status === 'fail')?.message).toContain('database.dump.zst');
});

it('names the table whose rows are not those of the snapshot', async () => {
  const id = await takeBackup();
  await rewriteFacts(a, id, (facts) => facts.replace('"rows":20000', '"rows":20001'));
  const report = await drill({ store: 'memory:a' });
  expect(report.outputs.proof).toBe('disproven');
  const [rows] = report.findings.filter(({ rule }) => rule === 'facts-tables');
  expect(rows?.message).toContain('public.orders: expected 20,001');
});

it('says which object a dump that does not fit together stops at', async () => {
  const id = await takeBackup();
  const hurt = await zstdOf(Buffer.from('PGDMP but not really'));
  await replaceArtifact(a, id, 'database.dump.zst', hurt);
  const report = await drill({ store: 'memory:a' });
  expect(report.outputs.proof).toBe('disproven');
  expect(statusOf(report, 'restore-completed')).toEqual(['fail memory:a']);
});

it('proves nothing and disproves nothing without the right key', async () => {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  await takeBackup({ 'age-recipients': recipient });
  const none = await drill();
  expect([none.outputs.proof, none.verdict]).toEqual(['inconclusive', 'unknown']);
  expect(none.findings.find(({ rule }) => rule === 'decryption')?.hint).toContain(recipient);
  const wrong = await drill({ 'age-identity': await generateIdentity() });
  expect([wrong.outputs.proof, wrong.verdict]).toEqual(['inconclusive', 'unknown']);
  expect(statusOf(wrong, 'decryption')).toEqual(['unknown']);
  const right = await drill({ 'age-identity': identity });
  expect([right.outputs.proof, right.verdict]).toEqual(['proven', 'pass']);
  expect(await recordsIn(a)).toHaveLength(3);
});

it('keeps names of tables out of the record of an encrypted backup', async () => {
  const identity = await generateIdentity();
  await takeBackup({ 'age-recipients': await identityToRecipient(identity) });
  const report = await drill({ 'age-identity': identity, assertions: 'none: SELECT count(*) = 7 FROM orders' });
  expect(report.verdict).toBe('fail');
  const record = JSON.stringify(await recordsIn(a));
  expect(record).not.toContain('orders');
});

it.each([
  {
    what: 'a locale',
    change: (m: Manifest) => ({ ...m, server: { ...m.server, collate: 'de_DE.UTF-8', ctype: 'de_DE.UTF-8' } }),
    says: /de_DE\.UTF-8/,
    hint: /locale-gen/,
  },
  {
    what: 'a major',
    change: (m: Manifest) => ({ ...m, server: { ...m.server, major: 99 } }),
    says: /PostgreSQL 99/,
    hint: /postgresql-99/,
  },
  { what: 'room', change: withSize(2 ** 50), says: /free, about .* are needed/, hint: /scratch-dir/ },
])('proves nothing where $what is missing, and says what to do', async ({ change, says, hint }) => {
  const id = await takeBackup();
  await rewriteManifest(a, id, change);
  const report = await drill({ store: 'memory:a' });
  expect([report.outputs.proof, report.verdict]).toEqual(['inconclusive', 'unknown']);
  const [found] = report.findings.filter(({ rule }) => rule === 'scratch-server');
  expect(found?.message).toMatch(says);
  expect(found?.hint).toMatch(hint);
  expect((await recordsIn(a))[0]?.proof).toBe('inconclusive');
});

it('names an extension that is not installed here before it restores anything', async () => {
  const id = await takeBackup();
  await rewriteFacts(a, id, (facts) =>
    facts.replace('"extensions":[', '"extensions":[{"name":"postgis","version":"3.4","schema":"public"},'),
  );
  const report = await drill({ store: 'memory:a' });
  expect(report.outputs.proof).toBe('inconclusive');
  const [found] = report.findings.filter(({ status }) => status === 'unknown');
  expect(found?.message).toContain('postgis');
  expect(found?.hint).toContain('postgresql-15-postgis');
});

it('keeps objectives and assertions apart from the proof', async () => {
  await takeBackup();
  const report = await drill({
    'max-duration': '0',
    'max-data-loss': '0',
    assertions:
      'wrong: SELECT false\nbroken: SELECT nothing FROM nowhere\ntwo: SELECT true UNION ALL SELECT true\ntrue one: SELECT true::boolean',
  });
  expect(report.outputs.proof).toBe('proven');
  expect(report.verdict).toBe('fail');
  expect(statusOf(report, 'rto')).toEqual(['fail']);
  expect(statusOf(report, 'assertion')).toEqual(['fail', 'unknown', 'fail', 'pass']);
  expect(statusOf(report, 'facts-tables')).toEqual(['pass']);
});

it('proves nothing of a backup without facts', async () => {
  await takeBackup({ facts: 'none' });
  const report = await drill();
  expect([report.outputs.proof, report.verdict]).toEqual(['inconclusive', 'unknown']);
  expect(statusOf(report, 'facts-missing')).toEqual(['unknown']);
  expect(statusOf(report, 'restore-completed')).toEqual(['pass']);
});

it.each([
  { scope: 'tables', given: { tables: 'orders' } },
  { scope: 'schema', given: { 'schema-only': 'true' } },
  { scope: 'data', given: { 'data-only': 'true' } },
  { scope: 'full', given: { 'exclude-table-data': 'customers' } },
])('proves a backup of $scope ($given)', async ({ given }) => {
  await takeBackup(given as Record<string, string>);
  const report = await drill();
  expect(report.findings.filter(({ status }) => status !== 'pass')).toEqual([]);
  expect(report.outputs.proof).toBe('proven');
});

it('leaves neither record nor server behind when it is cancelled', async () => {
  await takeBackup();
  const stop = new AbortController();
  const reason = new Failure('cancelled', 'stopped');
  const cancelling = memoryStore({ location: 'memory:a' });
  for (const key of await keysOf(a)) cancelling.overwrite(key, Buffer.concat(await (await a.get(key)).toArray()));
  const get = cancelling.get.bind(cancelling);
  cancelling.get = async (key, options) => {
    if (key.includes('globals')) stop.abort(reason);
    return get(key, options);
  };
  a = cancelling;
  await expect(drill({ store: 'memory:a' }, { signal: stop.signal })).rejects.toBe(reason);
  expect(await recordsIn(a)).toEqual([]);
  expect(readdirSync(base)).toEqual([]);
});

it('shows the live database beside the restored one', async () => {
  await takeBackup();
  const report = await drill({ 'compare-with': server.urlOf('shop') });
  expect(report.verdict).toBe('pass');
  const table = report.tables.find(({ title }) => title === 'Rows live and restored');
  expect(table?.rows).toContainEqual(['public.orders', '20,000', '20,000']);
});

function withSize(bytes: number): (manifest: Manifest) => Manifest {
  return (manifest) => ({
    ...manifest,
    totals: { ...manifest.totals, databaseBytes: bytes },
    artifacts: manifest.artifacts.map((one) => ({ ...one, plainBytes: bytes })),
  });
}

function flip(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  return copy;
}

async function damageArtifact(store: MemoryStore, id: string, name: string, damage: (bytes: Buffer) => Buffer) {
  const key = `shop/${id}/${name}`;
  store.overwrite(key, damage(await bytesOf(store, key)));
}

async function bytesOf(store: MemoryStore, key: string): Promise<Buffer> {
  return buffer(await store.get(key));
}

/** Other bytes under a manifest that agrees with them: not damage, but a dump that was never right. */
async function replaceArtifact(store: MemoryStore, id: string, name: string, bytes: Buffer): Promise<void> {
  store.overwrite(`shop/${id}/${name}`, bytes);
  await rewriteManifest(store, id, (manifest) => {
    const artifacts = manifest.artifacts.map((one) =>
      one.key === name ? { ...one, bytes: bytes.length, sha256: sha256Of(bytes) } : one,
    );
    return { ...manifest, artifacts };
  });
}

async function rewriteFacts(store: MemoryStore, id: string, change: (facts: string) => string): Promise<void> {
  const compressed = Readable.from([await bytesOf(store, `shop/${id}/facts.json.zst`)]);
  const before = (await buffer(zstd(process.env).decompress(compressed))).toString('utf8');
  const after = change(JSON.stringify(JSON.parse(before)));
  expect(after).not.toBe(JSON.stringify(JSON.parse(before)));
  await replaceArtifact(store, id, 'facts.json.zst', await zstdOf(Buffer.from(after)));
}

async function rewriteManifest(
  store: MemoryStore,
  id: string,
  change: (manifest: Manifest) => Manifest,
): Promise<void> {
  const { manifest } = await readManifestOf(store, 'shop', id);
  store.overwrite(`shop/${id}/manifest.json`, Buffer.from(writeManifest(change(manifest))));
}

function zstdOf(bytes: Buffer): Promise<Buffer> {
  return buffer(zstd(process.env).compress(Readable.from([bytes]), 3));
}

it('refuses the server that the backup comes from, and records nothing', async () => {
  await takeBackup();
  await expect(drill({ 'scratch-url': server.url })).rejects.toMatchObject({ code: 'guard-refused' });
  expect(await recordsIn(a)).toEqual([]);
});

it('drills on another server, whose roles are its own', async () => {
  const other = await startPostgres();
  try {
    await other.psql('CREATE ROLE shop LOGIN SUPERUSER');
    await takeBackup();
    const report = await drill({ 'scratch-url': other.url });
    expect(report.outputs.proof).toBe('proven');
    expect(statusOf(report, 'facts-roles')).toEqual(['pass']);
    expect(statusOf(report, 'scratch-isolation')).toEqual(['warn']);
    expect(report.verdict).toBe('warn');
    expect((await recordsIn(a))[0]?.scratch.server).toContain(String(other.port));
    expect(await other.psql('SELECT datname FROM pg_database ORDER BY 1')).toBe('postgres\ntemplate0\ntemplate1');
  } finally {
    await other.stop();
  }
});

it('names the folder of a failed drill that was kept', async () => {
  await takeBackup();
  const report = await drill({ 'keep-scratch': 'true', assertions: 'no: SELECT false' });
  const kept = report.headline.find(({ name }) => name.startsWith('Kept'));
  expect(kept?.value).toContain(base);
  expect(readdirSync(base)).toHaveLength(1);
});

it('goes on with the second store when the first cannot be read, and says so', async () => {
  const id = await takeBackup();
  a.failWith(new Failure('store-unavailable', 'no answer'));
  const report = await drill();
  expect(report.outputs).toMatchObject({ 'backup-id': id, proof: 'proven' });
  expect(statusOf(report, 'store-readable')).toEqual(['unknown memory:a']);
  expect((await recordsIn(b))[0]).toMatchObject({ store: 'memory:b', alsoRead: [] });
});

it('drills the newest backup that any store holds, and names the store without it', async () => {
  await takeBackup({ store: 'memory:a' });
  await delay(1_100); // ids have whole seconds
  const newer = await takeBackup({ store: 'memory:b' });
  const report = await drill();
  expect(report.outputs['backup-id']).toBe(newer);
  expect(statusOf(report, 'store-copy')).toEqual(['fail memory:a']);
  const oldest = await drill({ backup: 'oldest' });
  expect(oldest.outputs['backup-id']).not.toBe(newer);
  expect(oldest.outputs['data-loss-seconds']).toBe('');
});
