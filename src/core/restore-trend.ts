import { type CatalogBackup, conclusiveDrill } from './catalog.ts';
import type { Store } from './ports.ts';
import { readDrill } from './proof.ts';
import type { Trend } from './report.ts';

/** One restore of a curve. */
export interface RestoreTime {
  readonly at: Date;
  readonly seconds: number;
}

/**
 * How long the last drills took to restore, oldest first; one record is read for each.
 *
 * @param most so many of the backups that were drilled
 */
export async function readRestoreTimes(
  store: Store,
  catalog: readonly CatalogBackup[],
  most: number,
): Promise<RestoreTime[]> {
  const marks = catalog.flatMap((backup) => {
    const mark = conclusiveDrill(backup);
    return mark === undefined ? [] : [{ backup, mark }];
  });
  const latest = marks.toSorted((a, b) => a.mark.startedAt.getTime() - b.mark.startedAt.getTime()).slice(-most);
  const times: RestoreTime[] = [];
  for (const { backup, mark } of latest) {
    // A curve is no reason to fail: what cannot be read is not drawn.
    const record = await readDrill(store, backup, mark).catch(() => undefined);
    if (record?.restoreSeconds != null) times.push({ at: mark.startedAt, seconds: record.restoreSeconds });
  }
  return times;
}

/** Nothing for a single one: it shows no trend. */
export function restoreTrend(times: readonly RestoreTime[]): Trend[] {
  if (times.length < 2) return [];
  const points = times.map(({ at, seconds }) => ({
    label: at.toISOString().slice(0, 16).replace('T', ' '),
    value: Number(seconds.toPrecision(4)),
  }));
  return [{ title: 'Restore time of the last drills', unit: 's', points }];
}
