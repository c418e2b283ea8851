import { describe, expect, it } from 'vitest';
import { chooseBackup } from '../../src/core/backup-choice.ts';
import { readCatalog } from '../../src/core/catalog.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Manifest } from '../../src/core/manifest.ts';
import { readManifestOf, sha256Of } from '../../src/core/manifest-reading.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, idAt, putBackup, putDrill } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');
const tooSmall: Manifest['findings'] = [{ rule: 'size-deviation', status: 'fail', message: 'too small' }];

async function chosen(store: MemoryStore, wanted: string, rest: { skipDisproven?: boolean; random?: number } = {}) {
  const catalog = await readCatalog(store, 'orders');
  const { random = 0, ...options } = rest;
  return chooseBackup(store, catalog, wanted, { now, random: () => random, ...options });
}

const dayOf = async (...args: Parameters<typeof chosen>) => (await chosen(...args)).backup.takenAt.getUTCDate();

function storeOf(...days: string[]): MemoryStore {
  const store = memoryStore();
  for (const day of days) putBackup(store, day);
  return store;
}

describe('latest', () => {
  it('is the newest, with its manifest and the SHA-256 of its bytes', async () => {
    const store = storeOf('2026-11-20', '2026-11-21');
    const { backup, manifest, sha256, skipped } = await chosen(store, 'latest');
    expect([backup.id, manifest.id, skipped]).toEqual([idAt('2026-11-21'), idAt('2026-11-21'), []]);
    const chunks: Buffer[] = [];
    for await (const chunk of await store.get(`orders/${backup.id}/manifest.json`)) chunks.push(chunk);
    expect(sha256).toBe(sha256Of(Buffer.concat(chunks)));
  });

  it('passes over what is in the future, unfinished, unreadable or of another scope, and says so', async () => {
    const store = storeOf('2026-11-15', '2026-11-16', '2026-11-17', '2026-11-27');
    putBackup(store, '2026-11-18', { scope: 'tables' });
    putBackup(store, '2026-11-20', { withoutManifest: true });
    store.overwrite(`orders/${putBackup(store, '2026-11-19').id}/manifest.json`, Buffer.from('{'));
    const { backup, skipped } = await chosen(store, 'latest');
    expect(backup.takenAt).toEqual(at('2026-11-17'));
    expect(skipped.map(({ why }) => why)).toEqual([
      'it is dated in the future',
      expect.stringContaining('is not JSON'),
      "its scope is tables, the source's is full",
    ]);
  });

  it('passes over one whose size was judged wrong, unless there is no other', async () => {
    const store = memoryStore();
    putBackup(store, '2026-11-21', { findings: tooSmall });
    expect(await dayOf(store, 'latest')).toBe(21);
    putBackup(store, '2026-11-20');
    expect(await dayOf(store, 'latest')).toBe(20);
  });

  it('passes over a disproven one only when asked to', async () => {
    const store = storeOf('2026-11-20', '2026-11-21');
    await putDrill(store, { source: 'orders', id: idAt('2026-11-21') }, '2026-11-21T06:00:00Z', { proof: 'disproven' });
    expect(await dayOf(store, 'latest')).toBe(21);
    expect(await dayOf(store, 'latest', { skipDisproven: true })).toBe(20);
  });

  it('is not an older one when the store cannot be read', async () => {
    const store = storeOf('2026-11-20', '2026-11-21');
    const catalog = await readCatalog(store, 'orders');
    store.failWith(new Failure('store-unavailable', 'The network is down.'));
    const choice = chooseBackup(store, catalog, 'latest', { now, random: () => 0 });
    await expect(choice).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('says why when there is none', async () => {
    const store = storeOf('2026-12-24');
    await expect(chosen(store, 'latest')).rejects.toThrow(/no usable backup of orders \(.*dated in the future\)/);
  });
});

describe('other choices', () => {
  it('take the oldest, one at random, or the one named', async () => {
    const store = storeOf('2026-11-19', '2026-11-20', '2026-11-21', '2026-12-24');
    expect(await dayOf(store, 'oldest')).toBe(19);
    expect(await dayOf(store, 'random', { random: 2 })).toBe(21);
    expect(await dayOf(store, idAt('2026-11-20'))).toBe(20);
  });

  it('give random numbers below the number of backups that may be drawn', async () => {
    const store = storeOf('2026-11-19', '2026-11-20', '2026-12-24');
    putBackup(store, '2026-11-21', { withoutManifest: true });
    const asked: number[] = [];
    const random = (below: number) => asked.push(below) - 1;
    await chooseBackup(store, await readCatalog(store, 'orders'), 'random', { now, random });
    expect(asked).toEqual([2]);
  });

  it('name what is there when an id is not, and refuse what is no id', async () => {
    const store = storeOf('2026-11-21');
    await expect(chosen(store, idAt('2026-11-20'))).rejects.toMatchObject({
      code: 'backup-not-found',
      hint: `Its newest ones are ${idAt('2026-11-21')}.`,
    });
    await expect(chosen(store, 'newest')).rejects.toMatchObject({ code: 'invalid-input' });
  });
});

describe('reading a manifest', () => {
  it('refuses one of 100 MB without loading it', async () => {
    const store = storeOf('2026-11-21');
    const key = `orders/${idAt('2026-11-21')}/manifest.json`;
    store.overwrite(key, Buffer.alloc(100_000_000, '{'));
    await expect(readManifestOf(store, 'orders', idAt('2026-11-21'))).rejects.toMatchObject({ code: 'backup-invalid' });
    expect(store.calls.get).toBe(0);
  });

  it('tells a missing one from a bad one', async () => {
    await expect(readManifestOf(memoryStore(), 'orders', idAt('2026-11-21'))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('refuses one that describes another backup', async () => {
    const store = storeOf('2026-11-20');
    const manifest = putBackup(store, '2026-11-21');
    const bytes = await readBytes(store, `orders/${manifest.id}/manifest.json`);
    store.overwrite(`orders/${idAt('2026-11-20')}/manifest.json`, bytes);
    await expect(readManifestOf(store, 'orders', idAt('2026-11-20'))).rejects.toThrow(
      `describes orders/${manifest.id}`,
    );
  });
});

async function readBytes(store: MemoryStore, key: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await store.get(key)));
}
