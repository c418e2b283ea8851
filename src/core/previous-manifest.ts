import { type CatalogBackup, isComplete, isInFuture } from './catalog.ts';
import { Failure } from './failure.ts';
import type { Manifest } from './manifest.ts';
import { readManifestOf } from './manifest-reading.ts';
import type { Store, World } from './ports.ts';

/** A source whose newest manifests are all bad is a matter for verify-freshness, and not for this backup. */
const TRIES = 5;

/**
 * The manifest of the newest earlier backup in any of the stores, to compare a new one with. One that cannot
 * be read is passed over: it must not keep a database from being backed up.
 *
 * @param catalogs one for each store, in their order
 */
export async function readPreviousManifest(
  stores: readonly Store[],
  catalogs: readonly (readonly CatalogBackup[])[],
  world: Pick<World, 'now' | 'log' | 'signal'>,
): Promise<Manifest | undefined> {
  const now = world.now();
  const held = stores.flatMap((store, at) => (catalogs[at] ?? []).map((backup) => ({ store, backup })));
  const candidates = held
    .filter(({ backup }) => isComplete(backup) && !isInFuture(backup, now))
    .toSorted((one, other) => newestFirst(one.backup, other.backup));
  for (const { store, backup } of candidates.slice(0, TRIES)) {
    try {
      return (await readManifestOf(store, backup.source, backup.id, world.signal)).manifest;
    } catch (error) {
      world.signal.throwIfAborted();
      if (!(error instanceof Failure)) throw error;
      world.log.warning(`The backup is not compared with ${backup.id}: ${error.message}`);
    }
  }
  return undefined;
}

/** Ids tell whole seconds apart; of two backups within one, the one that changed last is the later. */
function newestFirst(one: CatalogBackup, other: CatalogBackup): number {
  const younger = other.takenAt.getTime() - one.takenAt.getTime();
  return younger === 0 ? other.lastChangeAt.getTime() - one.lastChangeAt.getTime() : younger;
}
