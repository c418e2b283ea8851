import type { CatalogBackup } from './catalog.ts';
import { Failure } from './failure.ts';
import { inLanes } from './lanes.ts';
import { readManifestOf } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import { readDrill } from './proof.ts';
import type { DrillMark } from './record-keys.ts';

const LANES = 8;

/** Backups of one source as one store lists them. */
export interface Copies {
  readonly store: Store;
  readonly backups: readonly CatalogBackup[];
}

/** One value at one moment. */
export interface Reading {
  readonly at: Date;
  readonly value: number;
}

/** A drill of any copy; what its record says is undefined when it was not read or cannot be. */
export interface DrillReading {
  readonly mark: DrillMark;
  readonly backupId: string;
  readonly record:
    | { readonly restoreSeconds: number | null; readonly store: string; readonly alsoRead: readonly string[] }
    | undefined;
}

/** What was read, oldest first, and how many there are that were left out, beside those that cannot be read. */
export interface Readings<T> {
  readonly read: readonly T[];
  readonly notRead: number;
}

/** How long the newest backups took, in seconds, from their manifests. */
export async function readDurations(
  copies: readonly Copies[],
  most: number,
  signal?: AbortSignal,
): Promise<Readings<Reading>> {
  const all = new Map(copies.flatMap(({ store, backups }) => backups.map((backup) => [backup.id, { store, backup }])));
  const newest = [...all.values()].toSorted((a, b) => b.backup.takenAt.getTime() - a.backup.takenAt.getTime());
  const read: Reading[] = [];
  await inLanes(newest.slice(0, most), LANES, async ({ store, backup }) => {
    const found = await orNothing(readManifestOf(store, backup.source, backup.id, signal));
    if (found !== undefined) read.push({ at: backup.takenAt, value: found.manifest.durationSeconds });
  });
  return { read: read.toSorted((a, b) => a.at.getTime() - b.at.getTime()), notRead: all.size - read.length };
}

/** Every drill that the listings tell of; the records of the newest are read. */
export async function readDrills(
  copies: readonly Copies[],
  most: number,
  signal?: AbortSignal,
): Promise<Readings<DrillReading>> {
  const all = new Map(
    copies.flatMap(({ store, backups }) =>
      backups.flatMap((backup) => backup.drills.map((mark) => [mark.id, { store, backup, mark }] as const)),
    ),
  );
  const newest = [...all.values()].toSorted((a, b) => b.mark.startedAt.getTime() - a.mark.startedAt.getTime());
  const records = new Map<string, DrillReading['record']>();
  await inLanes(newest.slice(0, most), LANES, async ({ store, backup, mark }) => {
    records.set(mark.id, await orNothing(readDrill(store, backup, mark, signal)));
  });
  const read = newest.map(({ backup, mark }) => ({ mark, backupId: backup.id, record: records.get(mark.id) }));
  return { read: read.toReversed(), notRead: read.filter(({ record }) => record === undefined).length };
}

/** One record that is gone or damaged leaves a gap in a curve; whoever judges the source has said so already. */
async function orNothing<T>(reading: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Failure && (error.code === 'backup-invalid' || error.code === 'not-found')) return undefined;
    throw error;
  }
}
