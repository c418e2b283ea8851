import { backupKey, isId, MANIFEST, parseBackupKey } from './keys.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import type { ObjectVersion, Store } from './ports.ts';
import { firstWritten, type Harm, harmTo, historiesUnder, IDS, type KeyHistory, storeOfVersions } from './versions.ts';

/** A backup of which something was deleted or written over by somebody who is not a prune. */
export interface LostBackup {
  readonly source: string;
  readonly id: string;
  /** When it began. */
  readonly at: Date;
  /** Names of files, relative to the backup's folder. */
  readonly deleted: readonly string[];
  readonly overwritten: readonly string[];
  /** What was written first, of every file whose bytes are still there. */
  readonly first: readonly ObjectVersion[];
}

/**
 * Backups of one source that lost something, oldest first, from the listing of versions alone. What a prune removes is
 * removed with all its versions, unless it may not do that: then it shows here as well.
 */
export async function findLost(store: Store, source: string, signal?: AbortSignal): Promise<LostBackup[]> {
  const lost: LostBackup[] = [];
  for await (const [id, histories] of foldersOf(historiesUnder(store, `${source}/${IDS}`, signal))) {
    const found = describeLoss(source, id, histories);
    if (found !== undefined) lost.push(found);
  }
  return lost;
}

async function* foldersOf(histories: AsyncIterable<KeyHistory>): AsyncGenerator<[string, KeyHistory[]]> {
  let folder: [string, KeyHistory[]] | undefined;
  for await (const history of histories) {
    const id = parseBackupKey(history.key)?.id;
    if (id === undefined) continue;
    if (folder?.[0] !== id) {
      if (folder !== undefined) yield folder;
      folder = [id, []];
    }
    folder[1].push(history);
  }
  if (folder !== undefined) yield folder;
}

/** Undefined: nothing is lost, or it never was a backup. */
export function describeLoss(source: string, id: string, histories: readonly KeyHistory[]): LostBackup | undefined {
  const kept = histories.filter(({ key }) => isWrittenOnce(nameIn(key)));
  const isBackup = kept.some((one) => nameIn(one.key) === MANIFEST && firstWritten(one) !== undefined);
  const harmed = kept.flatMap((history) => {
    const harm = harmTo(history);
    return harm === undefined ? [] : [{ name: nameIn(history.key), ...harm }];
  });
  if (!isBackup || !harmed.some(({ name }) => isNeeded(name))) return undefined;
  const named = (what: Harm['what']) => harmed.filter((one) => one.what === what).map(({ name }) => name);
  return {
    source,
    id,
    at: new Date(Math.min(...harmed.map(({ at }) => at.getTime()))),
    deleted: named('deleted'),
    overwritten: named('overwritten'),
    first: kept.flatMap((history) => firstWritten(history) ?? []),
  };
}

function nameIn(key: string): string {
  return parseBackupKey(key)?.relative ?? '';
}

/** Marks are rewritten and removed in the normal course of things. */
export function isWrittenOnce(name: string): boolean {
  return name !== '' && name !== 'in-progress.json' && name !== 'removing.json';
}

/** Without it nothing can be restored. A pin that somebody took away is no loss of a backup. */
function isNeeded(name: string): boolean {
  return name === MANIFEST || (!name.includes('/') && !name.endsWith('.json'));
}

/**
 * How many of its artifacts are there in an older version with the size that the manifest says; undefined when no
 * version of the manifest can be read any more. Reads one manifest.
 */
export async function recoverable(
  store: Store,
  { source, id, first }: LostBackup,
  signal?: AbortSignal,
): Promise<{ found: number; of: number } | undefined> {
  try {
    const { manifest } = await readManifestOf(storeOfVersions(store, first), source, id, signal);
    const bytes = new Map(first.map((version) => [version.key, version.bytes]));
    const found = manifest.artifacts.filter((one) => bytes.get(backupKey(source, id, one.key)) === one.bytes);
    return { found: found.length, of: manifest.artifacts.length };
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** The source that a deleted backup belongs to: asked of every folder, since nothing of it need be there. */
export async function sourcesOfDeleted(store: Store, id: string): Promise<string[]> {
  if (!isId(id)) return [];
  const sources: string[] = [];
  for (const source of await store.listFolders({ deleted: true })) {
    for await (const _ of store.versionsUnder(`${source}/${id}/`)) {
      sources.push(source);
      break;
    }
  }
  return sources;
}
