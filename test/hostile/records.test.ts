import { expect, it } from 'vitest';
import { prune } from '../../src/actions/prune.ts';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { readCatalog } from '../../src/core/catalog.ts';
import { backupKey, IN_PROGRESS, MANIFEST } from '../../src/core/keys.ts';
import type { Manifest } from '../../src/core/manifest.ts';
import { readManifestOf, readSmall } from '../../src/core/manifest-reading.ts';
import type { Store } from '../../src/core/ports.ts';
import { proofOfCopy } from '../../src/core/proof.ts';
import type { Report } from '../../src/core/report.ts';
import { removeUnfinished } from '../../src/core/unfinished.ts';
import { renderSummary } from '../../src/github/summary.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, idAt, keysOf, putBackup, putDrill } from '../fixtures.ts';

const now = '2026-11-21T12:00:00Z';
const HOUR_MS = 3_600_000;
const here = 'memory:';

function newStore(): MemoryStore {
  return memoryStore({ location: here, now: () => at(now) });
}

function verify(store: MemoryStore, raw: Record<string, string> = {}): Promise<Report> {
  return verifyFreshness({ store: here, source: 'orders', ...raw }, fakeWorld({ [here]: store }, now));
}

const bad = (report: Report) =>
  report.findings.filter(({ status }) => status !== 'pass' && status !== 'warn').map(({ rule }) => rule);

/** A manifest as somebody else left it: text, from the one that was written. */
function forge(change: (text: string, manifest: Manifest) => string): MemoryStore {
  const store = newStore();
  const manifest = putBackup(store, '2026-11-21T03:00:00Z');
  const text = change(JSON.stringify(manifest), manifest);
  store.overwrite(backupKey('orders', manifest.id, MANIFEST), Buffer.from(text), at('2026-11-21T03:00:00Z'));
  return store;
}

const changed = (change: object) => (text: string) => JSON.stringify({ ...JSON.parse(text), ...change });
const artifact = (change: object) => (_: string, manifest: Manifest) =>
  JSON.stringify({ ...manifest, artifacts: [{ ...manifest.artifacts[0], ...change }] });

it.each([
  ['nothing', () => ''],
  ['no JSON', () => '::error::<script>'],
  ['another kind of JSON', () => '[]'],
  ['no object', () => 'null'],
  ['17 MB of white space', (text: string) => text + ' '.repeat(17 << 20)],
  ['a higher format', changed({ format: 2 })],
  ['a format that is no number', changed({ format: '1' })],
  ['the moment of another day', changed({ takenAt: '2099-01-01T00:00:00Z' })],
  ['no moment', changed({ takenAt: '2026-02-31T00:00:00Z' })],
  ['another source', changed({ source: '../orders' })],
  ['another id', changed({ id: '../../etc' })],
  ['no artifacts', changed({ artifacts: [] })],
  ['a key that climbs', artifact({ key: '../../other/secret' })],
  ['an absolute key', artifact({ key: '/etc/passwd' })],
  ['a key with a line end', artifact({ key: 'a\n../b' })],
  ['a hidden key', artifact({ key: '.ssh' })],
  ['a negative size', artifact({ bytes: -1 })],
  ['a size that is none', artifact({ bytes: 1e300 })],
  ['half a byte', artifact({ bytes: 0.5 })],
  ['infinite bytes', (text: string) => text.replace(/"bytes":\d+/, '"bytes":1e999')],
  ['a checksum that is none', artifact({ sha256: '; rm -rf /' })],
  ['a role of its own', artifact({ role: '__proto__' })],
])('a manifest with %s is a finding, and nothing but one', async (_, change) => {
  const store = forge(change);
  const report = await verify(store);
  expect(bad(report)).toContain('manifest-unreadable');
  const raw = { store: here, source: 'orders', 'keep-last': '1', 'require-proven': 'false' };
  const pruned = await prune(raw, fakeWorld({ [here]: store }, now));
  expect(pruned.outputs['removed-count']).toBe('0');
  expect(renderSummary(report)).not.toMatch(/<script|^::/m);
});

it('a manifest of a higher format asks for a newer version', async () => {
  const report = await verify(forge(changed({ format: 2 })));
  const said = report.findings.filter(({ rule }) => rule === 'manifest-unreadable').map(({ message }) => message);
  expect(said.join()).toContain('is of format 2; this version reads up to 1');
});

it('a store that names too small a size has no more of a record read than one may have', async () => {
  const store = newStore();
  store.overwrite('orders/large.json', Buffer.alloc(40 << 20, ' '));
  let taken = 0;
  const lying: Store = Object.create(store, {
    head: { value: async () => ({ bytes: 100, tag: '' }) },
    get: {
      value: async (key: string) =>
        (await store.get(key)).map((chunk: Buffer) => {
          taken += chunk.length;
          return chunk;
        }),
    },
  });
  const reading = readSmall(lying, 'orders/large.json').then(({ length }) => length);
  await expect(reading).rejects.toMatchObject({ code: 'backup-invalid' });
  expect(taken).toBeLessThan(20 << 20);
});

it.each([
  ['fields of a later version', changed({ later: { deep: [1] } })],
  ['a million levels', (text: string) => `${text.slice(0, -1)},"x":${'['.repeat(1e6)}${']'.repeat(1e6)}}`],
  ['a field named __proto__', (text: string) => `{"__proto__":{"format":2,"polluted":true},${text.slice(1)}`],
  ['a field twice, the last one right', (text: string) => `{"format":2,${text.slice(1)}`],
  ['labels named like parts of an object', changed({ labels: { constructor: 'x', toString: 'y' } })],
])('a manifest with %s is read', async (_, change) => {
  const store = forge(change);
  expect(bad(await verify(store))).toEqual([]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it('takes no drill for the latest word that is dated after its own record', async () => {
  const store = newStore();
  const manifest = putBackup(store, '2026-11-21T03:00:00Z');
  await putDrill(store, manifest, '2026-11-21T04:00:00Z', { verdict: 'fail', proof: 'disproven' });
  const key = await putDrill(store, manifest, '2099-01-01T00:00:00Z');
  store.overwrite(key, Buffer.concat(await Array.fromAsync(await store.get(key))), at(now));
  const report = await verify(store, { 'max-drill-age': '8d' });
  expect(bad(report)).toEqual(['drill-proof']);
});

it('reads a bounded number of records, however many somebody wrote', async () => {
  const store = newStore();
  const manifest = putBackup(store, '2026-11-20T03:00:00Z');
  for (let n = 0; n < 2_000; n++) {
    const id = idAt(new Date(at('2026-11-20T04:00:00Z').getTime() + n * 1000), n);
    store.overwrite(`orders/${manifest.id}/drills/${id}.pass.proven.json`, Buffer.from('{}'), at(now));
  }
  const [backup] = await readCatalog(store, 'orders');
  const before = store.calls.get;
  expect(backup && (await proofOfCopy(store, backup))).toBeUndefined();
  expect(store.calls.get - before).toBeLessThanOrEqual(50);
});

it('judges a folder of two hundred thousand files', async () => {
  const store = newStore();
  const manifest = putBackup(store, '2026-11-21T03:00:00Z');
  for (let n = 0; n < 200_000; n++) store.overwrite(`orders/${manifest.id}/x/${n}`, Buffer.of(), at(now));
  expect(bad(await verify(store))).toEqual([]);
});

it.each([
  'orders/../../etc/passwd',
  'orders/20261121T030000Z-../manifest.json',
  'orders/20261321T030000Z-abcdef/manifest.json',
  '../manifest.json',
  'Orders/20261121T030000Z-abcdef/manifest.json',
  'orders\n::error::/20261121T030000Z-abcdef/manifest.json',
])('does not take %j for a backup', async (key) => {
  const store = newStore();
  putBackup(store, '2026-11-21T03:00:00Z');
  store.overwrite(key, Buffer.from('{}'), at(now));
  const report = await verify(store, { source: '*' });
  expect(bad(report)).toEqual([]);
  expect(report.title).toBe('Freshness of orders');
});

it('cleans up after its own process, also beside a mark that nobody can read', async () => {
  const store = newStore();
  const maker = { host: 'runner', pid: 42, startedAt: new Date(at(now).getTime() - HOUR_MS) };
  const forged = [Buffer.from('{"format":2}'), Buffer.alloc(17 << 20, ' '), Buffer.from('[[[')];
  for (const [n, bytes] of forged.entries()) {
    store.overwrite(backupKey('orders', idAt(at(now), n), IN_PROGRESS), bytes, at(now));
  }
  const mine = idAt(at(now), 'mine');
  const record = { format: 1, id: mine, source: 'orders', startedAt: now, host: 'runner', pid: 42 };
  store.overwrite(backupKey('orders', mine, IN_PROGRESS), Buffer.from(JSON.stringify(record)), at(now));
  expect(await removeUnfinished(store, 'orders', maker)).toHaveLength(1);
  expect(await keysOf(store)).toHaveLength(forged.length);
});

it('reads no manifest that is larger than any it writes', async () => {
  const store = newStore();
  const { id } = putBackup(store, '2026-11-21T03:00:00Z');
  store.overwrite(backupKey('orders', id, MANIFEST), Buffer.alloc(17 << 20, ' '), at(now));
  const before = store.calls.get;
  await expect(readManifestOf(store, 'orders', id)).rejects.toThrow('its 17825792 bytes are no record');
  expect(store.calls.get).toBe(before);
});
