import { isComplete, listSources, readCatalog } from './catalog.ts';
import { Failure, messageOf } from './failure.ts';
import { inLanes } from './lanes.ts';
import type { ServerInfo } from './manifest.ts';
import { isUnreadable, readManifestOf } from './manifest-reading.ts';
import type { Store } from './ports.ts';

/** Manifests read at a time: enough to hide the way to a bucket, few enough for any memory. */
const LANES = 16;

/** Where a database was when it was backed up. */
export type ServerPlace = Pick<ServerInfo, 'systemIdentifier' | 'host' | 'port' | 'database'>;

/**
 * Servers that the backups of every source in these stores come from, each once.
 *
 * @throws {Failure} `guard-refused` when a manifest cannot be read; why a store could not be listed or read
 */
export async function readKnownServers(stores: readonly Store[], signal: AbortSignal): Promise<ServerPlace[]> {
  const places = new Map<string, ServerPlace>();
  for (const store of stores) {
    for (const source of await listSources(store)) {
      const backups = (await readCatalog(store, source, { signal })).filter(isComplete);
      await inLanes(backups, LANES, async ({ id }) => {
        const place = await placeOf(store, source, id, signal);
        if (place !== undefined) places.set(JSON.stringify(place), place);
      });
    }
  }
  return [...places.values()];
}

async function placeOf(
  store: Store,
  source: string,
  id: string,
  signal: AbortSignal,
): Promise<ServerPlace | undefined> {
  try {
    const { systemIdentifier, host, port, database } = (await readManifestOf(store, source, id, signal)).manifest
      .server;
    return { systemIdentifier, host, port, database };
  } catch (error) {
    // Removed since it was listed.
    if (error instanceof Failure && error.code === 'not-found') return undefined;
    if (!isUnreadable(error)) throw error;
    throw new Failure(
      'guard-refused',
      `\`scratch-url\` may lead to a server that is backed up here. ${messageOf(error)}`,
      {
        cause: error,
        hint: 'Leave `scratch-url` out (a scratch server of its own is started), or put a manifest that can be read in the place of this one.',
      },
    );
  }
}
