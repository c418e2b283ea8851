import { type CatalogBackup, conclusiveDrill, isComplete } from './catalog.ts';
import { Failure } from './failure.ts';
import { backupKey, whereIs } from './keys.ts';
import { parseRecord } from './manifest.ts';
import { isUnreadable, readManifestOf, readSmall } from './manifest-reading.ts';
import type { Store } from './ports.ts';
import type { DrillMark } from './record-keys.ts';
import { DrillRecord } from './records.ts';

/** A conclusive drill that holds for the copy in one store. */
export interface CopyProof {
  readonly proof: 'proven' | 'disproven';
  readonly drill: DrillMark;
  readonly record: DrillRecord;
}

/** Records read of one backup: beyond so many that speak of other copies, this one counts as not drilled. */
const MOST_RECORDS = 50;

/**
 * The latest conclusive drill of *this* copy. A record lies beside the backup in every store, but
 * it speaks only for the store whose bytes were restored and for those whose bytes were read back
 * (a proof), and only while the manifest is the one that was drilled. Bytes that went bad in one
 * store say nothing against the copy in another.
 *
 * Reads the records of conclusive drills, newest first, until one speaks for this copy.
 */
export async function proofOfCopy(
  store: Store,
  backup: CatalogBackup,
  signal?: AbortSignal,
): Promise<CopyProof | undefined> {
  const conclusive = backup.drills.filter(({ proof }) => proof !== 'inconclusive').toReversed();
  for (const drill of conclusive.slice(0, MOST_RECORDS)) {
    const record = await readDrill(store, backup, drill, signal);
    if (record !== undefined && speaksFor(record, store) && (await isSameManifest(store, backup, record, signal))) {
      return { proof: drill.proof === 'proven' ? 'proven' : 'disproven', drill, record };
    }
  }
  return undefined;
}

/** How many drilled backups are looked at in search of one whose drill speaks for this store. */
const MOST_DRILLED = 10;

/** The latest conclusive drill in a store, of any of its copies; usually one record is read. */
export async function latestProofIn(
  store: Store,
  catalog: readonly CatalogBackup[],
  signal?: AbortSignal,
): Promise<(CopyProof & { readonly backup: CatalogBackup }) | undefined> {
  const drilled = catalog
    .filter(isComplete)
    .map((backup) => ({ backup, drilledAt: conclusiveDrill(backup)?.startedAt.getTime() ?? 0 }))
    .filter(({ drilledAt }) => drilledAt > 0)
    .toSorted((a, b) => b.drilledAt - a.drilledAt);
  let latest: (CopyProof & { backup: CatalogBackup }) | undefined;
  for (const { backup, drilledAt } of drilled.slice(0, MOST_DRILLED)) {
    if (latest !== undefined && drilledAt <= latest.drill.startedAt.getTime()) break;
    const proof = await proofOfCopy(store, backup, signal);
    const isLater = proof !== undefined && (latest === undefined || proof.drill.startedAt > latest.drill.startedAt);
    if (isLater) latest = { ...proof, backup };
  }
  return latest;
}

/** Undefined when it cannot be read or tells another story than its name: it then proves nothing. */
export async function readDrill(
  store: Store,
  backup: Pick<CatalogBackup, 'source' | 'id'>,
  drill: DrillMark,
  signal?: AbortSignal,
): Promise<DrillRecord | undefined> {
  const key = backupKey(backup.source, backup.id, drill.key);
  try {
    const text = (await readSmall(store, key, signal)).toString('utf8');
    const record = parseRecord(DrillRecord, text, whereIs(store, key));
    const isHonest = record.id === drill.id && record.backup === backup.id && record.proof === drill.proof;
    return isHonest && record.source === backup.source ? record : undefined;
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** Whether a drill says something of the copy in this store. */
export function speaksFor(
  record: Pick<DrillRecord, 'store' | 'proof'> & { readonly alsoRead: readonly string[] },
  store: Pick<Store, 'location'>,
): boolean {
  if (record.store === store.location) return true;
  return record.proof === 'proven' && record.alsoRead.includes(store.location);
}

async function isSameManifest(
  store: Store,
  backup: CatalogBackup,
  record: DrillRecord,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    return (await readManifestOf(store, backup.source, backup.id, signal)).sha256 === record.manifestSha256;
  } catch (error) {
    const isGone = error instanceof Failure && error.code === 'not-found';
    if (isUnreadable(error) || isGone) return false;
    throw error;
  }
}
