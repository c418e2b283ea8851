import { type CatalogBackup, describeFolder } from './catalog.ts';
import type { CopyWay } from './copy-artifact.ts';
import { Failure } from './failure.ts';
import { type BackupId, backupKey, backupPrefix, IN_PROGRESS, whereIs } from './keys.ts';
import { isFreshMark } from './leftovers.ts';
import { type Manifest, parseRecord } from './manifest.ts';
import { isUnreadable, readSmall } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import { InProgressRecord } from './records.ts';
import { formatBytes } from './size.ts';

/** The folder of one backup in one store as its listing tells it; undefined when nothing is there. */
export async function readFolder(store: Store, source: string, id: BackupId): Promise<CatalogBackup | undefined> {
  const objects = await Array.fromAsync(store.list(backupPrefix(source, id))).catch(emptyIfNew(store));
  return objects.length === 0 ? undefined : describeFolder(source, id, objects);
}

/** For `catch`: the folder of a local store is made by what is written first, so a new one holds nothing yet. */
export function emptyIfNew({ location }: Pick<Store, 'location'>): (error: unknown) => [] {
  return (error) => {
    if (error instanceof Failure && error.code === 'store-missing' && location.startsWith('file:')) return [];
    throw error;
  };
}

/**
 * Refuses while somebody else writes or removes this backup. A backup that finds its own manifest written by another
 * run takes back all it wrote, so it must be over; a copy that was killed may be taken up at once, since two of them
 * write the same bytes.
 *
 * @throws {Failure} `source-busy`
 */
export async function refuseBusy(
  { from, to }: CopyWay,
  folders: { readonly there: CatalogBackup | undefined; readonly here: CatalogBackup | undefined },
  now: Date,
): Promise<void> {
  const { there, here } = folders;
  if (there?.removingAt !== undefined)
    throw new Failure('source-busy', `${there.id} is being removed from ${to.location}, or a removal broke off.`, {
      hint: 'Run prune on that store, which finishes the removal; what retention removed there needs no healing.',
    });
  for (const [store, folder] of [[from, here] as const, [to, there] as const]) {
    if (folder === undefined || !isFreshMark(folder, now) || (await isOfCopy(store, folder))) continue;
    throw new Failure('source-busy', `${folder.id} is still being written to ${store.location} by its backup.`, {
      hint: 'Wait for the end of that run. A mark that a killed run left counts for one hour.',
    });
  }
}

async function isOfCopy(store: Store, { source, id }: CatalogBackup): Promise<boolean> {
  const key = backupKey(source, id, IN_PROGRESS);
  try {
    const text = (await readSmall(store, key)).toString('utf8');
    return parseRecord(InProgressRecord, text, whereIs(store, key)).copyFrom !== undefined;
  } catch (error) {
    if (isUnreadable(error)) return false;
    if (error instanceof Failure && error.code === 'not-found') return true; // over in the meantime
    throw error;
  }
}

/** Throws `store-full` when what is missing does not fit; a bucket has no such limit. */
export async function refuseFull(to: Store, manifest: Manifest, there: CatalogBackup | undefined): Promise<void> {
  const known = new Set(there?.artifacts.map(({ key }) => key));
  const needed = manifest.artifacts.filter(({ key }) => !known.has(key)).reduce((sum, { bytes }) => sum + bytes, 0);
  const space = await to.freeSpace();
  if (space === undefined || space.freeBytes > needed) return;
  throw new Failure(
    'store-full',
    `${manifest.id} does not fit into ${to.location}: ${formatBytes(needed)} are needed, ${formatBytes(space.freeBytes)} are free.`,
    { hint: 'Make room there first: prune it, or enlarge its disk.' },
  );
}
