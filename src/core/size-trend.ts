import type { CatalogBackup } from './catalog.ts';
import type { Trend } from './report.ts';

/** As many points as a chart in a summary can still be read with. */
const MOST_POINTS = 20;

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** The size of the last backups, oldest first, in the unit that fits the largest. */
export function sizeTrend(title: string, backups: readonly Pick<CatalogBackup, 'takenAt' | 'bytes'>[]): Trend {
  const shown = backups.slice(-MOST_POINTS);
  const largest = Math.max(0, ...shown.map(({ bytes }) => bytes));
  const power = Math.min(Math.floor(Math.log2(Math.max(largest, 1)) / 10), units.length - 1);
  const points = shown.map(({ takenAt, bytes }) => ({
    label: takenAt.toISOString().slice(0, 16).replace('T', ' '),
    value: Number((bytes / 1024 ** power).toPrecision(4)),
  }));
  return { title, unit: units[power] ?? 'B', points };
}
