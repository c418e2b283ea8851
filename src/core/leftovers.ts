import { type CatalogBackup, isComplete, isInFuture } from './catalog.ts';
import { backupPrefix, MANIFEST, parseBackupKey } from './keys.ts';
import type { OpenUpload, Store } from './ports.ts';

/** What has not changed for so long belongs to nobody who is still at work. */
export const QUIET_MS = 24 * 3_600_000;
/** A run rewrites its `in-progress.json` all the time; one this old was left behind. */
const MARK_MS = 3_600_000;

export interface OpenFolder {
  readonly backup: CatalogBackup;
  readonly uploads: readonly Pick<OpenUpload, 'key' | 'lastChangeAt'>[];
}

/**
 * Whether somebody may still be writing this backup. Without a manifest: any key or open upload
 * changed within a day, unless it is being removed. With one, only a fresh mark or upload counts: a
 * drill record written today makes no old backup unfinished.
 */
export function isInProgress({ backup, uploads }: OpenFolder, now: Date): boolean {
  const isRecent = (moment: Date | undefined, ms: number) =>
    moment !== undefined && moment.getTime() > now.getTime() - ms;
  const prefix = backupPrefix(backup.source, backup.id);
  const open = uploads.filter(({ key }) => key.startsWith(prefix));
  if (open.some(({ lastChangeAt }) => isRecent(lastChangeAt, QUIET_MS))) return true;
  if (!isComplete(backup) && backup.removingAt !== undefined) return false;
  return isComplete(backup) ? isRecent(backup.inProgressAt, MARK_MS) : isRecent(backup.lastChangeAt, QUIET_MS);
}

/** Whether whoever wrote `in-progress.json` may still be at work. */
export function isFreshMark({ inProgressAt }: Pick<CatalogBackup, 'inProgressAt'>, now: Date): boolean {
  return inProgressAt !== undefined && inProgressAt.getTime() > now.getTime() - MARK_MS;
}

/** Uploads nobody has added to for a day. */
export function isStale(upload: Pick<OpenUpload, 'lastChangeAt'>, now: Date): boolean {
  return upload.lastChangeAt.getTime() <= now.getTime() - QUIET_MS;
}

/** What folders that are no backups turn out to be. */
export interface Leftovers {
  readonly inProgress: readonly CatalogBackup[];
  /** Begun and never finished, or left by an interrupted removal. */
  readonly abandoned: readonly CatalogBackup[];
  /** Their manifest was taken away by somebody who is not this program. */
  readonly beheaded: readonly CatalogBackup[];
}

/**
 * Sorts the folders without a manifest.
 *
 * Whoever is making a backup leaves its mark, and so does a prune before it takes a manifest away:
 * where artifacts lie without either, somebody else was at work, and what is left may be all there
 * is. Where a store keeps versions a prune leaves no mark, since a bucket may lock all that is
 * written; there it is an older version that tells, and that a prune never removes the newest.
 *
 * @param around.hiddenIds ids whose manifest exists in an older version only
 */
export function sortLeftovers(
  catalog: readonly CatalogBackup[],
  around: {
    readonly uploads: OpenFolder['uploads'];
    readonly hiddenIds: ReadonlySet<string>;
    readonly keepsVersions: boolean;
  },
  now: Date,
): Leftovers {
  const { uploads, hiddenIds, keepsVersions } = around;
  const newest = catalog.findLast((one) => isComplete(one) && !isInFuture(one, now))?.takenAt;
  const tells = (backup: CatalogBackup) => !keepsVersions || newest === undefined || backup.takenAt > newest;
  const found = {
    inProgress: [] as CatalogBackup[],
    abandoned: [] as CatalogBackup[],
    beheaded: [] as CatalogBackup[],
  };
  for (const backup of catalog.filter((one) => !isComplete(one))) {
    const hasMark = backup.inProgressAt !== undefined || backup.removingAt !== undefined;
    const isBeheaded = hiddenIds.has(backup.id) || (!hasMark && backup.artifacts.length > 0 && tells(backup));
    if (isBeheaded) found.beheaded.push(backup);
    else if (isInProgress({ backup, uploads }, now)) found.inProgress.push(backup);
    else found.abandoned.push(backup);
  }
  return found;
}

/** Ids under a prefix whose manifest, or an artifact, exists in an older version only. */
export async function readHidden(
  store: Store,
  source: string,
  prefixes: readonly string[],
): Promise<{ manifests: Set<string>; artifacts: Set<string>; keys: Map<string, string[]> }> {
  const hidden = { manifests: new Set<string>(), artifacts: new Set<string>(), keys: new Map<string, string[]>() };
  for (const prefix of prefixes) {
    for await (const { key } of store.hidden(prefix)) {
      const parsed = parseBackupKey(key);
      if (parsed?.source !== source) continue;
      const keys = hidden.keys.get(parsed.id);
      if (keys === undefined) hidden.keys.set(parsed.id, [key]);
      else keys.push(key);
      if (parsed.relative === MANIFEST) hidden.manifests.add(parsed.id);
      else if (isArtifactName(parsed.relative)) hidden.artifacts.add(parsed.id);
    }
  }
  return hidden;
}

/** Marks and records are hidden by ourselves where versions may not be removed. */
function isArtifactName(relative: string): boolean {
  return !relative.includes('/') && !relative.endsWith('.json');
}
