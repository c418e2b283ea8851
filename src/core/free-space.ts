import { Failure } from './failure.ts';
import { notReadable } from './open-stores.ts';
import type { Store } from './ports.ts';
import { type Finding, finding } from './report.ts';
import { formatBytes } from './size.ts';

/** Judges the room of a store; nothing where the idea makes no sense, or the store is not there. */
export async function judgeRoom(store: Store, limit: number): Promise<Finding[]> {
  try {
    if (!(await isThere(store))) return [];
    const space = await store.freeSpace();
    return space === undefined ? [] : [judgeSpace(store.location, space, limit)];
  } catch (error) {
    return [notReadable(store.location, error, 'Free space')];
  }
}

export function judgeSpace(
  subject: string,
  space: { readonly freeBytes: number; readonly totalBytes: number },
  limit: number,
): Finding {
  const isLow = space.freeBytes < limit * space.totalBytes;
  const percent = (part: number) => `${Math.floor(part * 100)} %`;
  const free = `${formatBytes(space.freeBytes)} of ${formatBytes(space.totalBytes)} are free`;
  const relation = isLow ? 'less than' : 'at least';
  const message = `${free} (${percent(space.freeBytes / space.totalBytes)}), ${relation} ${percent(limit)}.`;
  const numbers = { ...space, limitShare: limit };
  const hint = 'Prune, or give the store more room, before the next backup no longer fits.';
  return finding('free-space', isLow ? 'fail' : 'pass', message, { numbers, subject, ...(isLow && { hint }) });
}

/** The room of a folder that is not there would be its parent's; that the store is missing is said by who lists it. */
async function isThere(store: Store): Promise<boolean> {
  try {
    await store.listFolders();
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'store-missing') return false;
    throw error;
  }
}
