import { onAbort } from './core/on-abort.ts';
import type { Store } from './core/ports.ts';

/**
 * A store whose calls are given up when `signal` aborts, so that a step does not wait for a server
 * that no longer answers. Only calls that were under way: cleaning up begins after the abort and
 * needs the store. `put` looks at its own signal, since it must take back what it has written.
 */
export function interruptible(store: Store, signal: AbortSignal): Store {
  const until = <T>(call: Promise<T>) => unlessAborted(call, signal);
  return {
    location: store.location,
    put: (key, body, options) => store.put(key, body, options),
    get: (key, options) => until(store.get(key, options)),
    head: (key) => until(store.head(key)),
    list: (prefix, options) => eachUnlessAborted(store.list(prefix, options), signal),
    listFolders: (options) => until(store.listFolders(options)),
    remove: (keys) => until(store.remove(keys)),
    locks: (prefix) => until(store.locks(prefix)),
    keepsVersions: () => until(store.keepsVersions()),
    hidden: (prefix) => eachUnlessAborted(store.hidden(prefix), signal),
    versionsUnder: (prefix, options) => eachUnlessAborted(store.versionsUnder(prefix, options), signal),
    getVersion: (version, options) => until(store.getVersion(version, options)),
    undelete: (version, options) => store.undelete(version, options),
    openUploads: (prefix) => eachUnlessAborted(store.openUploads(prefix), signal),
    ...(store.setStorageClass && {
      setStorageClass: (key: string, to: string) => until(store.setStorageClass?.(key, to) ?? Promise.resolve()),
    }),
    freeSpace: () => until(store.freeSpace()),
    lifecycle: () => until(store.lifecycle()),
    lockTraits: () => until(store.lockTraits()),
    traits: (key) => until(store.traits(key)),
    retries: () => store.retries(),
    close: () => store.close(),
  };
}

/** Rejects with the signal's reason when it aborts during the call; `call` itself goes on unheard. */
async function unlessAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return await call;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = onAbort(signal, () => reject(signal.reason));
  try {
    return await Promise.race([call, promise]);
  } finally {
    stop();
  }
}

async function* eachUnlessAborted<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), signal);
      ended = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a generator that waits for its server cannot return before the server answers.
    if (!ended) void iterator.return?.()?.then(undefined, () => {});
  }
}
