/**
 * The closed list of metrics: what each one measures, and its labels. Names are a promise to dashboards and
 * alerts: one that is there is never used for something else. All are gauges. docs/METRICS.md shows this list.
 */
export const metrics = {
  lifeboat_last_run_timestamp_seconds: {
    help: 'When an action last came to its end, whatever it found; Unix time.',
    labels: ['action', 'source'],
  },
  lifeboat_last_success_timestamp_seconds: {
    help: 'When an action last ended with the verdict pass or warn; Unix time.',
    labels: ['action', 'source'],
  },
  lifeboat_verdict: {
    help: 'Verdict of the last run of an action: 1 for the one that holds, 0 for the other three.',
    labels: ['action', 'source', 'verdict'],
  },
  lifeboat_store_seen_timestamp_seconds: {
    help: 'When an action last read or wrote backups of this source in this store; Unix time.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_taken_timestamp_seconds: {
    help: 'Moment of the snapshot of the newest backup; Unix time. What would be lost is counted from here.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_age_seconds: {
    help: 'Age of the newest backup when it was last looked at; stands still when runs stop, so alert on the timestamp.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_bytes: {
    help: 'Size of the newest backup as it is stored.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_plain_bytes: {
    help: 'Size of the newest backup before compression and encryption.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_size_ratio: {
    help: 'Size of the newest backup divided by the median of the ten before it.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_duration_seconds: {
    help: 'How long the newest backup took, from the snapshot to the manifest.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_rows: {
    help: 'Rows in the newest backup; absent when it was made without facts.',
    labels: ['source', 'store'],
  },
  lifeboat_backups: {
    help: 'Number of complete backups kept. Counted by prune, and by verify-freshness where it had to look at all.',
    labels: ['source', 'store'],
  },
  lifeboat_backup_oldest_timestamp_seconds: {
    help: 'Moment of the snapshot of the oldest backup kept; Unix time. Counted as lifeboat_backups is.',
    labels: ['source', 'store'],
  },
  lifeboat_backups_stored_bytes: {
    help: 'Size of all backups kept, records included; measured by prune.',
    labels: ['source', 'store'],
  },
  lifeboat_drill_timestamp_seconds: {
    help: 'When the last conclusive drill of a copy in this store began; Unix time.',
    labels: ['source', 'store'],
  },
  lifeboat_drill_age_seconds: {
    help: 'Age of the last conclusive drill when it was last looked at; stands still when runs stop, so alert on the timestamp.',
    labels: ['source', 'store'],
  },
  lifeboat_drill_restore_seconds: {
    help: 'How long the restore of the last conclusive drill took, until the database could be queried.',
    labels: ['source', 'store'],
  },
  lifeboat_drill_proof: {
    help: 'What the last conclusive drill says of the backup: 1 for the proof that holds, 0 for the other.',
    labels: ['source', 'store', 'proof'],
  },
  lifeboat_prune_removed_backups: {
    help: 'Backups that the last prune removed.',
    labels: ['source', 'store'],
  },
  lifeboat_prune_freed_bytes: {
    help: 'Bytes that the last prune freed.',
    labels: ['source', 'store'],
  },
  lifeboat_store_free_bytes: {
    help: 'Free room of the file system of a local store.',
    labels: ['store'],
  },
  lifeboat_store_total_bytes: {
    help: 'Size of the file system of a local store.',
    labels: ['store'],
  },
} as const satisfies Record<string, { readonly help: string; readonly labels: readonly string[] }>;

export type MetricName = keyof typeof metrics;

/** One value of one metric. A name that is not in the list comes from the file of a newer version. */
export interface Sample<Name extends string = MetricName> {
  readonly name: Name;
  /** A label that is empty is none, as in Prometheus. */
  readonly labels: Readonly<Record<string, string>>;
  /** Null: known to be no more. */
  readonly value: number | null;
}

/** Unix time in seconds, to the second. */
export function unixSeconds(moment: Date | string): number {
  return Math.floor(new Date(moment).getTime() / 1000);
}

/** Samples with the same labels. What has no value is left out: nothing is known of it, and the last known value stays. */
export function samplesOf(
  labels: Sample['labels'],
  values: Readonly<Partial<Record<MetricName, number | null | undefined>>>,
): Sample[] {
  return (Object.entries(values) as [MetricName, number | null | undefined][]).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, labels, value }],
  );
}

/** One sample for each word: 1 for the one that holds. */
export function wordSamples(
  name: MetricName,
  labels: Sample['labels'],
  [label, words, holds]: readonly [label: string, words: readonly string[], holds: string],
): Sample[] {
  return words.map((word) => ({ name, labels: { ...labels, [label]: word }, value: word === holds ? 1 : 0 }));
}
