import { expect, it } from 'vitest';
import type { Manifest } from '../../src/core/manifest.ts';
import { finding, report } from '../../src/core/report.ts';
import { confirmSafetyBackup } from '../../src/core/restore-safety.ts';
import { type MemoryStore, memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, putBackup } from '../fixtures.ts';

const now = '2026-11-21T12:00:00Z';
const source = 'orders-before-restore';
const dump = 'database.dump.zst';

function storesWith(...locations: string[]): { stores: MemoryStore[]; manifest: Manifest } {
  const stores = locations.map((location) => memoryStore({ location, now: () => at(now) }));
  const [manifest] = stores.map((store) => putBackup(store, '2026-11-21T11:59:00Z', { source }));
  if (manifest === undefined) throw new Error('There is no store.');
  return { stores, manifest };
}

/** The report of a backup that went well, as far as it could tell. */
function confirmed(stores: readonly MemoryStore[], { id }: Manifest) {
  const told = report('Backup', [finding('store-copy', 'pass', 'Done.')], { outputs: { 'backup-id': id } });
  return confirmSafetyBackup(source, told, stores, fakeWorld({}, now));
}

const spoil = (store: MemoryStore | undefined, { id }: Manifest) =>
  store?.overwrite(`${source}/${id}/${dump}`, Buffer.alloc(1_000, 'x'));

it('names where the backup of a target is whole, and what is damaged elsewhere', async () => {
  const { stores, manifest } = storesWith('s3://one', 's3://two');
  spoil(stores[0], manifest);
  const { findings } = await confirmed(stores, manifest);
  expect(findings).toMatchObject([
    {
      rule: 'safety-backup',
      status: 'pass',
      message: expect.stringContaining('read back from s3://two and is pinned'),
    },
    { rule: 'safety-backup', status: 'warn', subject: 's3://one', message: expect.stringContaining(dump) },
  ]);
});

it.each([
  ['damaged', spoil],
  ['without its artifact', (store: MemoryStore, { id }: Manifest) => store.remove([`${source}/${id}/${dump}`])],
  ['without a manifest', (store: MemoryStore, { id }: Manifest) => store.remove([`${source}/${id}/manifest.json`])],
])('ends a restore whose backup of the target is %s in every store', async (_, harm) => {
  const { stores, manifest } = storesWith('s3://one', 's3://two');
  for (const store of stores) await harm(store, manifest);
  await expect(confirmed(stores, manifest)).rejects.toMatchObject({
    code: 'restore-failed',
    message: expect.stringContaining('is whole in no store'),
    hint: expect.stringContaining('Nothing of the target was changed'),
  });
});
