import { isFrozen } from './archived.ts';
import { type CatalogBackup, isInFuture } from './catalog.ts';
import { counted } from './counted.ts';
import { formatDuration } from './duration.ts';
import { Failure } from './failure.ts';
import { backupKey } from './keys.ts';
import type { Log, Store } from './ports.ts';
import { lockedUntil, type StorePlan } from './prune-plan.ts';
import { type Finding, finding, type Table } from './report.ts';
import { formatBytes } from './size.ts';

/** Where kept backups go when they are old. */
export interface ArchivePolicy {
  readonly afterMs: number;
  readonly storageClass: string;
}

/** What of one store moves to another class. Nothing has been moved yet. */
export interface ArchivePlan extends ArchivePolicy {
  /** Oldest first. */
  readonly moves: readonly CatalogBackup[];
  /** Old enough, and locked: a lock would keep the copy in the dearer class beside the other. */
  readonly locked: readonly string[];
}

/**
 * Chooses what moves: kept backups older than the policy says. The newest and the newest proven one never do, since
 * they are what is restored on the worst day; manifests, drills and pins never do, since they are read all the time.
 */
export async function planArchive(
  store: Store,
  { plan }: Pick<StorePlan, 'plan'>,
  policy: ArchivePolicy,
  now: Date,
): Promise<ArchivePlan> {
  const kept = [...plan.keep.keys()].filter((one) => !isInFuture(one, now) && !plan.strangers.includes(one));
  const newest = kept[0];
  const newestSound = kept.find(({ soundSize, proof }) => soundSize && proof !== 'disproven');
  const old = kept.filter(
    (one) =>
      ![newest, newestSound, plan.newestProven].includes(one) &&
      one.readable &&
      !one.inProgress &&
      one.takenAt.getTime() < now.getTime() - policy.afterMs &&
      toMove(one.backup, policy).length > 0,
  );
  const moves: CatalogBackup[] = [];
  const locked: string[] = [];
  for (const { backup, id } of old.toReversed()) {
    if ((await lockedUntil(store, backup, now)) === undefined) moves.push(backup);
    else locked.push(id);
  }
  return { ...policy, moves, locked };
}

/** What is frozen already cannot be moved without thawing it. */
function toMove({ artifacts }: CatalogBackup, { storageClass }: Pick<ArchivePolicy, 'storageClass'>) {
  return artifacts.filter((one) => !isFrozen(one) && one.storageClass !== storageClass);
}

const bytesOf = (moves: readonly CatalogBackup[], policy: Pick<ArchivePolicy, 'storageClass'>) =>
  moves.flatMap((one) => toMove(one, policy)).reduce((sum, { bytes }) => sum + bytes, 0);

/** The plan as lines of a log, and as a finding of a dry run. */
export function archiveLines(plan: ArchivePlan): string[] {
  return [
    ...plan.moves.map(({ id }) => `move ${id} to ${plan.storageClass}: older than ${formatDuration(plan.afterMs)}`),
    ...plan.locked.map((id) => `leave ${id} where it is: it is locked`),
  ];
}

export function announceArchive(source: string, location: string, plan: ArchivePlan): Finding {
  const bytes = bytesOf(plan.moves, plan);
  const message = `${source}: ${counted(plan.moves.length, 'backup')}, ${formatBytes(bytes)}, would be moved to ${plan.storageClass}${lockedToo(plan)}.`;
  return finding('prune-archived', 'pass', message, {
    subject: location,
    numbers: { backups: plan.moves.length, bytes },
  });
}

function lockedToo({ locked }: ArchivePlan): string {
  return locked.length === 0 ? '' : `; ${counted(locked.length, 'locked one')} may follow when the lock is over`;
}

/** Moves what the plan says, oldest first; a failure ends it, and the next prune goes on from there. */
export async function carryOutArchive(
  store: Store,
  source: string,
  plan: ArchivePlan,
  log: Log,
  signal: AbortSignal,
): Promise<Finding> {
  const { storageClass, moves } = plan;
  const done = { backups: 0, bytes: 0 };
  const subject = store.location;
  try {
    for (const backup of moves) {
      for (const { key, bytes } of toMove(backup, plan)) {
        signal.throwIfAborted();
        await store.setStorageClass?.(backupKey(source, backup.id, key), storageClass);
        done.bytes += bytes;
      }
      done.backups += 1;
      log.info(`Moved ${source}/${backup.id} in ${store.location} to ${storageClass}.`);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Failure)) throw error;
    const message = `${source}: ${done.backups} of ${counted(moves.length, 'backup')} were moved to ${storageClass}, then it failed. ${error.message}`;
    return finding('prune-archived', 'fail', message, {
      ...{ subject, numbers: done },
      hint: `${error.hint ?? 'Check that this identity may read, write and delete objects.'} Nothing was lost; the next prune goes on from here.`,
    });
  }
  const message = `${source}: ${counted(done.backups, 'backup')}, ${formatBytes(done.bytes)}, ${done.backups === 1 ? 'was' : 'were'} moved to ${storageClass}${lockedToo(plan)}.`;
  return finding('prune-archived', 'pass', message, { subject, numbers: done });
}

export function archiveTable(source: string, location: string, plan: ArchivePlan, dryRun: boolean): Table[] {
  if (plan.moves.length === 0) return [];
  return [
    {
      title: `${dryRun ? 'Would move' : 'To move'} to ${plan.storageClass}: ${source} in ${location}`,
      columns: [{ name: 'Backup' }, { name: 'Size', numeric: true }],
      rows: plan.moves.map((one) => [one.id, formatBytes(bytesOf([one], plan))]),
      folded: plan.moves.length > 10,
    },
  ];
}

/** Throws `invalid-input` for a store that has no classes. */
export function refuseClassless(stores: readonly Store[]): void {
  const without = stores.find((store) => store.setStorageClass === undefined);
  if (without === undefined) return;
  throw new Failure(
    'invalid-input',
    `${without.location} has no storage classes: \`archive-class\` means nothing there.`,
    {
      hint: 'Leave `archive-after` and `archive-class` out for it: prune local stores in a step of their own.',
    },
  );
}
