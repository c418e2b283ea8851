import { z } from 'zod';
import { isComplete, isInFuture, readRecentCatalog } from '../core/catalog.ts';
import { type FoundBackup, findBackup } from '../core/find-backup.ts';
import { withStores } from '../core/open-stores.ts';
import { afterUnpinning, unpinCopies } from '../core/pins.ts';
import type { World } from '../core/ports.ts';
import { type Report, report } from '../core/report.ts';
import { backup, looking } from '../github/inputs/catalog.ts';
import { parseInputs, type RawInputs } from '../github/inputs.ts';

export const description = 'Removes every pin of a backup, in every store, and says what becomes of the backup then.';

export const positional = ['backup'];

export const inputs = z.strictObject({ backup, ...looking });

export async function unpin(raw: RawInputs, world: World): Promise<Report> {
  const given = parseInputs(inputs, raw);
  return withStores(world, given.store, async ({ stores, findings }) => {
    const found = await findBackup(stores, { wanted: given.backup, source: given.source }, world);
    const unpinned = await unpinCopies(found);
    const then = afterUnpinning(found, await newestIn(found, world));
    return report(`Unpinning ${found.source}/${found.id}`, [...findings, ...found.findings, ...unpinned], {
      headline: [{ name: 'From now on', value: then }],
      sources: [found.source],
    });
  });
}

/** Where it is not the newest in one store, it may go there. */
async function newestIn({ source, id, copies }: FoundBackup, { now, signal }: World): Promise<string | undefined> {
  let newest: string | undefined = id;
  for (const { store } of copies) {
    const at = now();
    const isUsable = (one: Parameters<typeof isComplete>[0]) => isComplete(one) && !isInFuture(one, at);
    const { backups } = await readRecentCatalog(store, source, at, (some) => some.some(isUsable), signal);
    if (backups.findLast(isUsable)?.id !== id) newest = undefined;
  }
  return newest;
}
