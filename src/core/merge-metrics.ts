import { type Sample, unixSeconds } from './metrics.ts';

/**
 * After so long without a run that named a store for a source, its numbers go. Long, since whoever watches a store
 * once a month must not lose its alert in between.
 */
export const STORE_FORGOTTEN_DAYS = 35;

/**
 * What a file that several actions share holds after a run: what the run did not measure stays as it was, what it
 * measured is replaced, and what it knows to be no more goes.
 */
export function mergeSamples<Name extends string>(
  kept: readonly Sample<Name>[],
  fresh: readonly Sample<Name>[],
  now: Date,
): Sample<Name>[] {
  const merged = new Map([...kept, ...fresh].map((sample) => [seriesOf(sample), sample]));
  const known = [...merged.values()].filter(({ value }) => value !== null);
  return withoutForgotten(known, new Set(fresh.map(seriesOf)), now);
}

/** Name and labels, whatever their order. */
function seriesOf({ name, labels }: Sample<string>): string {
  const given = Object.entries(labels).filter(([, value]) => value !== '');
  return JSON.stringify([name, given.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Drops copies that nobody saw for long, and then the room of stores that hold no copy any more. */
function withoutForgotten<Name extends string>(
  samples: readonly Sample<Name>[],
  fresh: ReadonlySet<string>,
  now: Date,
): Sample<Name>[] {
  const since = unixSeconds(now) - STORE_FORGOTTEN_DAYS * 86_400;
  const copyOf = ({ labels: { source, store } }: Sample<Name>) => JSON.stringify([source, store]);
  const forgotten = samples.filter(
    ({ name, value }) => name === 'lifeboat_store_seen_timestamp_seconds' && (value ?? 0) < since,
  );
  const copies = new Set(forgotten.map(copyOf));
  const left = samples.filter((sample) => fresh.has(seriesOf(sample)) || !copies.has(copyOf(sample)));
  const gone = new Set(forgotten.map(({ labels }) => labels.store));
  for (const { labels } of left) if (labels.source !== undefined) gone.delete(labels.store);
  return left.filter((sample) => fresh.has(seriesOf(sample)) || !gone.has(sample.labels.store));
}
