import { describe, expect, it } from 'vitest';
import { prune } from '../../src/actions/prune.ts';
import { verifyFreshness } from '../../src/actions/verify-freshness.ts';
import { Failure } from '../../src/core/failure.ts';
import type { Store } from '../../src/core/ports.ts';
import type { Report } from '../../src/core/report.ts';
import { memoryStore } from '../../src/stores/memory.ts';
import { at, fakeWorld, idAt, putBackup, putDrill } from '../fixtures.ts';

const now = '2026-11-21T12:00:00Z';
const seconds = (moment: string) => at(moment).getTime() / 1000;
const here = 'file:///backups';

function storeWith(days: readonly number[], location = here) {
  const store = memoryStore({ location, now: () => at(now) });
  for (const day of days) putBackup(store, `2026-11-${day}T03:00:00Z`, { bytes: day === 21 ? 1_500 : 1_000 });
  return store;
}

async function verify(stores: readonly Store[], raw: Record<string, string> = {}): Promise<Report> {
  const urls = Object.fromEntries(stores.map((store) => [store.location, store]));
  return verifyFreshness({ store: Object.keys(urls).join('\n'), source: 'orders', ...raw }, fakeWorld(urls, now));
}

/** By name without its beginning, of one store. */
function numbers({ metrics }: Report, store = here): Record<string, number | null> {
  const own = metrics.filter(({ labels }) => labels.store === store);
  return Object.fromEntries(
    own.map(({ name, labels: { proof }, value }) => [
      `${name.slice('lifeboat_'.length)}${proof ? ` ${proof}` : ''}`,
      value,
    ]),
  );
}

describe('verify-freshness measures', () => {
  it('the newest backup, all there are, and the last drill', async () => {
    const store = storeWith([18, 19, 20, 21]);
    await putDrill(store, { source: 'orders', id: idAt('2026-11-20T03:00:00Z') }, '2026-11-20T05:00:00Z');
    expect(numbers(await verify([store]))).toEqual({
      store_seen_timestamp_seconds: seconds(now),
      backup_taken_timestamp_seconds: seconds('2026-11-21T03:00:00Z'),
      backup_age_seconds: 9 * 3600,
      backup_bytes: 1_500,
      // The fixtures do not say how large it was before compression.
      backup_plain_bytes: null,
      backup_size_ratio: 1.5,
      backup_duration_seconds: 5,
      backup_rows: 30,
      backups: 4,
      backup_oldest_timestamp_seconds: seconds('2026-11-18T03:00:00Z'),
      drill_timestamp_seconds: seconds('2026-11-20T05:00:00Z'),
      drill_age_seconds: 31 * 3600,
      drill_restore_seconds: 12,
      'drill_proof proven': 1,
      'drill_proof disproven': 0,
    });
  });

  it('nothing of a store that could not be read: its last numbers stay', async () => {
    const broken = memoryStore({ location: 's3://broken', now: () => at(now) });
    broken.list = () => {
      throw new Failure('store-denied', 'No.');
    };
    const report = await verify([storeWith([21]), broken]);
    expect(report.verdict).toBe('unknown');
    expect(numbers(report, 's3://broken')).toEqual({});
    expect(numbers(report)).toMatchObject({ backups: 1 });
  });

  it('that nothing is left, so that the numbers of what was there go', async () => {
    const empty = numbers(await verify([storeWith([])]));
    expect(empty).toMatchObject({
      backups: 0,
      backup_bytes: null,
      'drill_proof proven': null,
      drill_age_seconds: null,
    });
  });

  it('no number of backups where it looked at the newest only', async () => {
    const store = memoryStore({ location: here, now: () => at(now) });
    for (let day = 0; day < 60; day += 1)
      putBackup(store, new Date(at('2026-11-21T03:00:00Z').getTime() - day * 86_400_000));
    expect(numbers(await verify([store]))).not.toHaveProperty('backups');
  });
});

describe('prune measures', () => {
  const pruned = async (raw: Record<string, string>) => {
    const given = { store: here, source: 'orders', 'keep-last': '2', 'require-proven': 'false', ...raw };
    return numbers(await prune(given, fakeWorld({ [here]: storeWith([18, 19, 20, 21]) }, now)));
  };

  it('what is left and what went', async () => {
    const left = await pruned({});
    expect(left).toMatchObject({
      backups: 2,
      backup_oldest_timestamp_seconds: seconds('2026-11-20T03:00:00Z'),
      prune_removed_backups: 2,
    });
    expect(left.backups_stored_bytes).toBeGreaterThan(2_500);
    expect(left.prune_freed_bytes).toBeGreaterThan(2_000);
  });

  it('with dry-run, that all are still there, and nothing of a removal', async () => {
    const left = await pruned({ 'dry-run': 'true' });
    expect(left).toMatchObject({ backups: 4, backup_oldest_timestamp_seconds: seconds('2026-11-18T03:00:00Z') });
    expect(left).not.toHaveProperty('prune_removed_backups');
  });
});
