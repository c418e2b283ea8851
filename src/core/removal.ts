import { Readable } from 'node:stream';
import { type CatalogBackup, describeFolder, isComplete } from './catalog.ts';
import { backupKey, backupPrefix, IN_PROGRESS, MANIFEST, REMOVING } from './keys.ts';
import { isStale } from './leftovers.ts';
import { wholeSeconds } from './make-manifest.ts';
import type { Store, StoredObject } from './ports.ts';
import { lockedUntil } from './prune-plan.ts';
import type { RemovingRecord } from './records.ts';

export type Removal =
  | { readonly outcome: 'removed'; readonly freedBytes: number }
  /** Nothing was touched. */
  | { readonly outcome: 'left'; readonly why: string }
  /** Something of it may be gone: nothing more is to be removed from this store. */
  | { readonly outcome: 'failed'; readonly why: string };

/**
 * Removes one folder: the manifest first, so that half a removal is no backup, and marks last, so
 * that half a removal is known as one. Looks once more right before: a pin, a drill, an upload or a
 * lock that came since the plan was made saves it.
 *
 * @param planned as the plan saw it
 * @param given.hiddenKeys keys that exist in older versions only
 */
export async function removeFolder(
  store: Store,
  planned: CatalogBackup,
  { hiddenKeys, keepsVersions }: { readonly hiddenKeys: readonly string[]; readonly keepsVersions: boolean },
  now: Date,
): Promise<Removal> {
  const prefix = backupPrefix(planned.source, planned.id);
  const objects = await Array.fromAsync(store.list(prefix));
  // Somebody else was faster, and what was to go is gone.
  if (objects.length === 0 && hiddenKeys.length === 0) return { outcome: 'removed', freedBytes: 0 };
  const why = await whyLeft(store, planned, objects, now);
  if (why !== undefined) return { outcome: 'left', why };
  const mark = backupKey(planned.source, planned.id, REMOVING);
  const isMarked = isComplete(planned) && !keepsVersions;
  if (isMarked) await putMark(store, mark, planned, now);
  const keys = [...new Set([...objects.map(({ key }) => key), ...hiddenKeys, ...(isMarked ? [mark] : [])])];
  const left = await removeInOrder(store, planned, keys);
  if (left !== undefined) {
    // A backup that stays whole must not be taken for half a removal when somebody else robs it.
    if (isMarked && left.key === backupKey(planned.source, planned.id, MANIFEST)) await store.remove([mark]);
    return { outcome: 'failed', why: `${left.key}: ${left.reason}` };
  }
  for await (const upload of store.openUploads(prefix)) if (isStale(upload, now)) await upload.abort();
  return { outcome: 'removed', freedBytes: planned.totalBytes };
}

/** Three calls: within one, a store may remove in any order. Resolves with a key that is still there. */
async function removeInOrder(store: Store, { source, id }: CatalogBackup, keys: readonly string[]) {
  const manifest = backupKey(source, id, MANIFEST);
  const marks = [backupKey(source, id, IN_PROGRESS), backupKey(source, id, REMOVING)];
  const artifacts = keys.filter((key) => key !== manifest && !marks.includes(key));
  const batches = [keys.filter((key) => key === manifest), artifacts, keys.filter((key) => marks.includes(key))];
  for (const batch of batches.filter(({ length }) => length > 0)) {
    const [left] = await store.remove(batch);
    if (left !== undefined) return left;
  }
  return undefined;
}

async function putMark(store: Store, key: string, { source, id }: CatalogBackup, now: Date): Promise<void> {
  const record: RemovingRecord = { format: 1, id, source, startedAt: wholeSeconds(now) };
  await store.put(key, Readable.from([Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`)]));
}

async function whyLeft(
  store: Store,
  planned: CatalogBackup,
  objects: readonly StoredObject[],
  now: Date,
): Promise<string | undefined> {
  const found = objects.length === 0 ? undefined : describeFolder(planned.source, planned.id, objects);
  if (JSON.stringify(found) !== JSON.stringify(planned)) return 'it changed since the plan was made';
  for await (const upload of store.openUploads(backupPrefix(planned.source, planned.id))) {
    if (!isStale(upload, now)) return 'something is being uploaded to it';
  }
  const until = await lockedUntil(store, planned, now);
  if (until === undefined) return undefined;
  return until === null ? 'it is under a legal hold' : `it is locked until ${until.toISOString()}`;
}
