import { type CatalogBackup, describeFolder } from './catalog.ts';
import { backupKey, backupPrefix, MANIFEST } from './keys.ts';
import { isStale } from './leftovers.ts';
import type { Store, StoredObject } from './ports.ts';
import { lockedUntil } from './prune-plan.ts';

export type Removal =
  | { readonly outcome: 'removed'; readonly freedBytes: number }
  /** Nothing was touched. */
  | { readonly outcome: 'left'; readonly why: string }
  /** Something of it may be gone: nothing more is to be removed from this store. */
  | { readonly outcome: 'failed'; readonly why: string };

/**
 * Removes one folder: the manifest first, so that half a removal is no backup. Looks once more right
 * before: a pin, a drill, an upload or a lock that came since the plan was made saves it.
 *
 * @param planned as the plan saw it
 * @param hiddenKeys keys that exist in older versions only
 */
export async function removeFolder(
  store: Store,
  planned: CatalogBackup,
  hiddenKeys: readonly string[],
  now: Date,
): Promise<Removal> {
  const prefix = backupPrefix(planned.source, planned.id);
  const objects = await Array.fromAsync(store.list(prefix));
  // Somebody else was faster, and what was to go is gone.
  if (objects.length === 0 && hiddenKeys.length === 0) return { outcome: 'removed', freedBytes: 0 };
  const why = await whyLeft(store, planned, objects, now);
  if (why !== undefined) return { outcome: 'left', why };
  const manifest = backupKey(planned.source, planned.id, MANIFEST);
  const keys = [...new Set([...objects.map(({ key }) => key), ...hiddenKeys])];
  // Two calls: within one, a store may remove in any order.
  for (const batch of [keys.filter((key) => key === manifest), keys.filter((key) => key !== manifest)]) {
    const left = batch.length === 0 ? [] : await store.remove(batch);
    if (left[0] !== undefined) return { outcome: 'failed', why: `${left[0].key}: ${left[0].reason}` };
  }
  for await (const upload of store.openUploads(prefix)) if (isStale(upload, now)) await upload.abort();
  return { outcome: 'removed', freedBytes: planned.totalBytes };
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
