import { activePin, type CatalogBackup, isComplete, readRecentCatalog } from './catalog.ts';
import type { BackupId } from './keys.ts';
import { backupPrefix } from './keys.ts';
import { inLanes, mapInLanes } from './lanes.ts';
import { isInProgress, sortLeftovers } from './leftovers.ts';
import type { Manifest, Scope } from './manifest.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import { notReadable } from './open-stores.ts';
import type { OpenUpload, Store } from './ports.ts';
import { proofOfCopy } from './proof.ts';
import type { Finding } from './report.ts';

const LANES = 16;

/** What a folder turns out to be. */
export type FolderState = 'complete' | 'unreadable' | 'in progress' | 'unfinished' | 'half removed' | 'manifest gone';

/** One copy of a backup, as a row of a list needs it. */
export interface ListedCopy {
  readonly store: Pick<Store, 'location'>;
  readonly state: FolderState;
  readonly proof: 'proven' | 'disproven' | undefined;
  readonly drilledAt: Date | undefined;
  /** Null: for ever; undefined: not pinned. */
  readonly pinnedUntil: Date | null | undefined;
  readonly bytes: number;
}

/** One backup with its copies. */
export interface ListedBackup {
  readonly source: string;
  readonly id: BackupId;
  readonly takenAt: Date;
  readonly scope: Scope | undefined;
  readonly encrypted: boolean;
  /** In the order of the stores. */
  readonly copies: readonly ListedCopy[];
  /** What a restore needs; undefined where no manifest can be read. */
  readonly needs: { readonly engine: string; readonly major: number; readonly databaseBytes: number } | undefined;
}

export interface ListedSource {
  readonly source: string;
  /** Newest first. */
  readonly backups: readonly ListedBackup[];
  /** Stores that could not be listed. */
  readonly findings: readonly Finding[];
  /** Whether there are older ones that are not listed. */
  readonly isCut: boolean;
}

interface Shelf {
  readonly store: Store;
  readonly folders: readonly CatalogBackup[];
  readonly states: ReadonlyMap<BackupId, FolderState>;
  readonly isCut: boolean;
}

/**
 * The newest backups of a source in all of these stores. Reads listings as far back as it must, the manifests of what
 * it lists, and the drill records of those that were drilled; nothing else.
 *
 * @param limit how many; infinite: all
 */
export async function listSource(
  stores: readonly Store[],
  source: string,
  { limit, now, signal }: { readonly limit: number; readonly now: Date; readonly signal: AbortSignal },
): Promise<ListedSource> {
  const shelves: Shelf[] = [];
  const findings: Finding[] = [];
  for (const store of stores) {
    try {
      shelves.push(await readShelf(store, source, { limit, now, signal }));
    } catch (error) {
      findings.push(notReadable(store.location, error, `${source} in this store`));
    }
  }
  const ids = [...new Set(shelves.flatMap(({ folders }) => folders.map(({ id }) => id)))].toSorted().toReversed();
  const shown = ids.slice(0, Math.min(limit, ids.length));
  const backups = await mapInLanes(shown, LANES, (id) => readListed(shelves, source, id, now, signal));
  return { source, backups, findings, isCut: ids.length > shown.length || shelves.some(({ isCut }) => isCut) };
}

async function readShelf(
  store: Store,
  source: string,
  { limit, now, signal }: { readonly limit: number; readonly now: Date; readonly signal: AbortSignal },
): Promise<Shelf> {
  const isEnough = (backups: readonly CatalogBackup[]) => backups.length >= limit;
  const { backups, since } = await readRecentCatalog(store, source, now, isEnough, signal);
  const folders = backups.slice(-Math.min(limit, backups.length));
  const states = await statesOf(store, source, folders, now);
  return { store, folders, states, isCut: since !== undefined || folders.length < backups.length };
}

/** Only folders without a manifest ask for more than the listing. */
async function statesOf(
  store: Store,
  source: string,
  folders: readonly CatalogBackup[],
  now: Date,
): Promise<Map<BackupId, FolderState>> {
  const states = new Map<BackupId, FolderState>();
  const open = folders.filter((folder) => !isComplete(folder));
  if (open.length === 0) return states;
  const uploads: OpenUpload[] = await Array.fromAsync(store.openUploads(`${source}/`));
  const hiddenIds = new Set<BackupId>();
  await inLanes(open, LANES, async ({ id }) => {
    for await (const { key } of store.hidden(backupPrefix(source, id)))
      if (key.endsWith('/manifest.json')) hiddenIds.add(id);
  });
  const keepsVersions = await store.keepsVersions();
  const { beheaded } = sortLeftovers(folders, { uploads, hiddenIds, keepsVersions }, now);
  for (const backup of open) {
    if (beheaded.includes(backup)) states.set(backup.id, 'manifest gone');
    else if (isInProgress({ backup, uploads }, now)) states.set(backup.id, 'in progress');
    else states.set(backup.id, backup.removingAt === undefined ? 'unfinished' : 'half removed');
  }
  return states;
}

async function readListed(
  shelves: readonly Shelf[],
  source: string,
  id: BackupId,
  now: Date,
  signal: AbortSignal,
): Promise<ListedBackup> {
  const copies: ListedCopy[] = [];
  let manifest: Manifest | undefined;
  let known: CatalogBackup | undefined;
  for (const { store, folders, states } of shelves) {
    const backup = folders.find((folder) => folder.id === id);
    if (backup === undefined) continue;
    const state = states.get(id) ?? 'complete';
    const read = state === 'complete' ? await tryManifest(store, backup, signal) : undefined;
    if (read !== undefined && read !== 'unreadable') manifest ??= read;
    known = known === undefined || (!isComplete(known) && isComplete(backup)) ? backup : known;
    copies.push(await describeCopy(store, backup, read === 'unreadable' ? 'unreadable' : state, now, signal));
  }
  const server = manifest && { major: manifest.server.major, databaseBytes: manifest.totals.databaseBytes };
  return {
    source,
    id,
    takenAt: known?.takenAt ?? new Date(Number.NaN),
    scope: known?.scope,
    encrypted: known?.artifacts.some(({ key }) => key.endsWith('.age')) ?? false,
    copies,
    needs: manifest && server && { engine: manifest.engine, ...server },
  };
}

async function tryManifest(
  store: Store,
  { source, id, manifestBytes }: CatalogBackup,
  signal: AbortSignal,
): Promise<Manifest | 'unreadable'> {
  try {
    return (await readManifestOf(store, source, id, signal, manifestBytes)).manifest;
  } catch (error) {
    if (isUnreadable(error)) return 'unreadable';
    throw error;
  }
}

async function describeCopy(
  store: Store,
  backup: CatalogBackup,
  state: FolderState,
  now: Date,
  signal: AbortSignal,
): Promise<ListedCopy> {
  const drill = state === 'complete' ? await proofOfCopy(store, backup, signal) : undefined;
  return {
    store,
    state,
    proof: drill?.proof,
    drilledAt: drill?.drill.startedAt,
    pinnedUntil: activePin(backup, now)?.until,
    bytes: backup.bytes,
  };
}
