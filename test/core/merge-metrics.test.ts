import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeSamples, STORE_FORGOTTEN_DAYS } from '../../src/core/merge-metrics.ts';
import { type MetricName, type Sample, unixSeconds } from '../../src/core/metrics.ts';
import { at } from '../fixtures.ts';

const now = at('2026-11-21T12:00:00Z');
const store = 'file:///srv/backups';

function sample(name: MetricName, labels: Sample['labels'], value: number | null): Sample {
  return { name, labels, value };
}

const bytes = (source: string, value: number | null, where = store) =>
  sample('lifeboat_backup_bytes', { source, store: where }, value);
const seen = (daysAgo: number, where: string) =>
  sample(
    'lifeboat_store_seen_timestamp_seconds',
    { source: 'orders', store: where },
    unixSeconds(now) - daysAgo * 86_400,
  );

describe('merging what a run measured into what is kept', () => {
  it('replaces a series, whatever the order of its labels, and leaves every other', () => {
    const kept = [bytes('orders', 1), bytes('ledger', 2)];
    const fresh = [sample('lifeboat_backup_bytes', { store, source: 'orders' }, 5)];
    expect(mergeSamples(kept, fresh, now).map(({ value }) => value)).toEqual([5, 2]);
  });

  it('takes an empty label for none, as Prometheus does', () => {
    const kept = [sample('lifeboat_last_run_timestamp_seconds', { action: 'prune' }, 1)];
    const fresh = [sample('lifeboat_last_run_timestamp_seconds', { action: 'prune', source: '' }, 2)];
    expect(mergeSamples(kept, fresh, now)).toEqual(fresh);
  });

  it('drops what is known to be no more', () => {
    expect(mergeSamples([bytes('orders', 1), bytes('ledger', 2)], [bytes('orders', null)], now)).toEqual([
      bytes('ledger', 2),
    ]);
  });

  it('forgets a store that nobody named for long, with its room, and no other', () => {
    const old = 's3://old';
    const room = (where: string) => sample('lifeboat_store_free_bytes', { store: where }, 7);
    const kept = [seen(STORE_FORGOTTEN_DAYS + 1, old), bytes('orders', 1, old), room(old), seen(1, store), room(store)];
    expect(mergeSamples(kept, [bytes('orders', 2)], now)).toEqual([seen(1, store), room(store), bytes('orders', 2)]);
  });

  it('keeps a store that another step looked at within that time, and the room of one that another source uses', () => {
    const other = 's3://other';
    const room = sample('lifeboat_store_free_bytes', { store: other }, 7);
    const recent = [seen(STORE_FORGOTTEN_DAYS - 1, other), bytes('orders', 1, other), room];
    expect(mergeSamples(recent, [], now)).toEqual(recent);
    const shared = [seen(STORE_FORGOTTEN_DAYS + 1, other), bytes('ledger', 1, other), room];
    expect(mergeSamples(shared, [], now)).toEqual([bytes('ledger', 1, other), room]);
  });

  it('loses nothing and doubles nothing, whatever comes after what', () => {
    const labels = fc.record({ source: fc.constantFrom('a', 'b', 'c'), store: fc.constantFrom('x', 'y') });
    const any = fc.array(labels.map((of) => bytes(of.source, 1, of.store)));
    fc.assert(
      fc.property(any, any, (kept, fresh) => {
        const keys = (samples: readonly Sample[]) => samples.map(({ labels: of }) => `${of.source} ${of.store}`);
        const merged = keys(mergeSamples(kept, fresh, now));
        expect(merged.toSorted()).toEqual([...new Set([...keys(kept), ...keys(fresh)])].toSorted());
      }),
    );
  });
});
