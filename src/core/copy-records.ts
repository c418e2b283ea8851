import { Readable } from 'node:stream';
import type { CatalogBackup } from './catalog.ts';
import type { CopyWay } from './copy-artifact.ts';
import { backupKey, backupPrefix } from './keys.ts';
import type { Manifest } from './manifest.ts';
import { readSmall, sha256Of } from './manifest-reading.ts';
import { readDrill, speaksFor } from './proof.ts';
import { parseDrillKey, parsePinKey } from './record-keys.ts';

export interface RecordsCopied {
  readonly copied: number;
  /** Records that are there under the same name with other bytes; both were left as they are. */
  readonly different: readonly string[];
  /** What was sent was read back, since a record says of this very store that its bytes were. */
  readonly readBack: boolean;
}

/**
 * Copies drills and pins that the other store lacks; what is there stays.
 *
 * A drill proves the store it names. A copy that came later is none of those, so it counts as proven only after a
 * drill of its own, or one that reads it back. Where a record does name this store, because it held the backup before
 * and lost some of it, what was sent is read back first: else the old record would speak for bytes nobody has read.
 */
export async function copyRecords(
  { from, to }: CopyWay,
  manifest: Manifest,
  there: CatalogBackup | undefined,
  { readSent, signal }: { readonly readSent: () => Promise<void>; readonly signal: AbortSignal },
): Promise<RecordsCopied> {
  const names = await recordNames(from, manifest);
  const own = there?.drills ?? [];
  const drills = [...names.flatMap((name) => parseDrillKey(name) ?? []), ...own];
  let readBack = false;
  for (const drill of drills) {
    const store = own.includes(drill) ? to : from;
    const record = await readDrill(store, manifest, drill, signal);
    if (readBack || record === undefined || !speaksFor(record, to)) continue;
    await readSent();
    readBack = true;
  }
  const different: string[] = [];
  let copied = 0;
  for (const name of names) {
    const key = backupKey(manifest.source, manifest.id, name);
    const bytes = await readSmall(from, key, signal);
    if ((await to.head(key)) === undefined) {
      await to.put(key, Readable.from([bytes]), { expectedBytes: bytes.length });
      copied += 1;
    } else if (sha256Of(await readSmall(to, key, signal)) !== sha256Of(bytes)) different.push(name);
  }
  return { copied, different, readBack };
}

async function recordNames(from: CopyWay['from'], { source, id }: Manifest): Promise<string[]> {
  const prefix = backupPrefix(source, id);
  const names: string[] = [];
  for await (const { key } of from.list(prefix)) names.push(key.slice(prefix.length));
  return names.filter((name) => parseDrillKey(name) !== undefined || parsePinKey(name) !== undefined);
}
