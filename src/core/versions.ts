import { Failure } from './failure.ts';
import type { ObjectVersion, Store, StoredObject } from './ports.ts';

/** Every id begins with its year, and until the year 3000 that is a 2; WAL and restores lie elsewhere. */
export const IDS = '2';

/** All versions of one key, the newest first. */
export interface KeyHistory {
  readonly key: string;
  readonly versions: readonly ObjectVersion[];
}

/** Takes a listing of versions together, key by key. */
export async function* historiesUnder(store: Store, prefix: string, signal?: AbortSignal): AsyncGenerator<KeyHistory> {
  let history: { key: string; versions: ObjectVersion[] } | undefined;
  for await (const version of store.versionsUnder(prefix, signal ? { signal } : {})) {
    if (history?.key !== version.key) {
      if (history !== undefined) yield history;
      history = { key: version.key, versions: [] };
    }
    history.versions.push(version);
  }
  if (history !== undefined) yield history;
}

/** What `get` would have read at this moment; undefined: nothing was there. */
export function versionAt({ versions }: KeyHistory, moment: Date): ObjectVersion | undefined {
  const newest = versions.find(({ modifiedAt }) => modifiedAt.getTime() <= moment.getTime());
  return newest?.isDeletion === false ? newest : undefined;
}

/** The first bytes that were written under a key, as far as they are still there: objects are written once. */
export function firstWritten({ versions }: KeyHistory): ObjectVersion | undefined {
  return versions.findLast(({ isDeletion }) => !isDeletion);
}

/** The store as it was at a moment, as far as its versions tell; of these sources only their backups. */
export async function storeAt(
  store: Store,
  sources: readonly string[],
  moment: Date,
  signal?: AbortSignal,
): Promise<Store> {
  const versions: ObjectVersion[] = [];
  for (const source of sources) {
    for await (const history of historiesUnder(store, `${source}/${IDS}`, signal)) {
      const version = versionAt(history, moment);
      if (version !== undefined) versions.push(version);
    }
  }
  return storeOfVersions(store, versions);
}

/** What somebody else did to an object that is written once. */
export interface Harm {
  readonly what: 'deleted' | 'overwritten';
  readonly at: Date;
}

/** Undefined: what was written first is what is there. */
export function harmTo(history: KeyHistory): Harm | undefined {
  const [current] = history.versions;
  const first = firstWritten(history);
  if (current === undefined || first === undefined) return undefined;
  if (current.isDeletion) return { what: 'deleted', at: current.modifiedAt };
  if (current.tag === first.tag) return undefined;
  // Of the versions above the first one, the oldest: there it began.
  const second = history.versions[history.versions.indexOf(first) - 1] ?? current;
  return { what: 'overwritten', at: second.modifiedAt };
}

/**
 * The store as it would be with these versions as all its objects: a catalog, a manifest, a whole backup can be read
 * from it with the code that reads them today. Nothing can be written to it, and closing it leaves the store open.
 */
export function storeOfVersions(store: Store, versions: readonly ObjectVersion[]): Store {
  const byKey = new Map(versions.map((version) => [version.key, version]));
  const sorted = versions.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  const find = (key: string) => {
    const version = byKey.get(key);
    if (version === undefined) throw new Failure('not-found', `${key} was not in ${store.location}.`);
    return version;
  };
  return {
    location: store.location,
    put: refuse,
    remove: refuse,
    undelete: refuse,
    get: async (key, options) => store.getVersion(find(key), options),
    head: async (key) => byKey.get(key),
    list: (prefix, options) => listVersions(sorted, prefix, options?.after),
    listFolders: async () => [...new Set(sorted.map(({ key }) => key.slice(0, Math.max(0, key.indexOf('/')))))],
    locks: async () => [],
    keepsVersions: async () => false,
    hidden: () => nothing(),
    versionsUnder: () => nothing(),
    getVersion: (version, options) => store.getVersion(version, options),
    openUploads: () => nothing(),
    lifecycle: async () => undefined,
    lockTraits: () => store.lockTraits(),
    traits: refuse,
    freeSpace: async () => undefined,
    retries: () => store.retries(),
    close: async () => {},
  };
}

async function* listVersions(
  sorted: readonly ObjectVersion[],
  prefix: string,
  after = '',
): AsyncGenerator<StoredObject> {
  for (const { key, bytes, modifiedAt } of sorted) {
    const isAfter = after === '' || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;
    if (key.startsWith(prefix) && isAfter) yield { key, bytes, modifiedAt };
  }
}

async function* nothing(): AsyncGenerator<never> {}

async function refuse(): Promise<never> {
  throw new Failure('guard-refused', 'The past of a store cannot be changed.');
}
