import { Readable } from 'node:stream';
import { Failure } from './failure.ts';
import { IN_PROGRESS, MANIFEST } from './keys.ts';
import { sha256Of } from './manifest-reading.ts';
import type { Log, Store } from './ports.ts';
import { type Finding, finding } from './report.ts';

/** The stores of one backup on its way: one that fails is dropped and cleaned, the others go on. */
export interface BackupStores {
  readonly live: ReadonlySet<Store>;
  readonly failed: ReadonlyMap<Store, unknown>;
  /** Writes a small object into every live store; throws the first store's failure when none is left. */
  putText(key: string, text: string): Promise<void>;
  /** Removes what it holds; again when it was dropped before and holds something new. */
  drop(store: Store, error: unknown): Promise<void>;
  /** Throws the first store's failure when none is left. */
  refuseNone(): void;
  /** Removes what this run wrote, everywhere, as far as the stores allow. */
  discardAll(): Promise<void>;
}

/**
 * @param given.prefix folder of the backup, with its slash
 * @param given.signal aborts uploads, not the removal of what was written
 */
export function backupStores(
  stores: readonly Store[],
  given: { readonly prefix: string; readonly signal: AbortSignal; readonly log: Log },
): BackupStores {
  const live = new Set(stores);
  const failed = new Map<Store, unknown>();
  const touched = new Set<Store>();
  const drop = async (store: Store, error: unknown) => {
    if (!failed.has(store)) given.log.warning(describeLoss(store, error));
    live.delete(store);
    failed.set(store, failed.get(store) ?? error);
    await discard(store, given, touched.has(store));
  };
  const refuseNone = () => {
    if (live.size === 0) throw [...failed.values()][0];
  };
  const putText = async (key: string, text: string) => {
    for (const store of [...live]) {
      try {
        await putChecked(store, key, text, given.signal);
        touched.add(store);
      } catch (error) {
        given.signal.throwIfAborted();
        await drop(store, error);
      }
    }
    refuseNone();
  };
  const discardAll = async () =>
    void (await Promise.all(stores.map((store) => discard(store, given, touched.has(store)))));
  return { live, failed, putText, drop, refuseNone, discardAll };
}

async function putChecked(store: Store, key: string, text: string, signal: AbortSignal): Promise<void> {
  const body = Readable.from([Buffer.from(text)]);
  const copy = await store.put(key, body, { expectedBytes: Buffer.byteLength(text), signal });
  if (copy.sha256 === sha256Of(text)) return;
  throw new Failure('artifact-corrupt', `${store.location} stored other bytes of ${key} than it was given.`);
}

/** What cannot be removed now is an orphan that prune removes later. */
async function discard(store: Store, { prefix, log }: { prefix: string; log: Log }, isTouched: boolean): Promise<void> {
  try {
    const keys: string[] = [];
    for await (const object of store.list(prefix)) keys.push(object.key);
    await store.remove(keys.toSorted((one, other) => removalRank(one) - removalRank(other)));
  } catch (error) {
    // A folder that could not even be created holds nothing.
    if (!isTouched && error instanceof Failure && error.code === 'store-missing') return;
    log.warning(`What was written to ${store.location} under ${prefix} stays there for now: ${messageOf(error)}`);
  }
}

/**
 * The manifest goes first, should it be there: a removal that breaks off must not leave half a backup. The
 * in-progress mark goes last: without either, a folder looks like a backup whose manifest somebody deleted.
 */
function removalRank(key: string): number {
  return key.endsWith(`/${MANIFEST}`) ? 0 : key.endsWith(`/${IN_PROGRESS}`) ? 2 : 1;
}

export function describeLoss(store: Store, error: unknown): string {
  return `${store.location} holds no copy of this backup: ${messageOf(error)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The finding for a store without its copy. */
export function lossOf(store: Store, error: unknown): Finding {
  const hint = error instanceof Failure && error.hint !== undefined ? { hint: error.hint } : {};
  return finding('store-copy', 'fail', describeLoss(store, error), { subject: store.location, ...hint });
}
