import { describe, expect, it } from 'vitest';
import { copy } from '../../src/commands/copy.ts';
import { readCatalog } from '../../src/core/catalog.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Manifest } from '../../src/core/manifest.ts';
import { proofOfCopy } from '../../src/core/proof.ts';
import { pinKey } from '../../src/core/record-keys.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, idAt, keysOf, putBackup, putDrill } from '../fixtures.ts';

const now = '2026-11-21T12:00:00Z';
const here = 'file:///backups';
const there = 's3://backups';

function twoStores(): { from: MemoryStore; to: MemoryStore } {
  const options = { now: () => at(now) };
  return { from: memoryStore({ ...options, location: here }), to: memoryStore({ ...options, location: there }) };
}

function copied({ from, to }: { from: MemoryStore; to: MemoryStore }, raw: Record<string, string>) {
  const stores = { [here]: from, [there]: to };
  return copy({ source: 'orders', from: here, to: there, ...raw }, fakeWorld(stores, now));
}

async function bytesOf(store: MemoryStore, key: string): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(await store.get(key)));
}

const key = ({ source, id }: Manifest, name: string) => `${source}/${id}/${name}`;
const dump = 'database.dump.zst';

describe('copy', () => {
  it('makes a backup whole elsewhere, byte for byte, its records included', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20', { bytes: 300_000 });
    await putDrill(stores.from, manifest, '2026-11-20T05:00:00Z');
    stores.from.overwrite(pinKey('orders', manifest.id, null), Buffer.from('{"reason":"move"}'));
    const report = await copied(stores, { backup: manifest.id });
    expect(report.verdict).toBe('pass');
    expect(await keysOf(stores.to)).toEqual(await keysOf(stores.from));
    for (const one of await keysOf(stores.from))
      expect((await bytesOf(stores.to, one)).equals(await bytesOf(stores.from, one)), one).toBe(true);
  });

  it('makes nothing visible when the bytes are not those of the manifest', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    stores.from.overwrite(key(manifest, dump), Buffer.alloc(1_000, 'x'));
    const copying = copied(stores, { backup: manifest.id });
    await expect(copying).rejects.toMatchObject({ code: 'artifact-corrupt' });
    expect(await keysOf(stores.to)).toEqual([key(manifest, 'in-progress.json')]);
  });

  it('writes no manifest when an artifact is gone again before it', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    await putDrill(stores.from, manifest, '2026-11-20T05:00:00Z');
    // Somebody else deletes what was sent a moment ago: records are copied between artifacts and manifest.
    const { put } = stores.to;
    stores.to.put = async (name, body, options) => {
      if (name.includes('/drills/')) await stores.to.remove([key(manifest, dump)]);
      return put.call(stores.to, name, body, options);
    };
    const copying = copied(stores, { backup: manifest.id });
    await expect(copying).rejects.toMatchObject({
      code: 'artifact-corrupt',
      message: expect.stringContaining('is not what was stored a moment ago'),
    });
    expect(await keysOf(stores.to)).not.toContain(key(manifest, 'manifest.json'));
  });

  it('does not send again what is there with the right bytes', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    stores.to.overwrite(key(manifest, dump), await bytesOf(stores.from, key(manifest, dump)));
    stores.from.overwrite(key(manifest, dump), Buffer.alloc(1_000, 'never read'));
    const report = await copied(stores, { backup: manifest.id });
    expect(report.verdict).toBe('pass');
    expect(report.tables[0]?.rows[0]).toEqual([dump, '0.98 KiB', 'there already, read back']);
  });

  it.each([
    ['of the same size', Buffer.alloc(1_000, 'x')],
    ['of another size', Buffer.alloc(7, 'x')],
  ])('refuses an artifact that is there with other bytes %s, and leaves it', async (_, wrong) => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    stores.to.overwrite(key(manifest, dump), wrong);
    const copying = copied(stores, { backup: manifest.id });
    await expect(copying).rejects.toMatchObject({
      code: 'artifact-corrupt',
      hint: expect.stringContaining('remove that one object by hand'),
    });
    expect(await bytesOf(stores.to, key(manifest, dump))).toEqual(wrong);
    expect(await keysOf(stores.to)).not.toContain(key(manifest, 'manifest.json'));
  });

  it('brings back an artifact that a backup has lost', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    putBackup(stores.to, '2026-11-20');
    await stores.to.remove([key(manifest, dump)]);
    expect((await copied(stores, { backup: manifest.id })).verdict).toBe('pass');
    expect(await keysOf(stores.to)).toEqual([key(manifest, dump), key(manifest, 'manifest.json')]);
  });

  it('refuses where another manifest lies, and changes neither', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    stores.to.overwrite(key(manifest, 'manifest.json'), Buffer.from('{}'));
    await expect(copied(stores, { backup: manifest.id })).rejects.toMatchObject({ code: 'artifact-corrupt' });
    expect(await keysOf(stores.to)).toEqual([key(manifest, 'manifest.json')]);
  });

  it('takes up a copy that was killed, and waits for a backup that is still written', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    const { id, source } = manifest;
    const mark = { format: 1, id, source, startedAt: '2026-11-21T11:59:00Z', host: 'other', pid: 1 };
    stores.to.overwrite(key(manifest, 'in-progress.json'), Buffer.from(JSON.stringify(mark)));
    await expect(copied(stores, { backup: id })).rejects.toMatchObject({ code: 'source-busy' });
    const ofCopy = JSON.stringify({ ...mark, copyFrom: here });
    stores.to.overwrite(key(manifest, 'in-progress.json'), Buffer.from(ofCopy));
    expect((await copied(stores, { backup: id })).verdict).toBe('pass');
    expect(await keysOf(stores.to)).not.toContain(key(manifest, 'in-progress.json'));
  });

  it('does not bring back what a removal is at work on', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    stores.to.overwrite(key(manifest, 'removing.json'), Buffer.from('{}'));
    await expect(copied(stores, { backup: manifest.id })).rejects.toMatchObject({ code: 'source-busy' });
  });

  it('copies all that is missing, newest first, and what one lacks keeps none of the others', async () => {
    const stores = twoStores();
    const [old, damaged, newest] = ['2026-11-18', '2026-11-19', '2026-11-20'].map((day) => putBackup(stores.from, day));
    putBackup(stores.to, '2026-11-17');
    if (damaged !== undefined) stores.from.overwrite(key(damaged, dump), Buffer.alloc(1_000, 'x'));
    const report = await copied(stores, { 'all-missing': 'true' });
    expect(report.verdict).toBe('fail');
    expect(report.findings.map(({ status, message }) => [status, /\d{8}T\d+Z-\w+/.exec(message)?.[0]])).toEqual([
      ['pass', newest?.id],
      ['fail', damaged?.id],
      ['pass', old?.id],
    ]);
    // Deletions are never mirrored: what only `to` holds stays.
    expect(await keysOf(stores.to)).toContain(`orders/${idAt('2026-11-17')}/manifest.json`);
  });

  it('gives up when the store is full, and says how many were not tried', async () => {
    const stores = twoStores();
    for (const day of ['2026-11-18', '2026-11-19']) putBackup(stores.from, day);
    stores.to.setFreeSpace({ freeBytes: 10, totalBytes: 1_000 });
    const report = await copied(stores, { 'all-missing': 'true' });
    expect(report.findings.map(({ message }) => message)).toEqual([
      expect.stringContaining('does not fit into s3://backups: 0.98 KiB are needed, 10 B are free'),
      'orders: 1 backup more was not tried.',
    ]);
  });

  it('takes one of `backup` and `all-missing`, and two places', async () => {
    const stores = twoStores();
    await expect(copied(stores, {})).rejects.toBeInstanceOf(Failure);
    await expect(copied(stores, { backup: 'latest', 'all-missing': 'true' })).rejects.toBeInstanceOf(Failure);
    await expect(copied(stores, { backup: 'latest', to: here })).rejects.toThrow('the same place');
  });
});

describe('the source of a copy', () => {
  function copiedAlone({ from, to }: ReturnType<typeof twoStores>, raw: Record<string, string>) {
    return copy({ from: here, to: there, ...raw }, fakeWorld({ [here]: from, [there]: to }, now));
  }

  it('is found by the id alone, among several', async () => {
    const stores = twoStores();
    putBackup(stores.from, '2026-11-19', { source: 'wallets' });
    const { id } = putBackup(stores.from, '2026-11-20');
    expect(await copiedAlone(stores, { backup: id })).toMatchObject({ verdict: 'pass', sources: ['orders'] });
    expect(await keysOf(stores.to)).toContain(`orders/${id}/manifest.json`);
  });

  it('is asked for where the id is that of two backups', async () => {
    const stores = twoStores();
    const { id } = putBackup(stores.from, '2026-11-20');
    putBackup(stores.from, '2026-11-20', { source: 'wallets' });
    await expect(copiedAlone(stores, { backup: id })).rejects.toMatchObject({ code: 'invalid-input' });
    expect(await copiedAlone(stores, { backup: id, source: 'wallets' })).toMatchObject({ sources: ['wallets'] });
  });

  it.each([{ backup: 'latest' }, { 'all-missing': 'true' }])('is asked for of several with %o', async (raw) => {
    const stores = twoStores();
    putBackup(stores.from, '2026-11-20');
    expect(await copiedAlone(stores, raw)).toMatchObject({ verdict: 'pass', sources: ['orders'] });
    putBackup(stores.from, '2026-11-20', { source: 'wallets' });
    await expect(copiedAlone(stores, raw)).rejects.toMatchObject({
      hint: 'Say of which source: there are orders, wallets.',
    });
  });

  it('is of no backup that `from` does not hold', async () => {
    const copying = copiedAlone(twoStores(), { backup: idAt('2026-11-20') });
    await expect(copying).rejects.toMatchObject({ code: 'backup-not-found' });
  });
});

describe('what a drill says of a copy', () => {
  async function proofThere({ to }: { to: MemoryStore }) {
    const [backup] = await readCatalog(to, 'orders');
    return backup && (await proofOfCopy(to, backup))?.proof;
  }

  it('proves nothing of a copy that came later', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    await putDrill(stores.from, manifest, '2026-11-20T05:00:00Z');
    await copied(stores, { backup: manifest.id });
    expect(await proofThere(stores)).toBeUndefined();
  });

  it('holds for a store that it read before, since what was sent is read back', async () => {
    const stores = twoStores();
    const manifest = putBackup(stores.from, '2026-11-20');
    await putDrill(stores.from, manifest, '2026-11-20T05:00:00Z', { alsoRead: [there] });
    const before = stores.to.calls.get;
    await copied(stores, { backup: manifest.id });
    expect(await proofThere(stores)).toBe('proven');
    expect(stores.to.calls.get - before, 'artifact read back, then the records for the proof').toBe(3);
  });
});
