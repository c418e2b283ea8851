import type { Manifest } from './manifest.ts';
import { type MetricName, metrics, type Sample, samplesOf, unixSeconds, wordSamples } from './metrics.ts';
import type { DrillRecord } from './records.ts';
import { median, SIZE_HISTORY } from './size-judgement.ts';

/** What a drill that found something out can say. */
export const CONCLUSIVE = ['proven', 'disproven'] as const;

/** One source in one store. */
export interface Copy {
  readonly source: string;
  readonly store: string;
}

/** The newest backup of a copy, as its manifest tells. */
export function backupSamples(copy: Copy, manifest: Manifest, history: readonly number[], now: Date): Sample[] {
  const bytes = manifest.artifacts.reduce((sum, one) => sum + one.bytes, 0);
  const plain = manifest.artifacts.map(({ plainBytes }) => plainBytes);
  const usual = median(history.slice(-SIZE_HISTORY));
  return samplesOf(labelsOf(copy), {
    lifeboat_store_seen_timestamp_seconds: unixSeconds(now),
    lifeboat_backup_taken_timestamp_seconds: unixSeconds(manifest.takenAt),
    lifeboat_backup_age_seconds: unixSeconds(now) - unixSeconds(manifest.takenAt),
    lifeboat_backup_bytes: bytes,
    lifeboat_backup_plain_bytes: plain.reduce<number | null>((sum, one) => plus(sum, one), 0),
    // Null, too, where there is nothing to compare with: the number of another backup would be wrong.
    lifeboat_backup_size_ratio: usual === undefined || usual === 0 ? null : bytes / usual,
    lifeboat_backup_duration_seconds: manifest.durationSeconds,
    lifeboat_backup_rows: manifest.totals.rows,
  });
}

function plus(sum: number | null, bytes: number | undefined): number | null {
  return sum === null || bytes === undefined ? null : sum + bytes;
}

/** How many backups a copy keeps, and since when. */
export function countSamples(copy: Copy, moments: readonly Date[], now: Date): Sample[] {
  const oldest = moments.toSorted((a, b) => a.getTime() - b.getTime())[0];
  return samplesOf(labelsOf(copy), {
    lifeboat_store_seen_timestamp_seconds: unixSeconds(now),
    lifeboat_backups: moments.length,
    lifeboat_backup_oldest_timestamp_seconds: oldest === undefined ? null : unixSeconds(oldest),
  });
}

/** The last conclusive drill of a copy. */
export function drillSamples(
  copy: Copy,
  drill: Pick<DrillRecord, 'proof' | 'restoreSeconds'> & { readonly startedAt: Date },
  now: Date,
): Sample[] {
  const labels = labelsOf(copy);
  return [
    ...samplesOf(labels, {
      lifeboat_store_seen_timestamp_seconds: unixSeconds(now),
      lifeboat_drill_timestamp_seconds: unixSeconds(drill.startedAt),
      lifeboat_drill_age_seconds: unixSeconds(now) - unixSeconds(drill.startedAt),
      // Null: of a drill that could not restore.
      lifeboat_drill_restore_seconds: drill.restoreSeconds,
    }),
    ...wordSamples('lifeboat_drill_proof', labels, ['proof', CONCLUSIVE, drill.proof]),
  ];
}

/** A copy of which a store that was read holds nothing: its last numbers would speak of what is gone. */
export function emptySamples(copy: Copy, now: Date): Sample[] {
  const ofCopies = (Object.keys(metrics) as MetricName[]).filter((name) => /^lifeboat_(backups?|drill)_/.test(name));
  const gone = ofCopies.flatMap((name): Sample[] =>
    name === 'lifeboat_drill_proof'
      ? CONCLUSIVE.map((proof) => ({ name, labels: { ...labelsOf(copy), proof }, value: null }))
      : [{ name, labels: labelsOf(copy), value: null }],
  );
  return [...gone, ...countSamples(copy, [], now)];
}

function labelsOf({ source, store }: Copy): Sample['labels'] {
  return { source, store };
}
