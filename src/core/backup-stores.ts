import { Readable } from 'node:stream';
import { Failure, messageOf } from './failure.ts';
import { IN_PROGRESS, MANIFEST } from './keys.ts';
import { sha256Of } from './manifest-reading.ts';
import type { Log, Store, World } from './ports.ts';
import { type Finding, finding } from './report.ts';
import { isStalled, unlessStalled } from './stalled-store.ts';

/** The stores of one backup on its way: one that fails is dropped and cleaned, the others go on. */
export interface BackupStores {
  readonly live: ReadonlySet<Store>;
  readonly failed: ReadonlyMap<Store, unknown>;
  /** Writes a small object into every live store; throws the first store's failure when none is left. */
  putText(key: string, text: string): Promise<void>;
  /** Writes it anew into every live store; one that refuses is named in the log, and keeps its place. Never rejects. */
  renewText(key: string, text: string): Promise<void>;
  /** Removes what it holds; again when it was dropped before and holds something new. */
  drop(store: Store, error: unknown): Promise<void>;
  /** Throws the first store's failure when none is left. */
  refuseNone(): void;
  /** Removes what this run wrote, everywhere, as far as the stores allow. */
  discardAll(): Promise<void>;
}

interface Given {
  readonly prefix: string;
  readonly signal: AbortSignal;
  readonly sleep: World['sleep'];
  readonly log: Log;
}

/**
 * @param given.prefix folder of the backup, with its slash
 * @param given.signal aborts uploads, not the removal of what was written
 */
export function backupStores(stores: readonly Store[], given: Given): BackupStores {
  const live = new Set(stores);
  const failed = new Map<Store, unknown>();
  const touched = new Set<Store>();
  const drop = async (store: Store, error: unknown) => {
    if (!failed.has(store)) given.log.warning(describeLoss(store, error));
    live.delete(store);
    failed.set(store, failed.get(store) ?? error);
    await discard(store, given, { isTouched: touched.has(store), hangs: isStalled(failed.get(store)) });
  };
  const refuseNone = () => {
    if (live.size === 0) throw [...failed.values()][0];
  };
  const putText = async (key: string, text: string) => {
    for (const store of [...live]) {
      try {
        await putChecked(store, key, text, given);
        touched.add(store);
      } catch (error) {
        given.signal.throwIfAborted();
        await drop(store, error);
      }
    }
    refuseNone();
  };
  const renewText = async (key: string, text: string) => {
    for (const store of [...live]) {
      await putChecked(store, key, text, given).catch((error: unknown) => {
        if (!given.signal.aborted) given.log.warning(describeOldMark(store, error));
      });
    }
  };
  const discardAll = async () => {
    // Asking a store once more that hangs would only hang again.
    const asked = stores.filter((store) => !isStalled(failed.get(store)));
    await Promise.all(asked.map((store) => discard(store, given, { isTouched: touched.has(store), hangs: false })));
  };
  return { live, failed, putText, renewText, drop, refuseNone, discardAll };
}

async function putChecked(store: Store, key: string, text: string, { sleep, signal }: Given): Promise<void> {
  const body = Readable.from([Buffer.from(text)]);
  const expectedBytes = Buffer.byteLength(text);
  const copy = await unlessStalled(store, sleep, (life) =>
    store.put(key, body, { ...life, expectedBytes, signal: AbortSignal.any([signal, life.signal]) }),
  );
  if (copy.sha256 === sha256Of(text)) return;
  throw new Failure('artifact-corrupt', `${store.location} stored other bytes of ${key} than it was given.`);
}

/** What cannot be removed now is an orphan that prune removes later. */
async function discard(
  store: Store,
  { prefix, sleep, log }: Given,
  { isTouched, hangs }: { isTouched: boolean; hangs: boolean },
): Promise<void> {
  try {
    await unlessStalled(store, sleep, async ({ onBytes }) => {
      const keys: string[] = [];
      for await (const { key } of store.list(prefix)) {
        onBytes(0);
        keys.push(key);
      }
      const marks = keys.filter(isMark);
      const left = await store.remove(keys.filter((key) => !isMark(key)).toSorted(manifestFirst));
      // It may still finish what it was given, and that must not look like a backup without its manifest.
      if (!hangs && left.length === 0 && marks.length > 0) await store.remove(marks);
    });
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
function manifestFirst(one: string, other: string): number {
  return Number(other.endsWith(`/${MANIFEST}`)) - Number(one.endsWith(`/${MANIFEST}`));
}

function isMark(key: string): boolean {
  return key.endsWith(`/${IN_PROGRESS}`);
}

export function describeLoss(store: Store, error: unknown): string {
  return `${store.location} holds no copy of this backup: ${messageOf(error)}`;
}

function describeOldMark(store: Store, error: unknown): string {
  return `The mark in ${store.location} that this backup is being made could not be renewed: ${messageOf(error)} The backup goes on.`;
}

/** The finding for a store without its copy. */
export function lossOf(store: Store, error: unknown): Finding {
  const hint = error instanceof Failure && error.hint !== undefined ? { hint: error.hint } : {};
  return finding('store-copy', 'fail', describeLoss(store, error), { subject: store.location, ...hint });
}
