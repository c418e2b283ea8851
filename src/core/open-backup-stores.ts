import { lossOf } from './backup-stores.ts';
import { type CatalogBackup, readRecentCatalog, usualScope } from './catalog.ts';
import { Failure } from './failure.ts';
import type { Scope } from './manifest.ts';
import type { Store, World } from './ports.ts';
import type { Finding } from './report.ts';
import { SIZE_HISTORY } from './size-judgement.ts';

export interface OpenedStores {
  /** Every store given; to be closed. */
  readonly all: readonly Store[];
  /** Those that could be listed. */
  readonly stores: readonly Store[];
  readonly catalogs: readonly (readonly CatalogBackup[])[];
  /** For each store that could not be listed. */
  readonly findings: readonly Finding[];
  /** Those whose folder does not exist yet; the backup creates it. */
  readonly created: readonly Store[];
}

/** Opens the stores and lists what they hold of this source, before the database is asked anything. */
export async function openBackupStores(
  given: { readonly store: readonly string[]; readonly source: string },
  scope: Scope,
  world: World,
): Promise<OpenedStores> {
  if (given.store.length === 0)
    throw new Failure('invalid-input', '`store` is missing.', {
      hint: 'Say where backups go, e.g. file:///srv/backups or s3://bucket/prefix.',
    });
  const all: Store[] = [];
  for (const url of given.store) all.push(await world.openStore(url));
  const looks = await Promise.allSettled(all.map((store) => recentOf(store, given.source, world)));
  const usable = all.flatMap((store, at) => {
    const look = looks[at];
    return look?.status === 'fulfilled' ? [{ store, ...look.value }] : [];
  });
  const findings = all.flatMap((store, at) => {
    const look = looks[at];
    return look?.status === 'rejected' ? [lossOf(store, look.reason)] : [];
  });
  world.signal.throwIfAborted();
  const rejected = looks.find((look) => look.status === 'rejected');
  if (usable.length === 0 && rejected !== undefined) throw rejected.reason;
  for (const { store, catalog } of usable) refuseOtherScope(store, catalog, scope, given.source);
  return {
    all,
    stores: usable.map(({ store }) => store),
    catalogs: usable.map(({ catalog }) => catalog),
    findings,
    created: usable.filter(({ isNew }) => isNew).map(({ store }) => store),
  };
}

async function recentOf(
  store: Store,
  source: string,
  world: World,
): Promise<{ catalog: readonly CatalogBackup[]; isNew: boolean }> {
  const enough = (backups: readonly CatalogBackup[]) => backups.length > SIZE_HISTORY;
  try {
    const { backups } = await readRecentCatalog(store, source, world.now(), enough, world.signal);
    return { catalog: backups, isNew: false };
  } catch (error) {
    // The very first backup makes the folder; a bucket that is missing fails at its first upload.
    if (!(error instanceof Failure) || error.code !== 'store-missing' || !store.location.startsWith('file:'))
      throw error;
    // It is made only below an existing folder, and rejects here when that is missing: before the snapshot.
    await store.freeSpace();
    return { catalog: [], isNew: true };
  }
}

function refuseOtherScope(store: Store, catalog: readonly CatalogBackup[], scope: Scope, source: string): void {
  const usual = usualScope(catalog);
  if (usual === undefined || usual === scope) return;
  throw new Failure(
    'invalid-input',
    `The backups of ${source} in ${store.location} have the scope "${usual}"; this one would have "${scope}".`,
    {
      hint: `One source has one scope, or freshness and retention would mix them up. Give this backup a source of its own, e.g. \`source: ${source}-${scope}\`.`,
    },
  );
}
