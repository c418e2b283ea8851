import { expect, it } from 'vitest';
import { planArchive } from '../../src/core/prune-archive.ts';
import { planStore } from '../../src/core/prune-plan.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { at, putBackup, putDrill } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');
const DAY_MS = 86_400_000;

it('leaves locked backups where they are, and the newest and the newest proven', async () => {
  const store = memoryStore({ now: () => now });
  const days = ['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01', '2026-05-01', '2026-06-01'];
  const [old, held, locked, over, proven, newest] = days.map((day) => putBackup(store, day));
  const lock = (manifest = old, until: Date | null = null) => store.lock(`orders/${manifest?.id}/manifest.json`, until);
  lock(held, null);
  lock(locked, at('2027-01-01T00:00:00Z'));
  lock(over, at('2026-06-01T00:00:00Z'));
  if (proven !== undefined) await putDrill(store, proven, '2026-05-02T00:00:00Z');
  const plan = await planStore(store, 'orders', { last: 10, timeZone: 'UTC' }, now);
  const archive = await planArchive(store, plan, { afterMs: 30 * DAY_MS, storageClass: 'GLACIER' }, now);
  expect(archive.moves.map(({ id }) => id)).toEqual([old?.id, over?.id]);
  expect(archive.locked).toEqual([held?.id, locked?.id]);
  expect([...plan.plan.keep.keys()].map(({ id }) => id)).toContain(newest?.id);
});
