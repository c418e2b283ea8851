import { pipeline, Readable, Transform } from 'node:stream';
import { Failure } from './failure.ts';
import type { ObjectState, Store, StoredObject } from './ports.ts';

/** What a key shall seem to hold instead of what it holds. */
export type StoredDamage =
  | { readonly kind: 'flipped'; readonly at: number }
  | { readonly kind: 'cut'; readonly to: number }
  | { readonly kind: 'missing' }
  /** The bytes of another key. */
  | { readonly kind: 'exchanged'; readonly key: string; readonly bytes: number }
  | { readonly kind: 'rewritten'; readonly bytes: Buffer };

type Range = { start?: number; length?: number; signal?: AbortSignal };

/**
 * The store as it would be with some of its keys damaged. Nothing is copied, and nothing is written:
 * the damage is done to what is read. Closing it leaves the store below open.
 */
export function damagedStore(store: Store, damages: ReadonlyMap<string, StoredDamage>): Store {
  return {
    location: store.location,
    put: refuse,
    remove: refuse,
    get: (key, range = {}) => {
      const damage = damages.get(key);
      return damage === undefined ? store.get(key, range) : readDamaged(store, key, damage, range);
    },
    head: async (key) => damagedState(await store.head(key), damages.get(key)),
    list: (prefix, options) => listDamaged(store.list(prefix, options), damages),
    listFolders: (options) => store.listFolders(options),
    locks: (prefix) => store.locks(prefix),
    keepsVersions: () => store.keepsVersions(),
    hidden: (prefix) => store.hidden(prefix),
    versionsUnder: (prefix, options) => store.versionsUnder(prefix, options),
    getVersion: (version, options) => store.getVersion(version, options),
    undelete: refuse,
    openUploads: (prefix) => store.openUploads(prefix),
    freeSpace: () => store.freeSpace(),
    lifecycle: () => store.lifecycle(),
    lockTraits: () => store.lockTraits(),
    traits: refuse,
    retries: () => store.retries(),
    close: async () => {},
  };
}

async function refuse(): Promise<never> {
  throw new Failure('guard-refused', 'A self-test changes nothing in a store.');
}

async function readDamaged(store: Store, key: string, damage: StoredDamage, range: Range): Promise<Readable> {
  const { start = 0, length = Number.POSITIVE_INFINITY } = range;
  switch (damage.kind) {
    case 'missing':
      throw new Failure('not-found', `${key} is not in ${store.location}.`);
    case 'exchanged':
      return store.get(damage.key, range);
    case 'rewritten':
      return streamOf(damage.bytes.subarray(start, start + length));
    case 'cut': {
      const left = Math.max(0, Math.min(length, damage.to - start));
      return left === 0 ? streamOf(Buffer.alloc(0)) : store.get(key, { ...range, start, length: left });
    }
    case 'flipped':
      return flipped(await store.get(key, range), damage.at - start);
  }
}

function streamOf(bytes: Buffer): Readable {
  return Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false });
}

function flipped(stored: Readable, at: number): Readable {
  let read = 0;
  const flip = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const inside = at - read;
      read += chunk.length;
      if (inside < 0 || inside >= chunk.length) return done(null, chunk);
      const copy = Buffer.from(chunk);
      copy[inside] = (copy[inside] ?? 0) ^ 1;
      done(null, copy);
    },
  });
  return pipeline(stored, flip, () => {}); // an error of either destroys both; the reader sees it
}

function damagedState(state: ObjectState | undefined, damage: StoredDamage | undefined): ObjectState | undefined {
  return state === undefined || damage === undefined ? state : withDamage(state, damage);
}

async function* listDamaged(objects: AsyncIterable<StoredObject>, damages: ReadonlyMap<string, StoredDamage>) {
  for await (const object of objects) {
    const damage = damages.get(object.key);
    const left = damage === undefined ? object : withDamage(object, damage);
    if (left !== undefined) yield left;
  }
}

function withDamage<T extends StoredObject>(object: T, damage: StoredDamage): T | undefined {
  switch (damage.kind) {
    case 'missing':
      return undefined;
    case 'flipped':
      return object;
    case 'cut':
      return { ...object, bytes: Math.min(object.bytes, damage.to) };
    case 'exchanged':
      return { ...object, bytes: damage.bytes };
    case 'rewritten':
      return { ...object, bytes: damage.bytes.length };
  }
}
