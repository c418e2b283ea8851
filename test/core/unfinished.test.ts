import { expect, it } from 'vitest';
import { backupKey, IN_PROGRESS } from '../../src/core/keys.ts';
import { removeUnfinished } from '../../src/core/unfinished.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, idAt, keysOf, putBackup } from '../fixtures.ts';

const maker = { host: 'runner-1', pid: 4711, startedAt: at('2026-11-21T03:15:00Z') };

/** A backup in the making, as the process `by` leaves it when it is killed. */
function putUnfinished(store: MemoryStore, moment: string, by = maker, source = 'orders'): string {
  const id = idAt(moment);
  putBackup(store, moment, { source, id, withoutManifest: true });
  const record = {
    format: 1,
    id,
    source,
    startedAt: by.startedAt.toISOString().replace('.000', ''),
    host: by.host,
    pid: by.pid,
  };
  store.overwrite(backupKey(source, id, IN_PROGRESS), Buffer.from(JSON.stringify(record)));
  store.leaveUpload(backupKey(source, id, 'globals.sql.zst'), by.startedAt);
  return id;
}

it('removes keys and open uploads of the very process that was killed, and says so', async () => {
  const store = memoryStore();
  const id = putUnfinished(store, '2026-11-21T03:15:10Z');
  expect(await removeUnfinished(store, 'orders', maker)).toEqual([
    `Removed the unfinished backup orders/${id} from memory:.`,
  ]);
  expect(await keysOf(store)).toEqual([]);
  expect(await Array.fromAsync(store.openUploads(''))).toEqual([]);
});

it.each([
  ['of another host', { ...maker, host: 'runner-2' }],
  ['of another process', { ...maker, pid: 4712 }],
  ['of an earlier process with the same id', { ...maker, startedAt: at('2026-11-21T03:05:00Z') }],
])('leaves a backup in the making %s alone', async (_, other) => {
  const store = memoryStore();
  putUnfinished(store, '2026-11-21T03:15:10Z', other);
  const before = await keysOf(store);
  expect(await removeUnfinished(store, 'orders', maker)).toEqual([]);
  expect(await keysOf(store)).toEqual(before);
});

it('leaves alone what has a manifest, what names no maker, and other sources', async () => {
  const store = memoryStore();
  const { id } = putBackup(store, '2026-11-21T03:15:10Z');
  const record = {
    format: 1,
    id,
    source: 'orders',
    startedAt: '2026-11-21T03:15:00Z',
    host: maker.host,
    pid: maker.pid,
  };
  store.overwrite(backupKey('orders', id, IN_PROGRESS), Buffer.from(JSON.stringify(record)));
  putBackup(store, '2026-11-21T03:15:11Z', { withoutManifest: true });
  putUnfinished(store, '2026-11-21T03:15:10Z', maker, 'orders-wallets');
  const before = await keysOf(store);
  expect(await removeUnfinished(store, 'orders', maker)).toEqual([]);
  expect(await keysOf(store)).toEqual(before);
});

it('says what stays when an object is locked, and leaves the mark with it', async () => {
  const store = memoryStore();
  const id = putUnfinished(store, '2026-11-21T03:15:10Z');
  store.lock(backupKey('orders', id, 'database.dump.zst'), at('2027-01-01T00:00:00Z'));
  expect(await removeUnfinished(store, 'orders', maker)).toEqual([
    expect.stringMatching(`Of the unfinished backup orders/${id}, 1 objects are still in memory:`),
  ]);
  expect(await keysOf(store)).toEqual([
    backupKey('orders', id, 'database.dump.zst'),
    backupKey('orders', id, IN_PROGRESS),
  ]);
});
