import { type CatalogBackup, readCatalog } from './catalog.ts';
import { backupKey, backupPrefix, IN_PROGRESS } from './keys.ts';
import { parseRecord } from './manifest.ts';
import { isUnreadable, readSmall } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import { InProgressRecord } from './records.ts';

/** The process that made something, as `in-progress.json` names it. */
export interface Maker {
  readonly host: string;
  readonly pid: number;
  readonly startedAt: Date;
}

/** The id of a backup says the database server's time, which may differ from ours. */
const CLOCK_SLACK_MS = 15 * 60_000;

/**
 * Removes what one killed process left of its backup in a store: open uploads and keys under ids
 * that have no manifest and whose `in-progress.json` names that very process. Nothing else is touched.
 *
 * @returns a line for each id, saying what went or why it did not
 */
export async function removeUnfinished(store: Store, source: string, maker: Maker): Promise<string[]> {
  const since = new Date(maker.startedAt.getTime() - CLOCK_SLACK_MS);
  const said: string[] = [];
  for (const backup of await readCatalog(store, source, { since })) {
    if (backup.manifestBytes !== undefined || backup.inProgressAt === undefined) continue;
    if (await isMadeBy(store, backup, maker)) said.push(await removeOne(store, backup));
  }
  return said;
}

async function isMadeBy(store: Store, { source, id }: CatalogBackup, maker: Maker): Promise<boolean> {
  const key = backupKey(source, id, IN_PROGRESS);
  const record = await readMark(store, key);
  if (record === undefined) return false;
  // Ids of processes come round again; a record from before this process was started is another's.
  const startedAt = new Date(record.startedAt).getTime() + 1_000;
  return record.host === maker.host && record.pid === maker.pid && startedAt >= maker.startedAt.getTime();
}

/** Undefined for a mark that nobody can read: it is not ours, and must not keep us from ours. */
async function readMark(store: Store, key: string): Promise<InProgressRecord | undefined> {
  try {
    return parseRecord(InProgressRecord, (await readSmall(store, key)).toString('utf8'), key);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

async function removeOne(store: Store, { source, id }: CatalogBackup): Promise<string> {
  const prefix = backupPrefix(source, id);
  for await (const upload of store.openUploads(prefix)) await upload.abort();
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  // The mark goes last: while it is there, an interrupted clean-up can be found and repeated.
  const mark = backupKey(source, id, IN_PROGRESS);
  const left = await store.remove(keys.filter((key) => key !== mark));
  if (left.length === 0) left.push(...(await store.remove([mark])));
  return left.length === 0
    ? `Removed the unfinished backup ${source}/${id} from ${store.location}.`
    : `Of the unfinished backup ${source}/${id}, ${left.length} objects are still in ${store.location}: ${left[0]?.reason ?? ''}`;
}
